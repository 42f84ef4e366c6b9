"""`workbench race`: engines of finished runs timed interleaved, until it is decided which is faster."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.jobs import Jobs, request_of
from workbench.cli.output import Output
from workbench.core.errors import WorkbenchError
from workbench.core.run import Race, RaceRequest, Run
from workbench.pipeline.conditions import machine_line
from workbench.pipeline.documents import race_document
from workbench.pipeline.table import race_table
from workbench.store import RaceBook, Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the race was run to its end; the first run is the baseline."""
    store = Store()
    runs = [store.find(text) for text in (arguments.baseline, *arguments.rivals)]
    _check(runs)
    race_id, folder = store.new_folder()
    requests = tuple(request_of(store, run) for run in runs)
    jobs = Jobs(output)
    with jobs.until_interrupted():
        race = jobs.race(RaceRequest(race_id, str(folder), requests, arguments.seconds))
    if race.error is None:
        RaceBook(store.root).add(race)
    return _tell(output, runs, race)


def _check(runs: list[Run]) -> None:
    if len({run.id for run in runs}) < len(runs):
        raise WorkbenchError("A run cannot race itself.", "Build it twice to see what chance does.")
    models = {run.model_name for run in runs}
    if len({run.model_sha256 for run in runs}) > 1:
        raise WorkbenchError(f"These are runs of several models: {', '.join(sorted(models))}.", "Name runs of one.")


def _tell(output: Output, runs: list[Run], race: Race) -> int:
    output.document(race_document(race, runs))
    if race.error is not None:
        output.failed(race.error.message, race.error.hint)
        return 1
    output.text(race_table(race, runs).rstrip())
    output.text(f"\n{race.protocol}.\n{machine_line(race.machine)}.")
    return 0
