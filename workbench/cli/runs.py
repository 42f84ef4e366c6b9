"""`workbench runs`: the history."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.output import Output
from workbench.pipeline.documents import run_document
from workbench.pipeline.table import history_table
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Newest first. Runs of a program that died are marked as interrupted on the way."""
    store = Store()
    store.sweep()
    runs = store.runs()[: arguments.limit or None]
    output.document([run_document(run) for run in runs])
    output.text(history_table(runs).rstrip() if runs else "There are no runs yet. `workbench run MODEL` makes one.")
    return 0
