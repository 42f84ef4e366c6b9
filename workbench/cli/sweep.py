"""`workbench sweep`: latency and throughput over batch sizes, other free dimensions and threads."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec

from workbench.cli.arguments import config_of, timing_of
from workbench.cli.jobs import Jobs, read_sets
from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.core.run import RunRequest
from workbench.model import open_model
from workbench.pipeline.samples import NONE, resolved_shapes
from workbench.pipeline.sweeping import Point, Swept, best_within, grid, sweep
from workbench.pipeline.table import aligned
from workbench.store import Store

HEAD = ("point", "median", "95 %", "samples/s", "ms a sample", "")


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where every point was measured, 1 where one was not or the sweep was cancelled."""
    store = Store()
    request = _request(arguments)
    model = open_model(Path(request.model_path))
    points = grid(model, resolved_shapes(request, model), dict(arguments.dim), arguments.threads_each)
    jobs = Jobs(output)

    def on_point(done: int, point: Point, seconds_left: float) -> None:
        output.note(f"[{done + 1}/{len(points)}] {_words(point)}: about {seconds_left:.0f} s left for all")

    with jobs.until_interrupted():
        swept = sweep(request, points, store.runs(), lambda one: jobs.run(one, "sweep"), store.new_folder, on_point)
    _tell(arguments, output, swept)
    failed = [one for one in swept if one.median_ms is None]
    for one in failed:
        error = one.run.error
        output.failed(f"{_words(one.point)}: {error.message if error else one.run.status.value}")
    return 1 if failed or len(swept) < len(points) else 0


def _request(arguments: Namespace) -> RunRequest:
    plan = plan_of(arguments)
    sets = read_sets(arguments)
    config = msgspec.structs.replace(
        config_of(arguments), backend=arguments.backend, plan=plan, profiles=sets.profiles if arguments.profile else ()
    )
    return RunRequest(
        id="",
        folder="",
        model_path=str(Path(arguments.model).absolute()),
        config=config,
        recipe=sets.recipe,
        calibration=sets.calibration if plan.uses_calibration else "",
        evaluation=NONE,
        timing=timing_of(arguments),
        rebuild=arguments.rebuild,
    )


def _tell(arguments: Namespace, output: Output, swept: list[Swept]) -> None:
    best = best_within(swept, arguments.limit_ms)
    output.document([_document(one, one is best) for one in swept])
    output.text(aligned([HEAD, *(_row(one, one is best) for one in swept)], left={0, 5}).rstrip())
    if arguments.limit_ms is not None and best is None:
        output.text(f"\nNo point is within {arguments.limit_ms:g} ms.")


def _document(one: Swept, is_best: bool) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(one.point),
        "run": one.run.id,
        "median_ms": one.median_ms,
        "samples_per_second": one.samples_per_second,
        "best": is_best,
    }


def _row(one: Swept, is_best: bool) -> tuple[str, ...]:
    timing = one.run.timing
    if one.median_ms is None or one.samples_per_second is None or timing is None or timing.stats is None:
        return (_words(one.point), "—", "", "—", "—", one.run.error.message if one.run.error else "")
    remark = " ".join(["best"] * is_best + ["(measured before)"] * one.is_known)
    return (
        _words(one.point),
        f"{one.median_ms:.3f} ms",
        f"{timing.stats.low_ms:.3f}–{timing.stats.high_ms:.3f}",
        f"{one.samples_per_second:.1f}",
        f"{1000 / one.samples_per_second:.3f}",
        remark,
    )


def _words(point: Point) -> str:
    parts = [f"{name} {value}" for name, value in point.dims.items()]
    threads = f"{point.threads} thread{'s' * (point.threads > 1)}" if point.threads else "all cores"
    return ", ".join([*parts, threads])
