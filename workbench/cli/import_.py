"""`workbench import`: what other tools wrote about an engine, as a run of the history."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from workbench.cli.jobs import Jobs
from workbench.cli.output import Output
from workbench.core.importing import ImportRequest
from workbench.core.run import RunError
from workbench.pipeline.artefacts import read_ledger
from workbench.pipeline.documents import run_document
from workbench.pipeline.fusion_text import ledger_table
from workbench.pipeline.summary import run_summary
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the run is in the history."""
    store = Store()
    run_id, folder = store.new_folder()
    files = tuple(str(path.expanduser().absolute()) for path in arguments.files)
    model = str(Path(arguments.model).expanduser().absolute()) if arguments.model else ""
    jobs = Jobs(output)
    with jobs.until_interrupted():
        result = jobs.import_run(ImportRequest(run_id, str(folder), files, model))
    if result.run is None:
        store.delete(run_id)
        error = result.error or RunError("The files could not be imported.")
        output.gave_up(error.message, error.hint)
        return 1
    output.document(run_document(result.run))
    output.text(run_summary(result.run))
    if arguments.ledger and (ledger := read_ledger(folder, result.run)) is not None:
        output.text(f"\n{ledger_table(ledger).rstrip()}")
    return 0
