"""`workbench runs`: the history."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.output import Output
from workbench.core.titles import Titles
from workbench.pipeline.documents import run_document
from workbench.pipeline.table import history_table
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Newest first. Runs of a program that died are marked as interrupted on the way."""
    store = Store()
    store.sweep()
    known = store.runs()
    runs = known[: arguments.limit or None]
    output.document([run_document(run) for run in runs])
    none = "There are no runs yet. `workbench run MODEL` makes one."
    output.text(history_table(runs, Titles(known)).rstrip() if runs else none)
    return 0
