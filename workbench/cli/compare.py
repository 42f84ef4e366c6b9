"""`workbench compare`: backends x precisions, then a race."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import msgspec

from workbench.cli.arguments import config_of, ranges_of, timing_of
from workbench.cli.jobs import Jobs, check_writable, copy_out, read_sets
from workbench.cli.output import Output
from workbench.cli.plans import with_options
from workbench.core.precision import PrecisionPlan
from workbench.core.run import Race, RaceRequest, Run, RunRequest, Status
from workbench.core.titles import run_title
from workbench.pipeline.comparing import CompareRequest, Comparison, compare
from workbench.pipeline.conditions import machine_line
from workbench.pipeline.documents import comparison_document
from workbench.pipeline.record import new_run
from workbench.pipeline.reporting import write_report
from workbench.pipeline.table import comparison_table, why_not
from workbench.precision import read_plan
from workbench.precision.quantizers import find_quantizer
from workbench.store import RaceBook, Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where a run is done and nothing was cancelled: what a backend refuses is a row, no failure."""
    check_writable(arguments.report)
    jobs = Jobs(output)
    title = ""

    def perform(request: RunRequest | RaceRequest) -> Run | Race:
        return jobs.run(request, title) if isinstance(request, RunRequest) else jobs.race(request)

    def on_run(done: int, total: int, request: RunRequest) -> None:
        nonlocal title
        title = f"[{done + 1}/{total}] {run_title(new_run(request))}"

    def on_done(run: Run) -> None:
        output.note(f"{title}: {_outcome(run)}")

    with jobs.until_interrupted():
        comparison = compare(_request(arguments), perform, Store().new_folder, on_run, on_done)
    if comparison.race is not None and comparison.race.error is None:
        RaceBook(Store().root).add(comparison.race)
    _tell(arguments, output, comparison)
    return _exit_code(output, comparison, jobs.was_interrupted)


def _request(arguments: Namespace) -> CompareRequest:
    sets = read_sets(arguments)
    return CompareRequest(
        model_path=str(Path(arguments.model).absolute()),
        backends=arguments.backends,
        precisions=arguments.precisions,
        methods=arguments.methods,
        targets=arguments.targets,
        plans=(*(with_options(read_plan(path), arguments) for path in arguments.plan), *_by_others(arguments)),
        config=msgspec.structs.replace(config_of(arguments), profiles=sets.profiles),
        recipe=sets.recipe,
        calibration=sets.calibration,
        evaluation=sets.evaluation,
        evaluation_limit=arguments.limit,
        allowed_code=sets.allowed_code,
        timing=timing_of(arguments),
        rebuild=arguments.rebuild,
        ranges=ranges_of(arguments),
        baseline=not arguments.no_baseline,
        race_seconds=0.0 if arguments.no_time else arguments.race_seconds,
    )


def _by_others(arguments: Namespace) -> list[PrecisionPlan]:
    """Raises WorkbenchError before anything runs, where a quantizer is not here."""
    found = [find_quantizer(name) for name in arguments.quantizers]
    return [PrecisionPlan(one.precision, calibration=ranges_of(arguments), quantizer=one.id) for one in found]


def _outcome(run: Run) -> str:
    if run.timing and run.timing.stats:
        return f"{run.timing.stats.median_ms:.3f} ms"
    return why_not(run) or run.status.value


def _tell(arguments: Namespace, output: Output, comparison: Comparison) -> None:
    folders = [Path(folder) for folder in comparison.folders]
    output.document(comparison_document(comparison))
    output.text(comparison_table(comparison.runs, comparison.race).rstrip())
    if comparison.race and comparison.race.error:
        output.note(f"No interleaved comparison: {comparison.race.error.message} {comparison.race.error.hint}")
    elif comparison.race:
        output.text(f"\nSpeed-ups: {comparison.race.protocol}.\n{machine_line(comparison.race.machine)}.")
    if arguments.out is not None:
        copy_out(folders, arguments.out)
    if arguments.report is not None:
        write_report(arguments.report, folders, comparison.race)
        output.note(f"report: {arguments.report}")


def _exit_code(output: Output, comparison: Comparison, was_interrupted: bool) -> int:
    if was_interrupted:
        output.failed("Cancelled.")
        return 1
    if all(run.status is not Status.DONE for run in comparison.runs):
        error = comparison.runs[-1].error
        output.failed("No run was done.", f"The last said: {error.message} {error.hint}" if error else "")
        return 1
    return 0
