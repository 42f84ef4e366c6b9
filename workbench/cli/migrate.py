"""`workbench migrate`: what is gone of a trtexec 10 command, and the plan and commands that do the same."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.output import Output
from workbench.pipeline.migration import migrate, migration_document, migration_text
from workbench.precision import write_plan


def execute(arguments: Namespace, output: Output) -> int:
    found = migrate(arguments.line, str(arguments.out or ""))
    if arguments.out is not None:
        write_plan(arguments.out, found.plan)
    output.document(migration_document(found))
    output.text(migration_text(found).rstrip())
    return 0
