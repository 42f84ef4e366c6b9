"""`workbench sweep`: latency, throughput and cost over batch sizes, other free dimensions, threads and streams."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec

from workbench.backends.base import load_backend
from workbench.cli.arguments import config_of, timing_of
from workbench.cli.jobs import Jobs, read_sets
from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.core.model import Model
from workbench.core.run import RunRequest
from workbench.core.sweep import Point, Sweep, SweepRequest, Swept, best_within
from workbench.model import open_model
from workbench.pipeline.conditions import machine_line
from workbench.pipeline.samples import resolved_shapes
from workbench.pipeline.sweep_grid import grid, kept_sweep, seconds_for, sweep_key, sweep_timing
from workbench.pipeline.table import aligned
from workbench.store import Store

HEAD = ("point", "median", "p95", "samples/s", "95 %", "a million", "")


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where every point was measured, 1 where one was not or the sweep was cancelled."""
    store, model = Store(), open_model(Path(arguments.model))
    run = _run(arguments)
    threads = arguments.threads_each or (arguments.threads,)
    points = grid(model, resolved_shapes(run, model), dict(arguments.dim), threads, arguments.streams_each)
    key = _key(model, run)
    known = kept_sweep(key)
    seconds = seconds_for(points, known, run.timing)
    output.note(
        f"{len(points)} points, {sum(known.of(one) is not None for one in points)} known; about {seconds:.0f} s"
    )
    job, folder = store.new_folder()
    jobs = Jobs(output)
    with jobs.until_interrupted():
        swept = jobs.sweep(SweepRequest(job, str(folder), key, run, tuple(points)))
    store.delete(job)
    return _tell(arguments, output, points, swept)


def _key(model: Model, run: RunRequest) -> str:
    return sweep_key(model.sha256, run, load_backend(run.config.backend).capabilities().version)


def _run(arguments: Namespace) -> RunRequest:
    plan = plan_of(arguments)
    sets = read_sets(arguments)
    timing = timing_of(arguments)
    config = msgspec.structs.replace(config_of(arguments), backend=arguments.backend, plan=plan)
    return RunRequest(
        id="",
        folder="",
        model_path=str(Path(arguments.model).absolute()),
        config=config,
        recipe=sets.recipe,
        calibration=sets.calibration if plan.uses_calibration else "",
        timing=sweep_timing(timing.seconds),
    )


def _tell(arguments: Namespace, output: Output, points: list[Point], swept: Sweep) -> int:
    found = [one for point in points if (one := swept.of(point)) is not None]
    best = best_within(found, arguments.limit_ms)
    output.document([_document(one, one == best, arguments.price_per_hour) for one in found])
    output.text(aligned([HEAD, *(_row(one, one == best, arguments) for one in found)], left={0, 6}).rstrip())
    if arguments.limit_ms is not None and best is None:
        output.text(f"\nNo point is within {arguments.limit_ms:g} ms.")
    output.text(f"\n{swept.protocol}.")
    if machine := next((one.machine for one in reversed(found) if one.machine), {}):
        output.text(f"{machine_line(machine)}.")
    failed = [one for one in found if one.throughput is None]
    for one in failed:
        output.failed(f"{one.point.words}: {one.reason}")
    if swept.error is not None:
        output.failed(swept.error.message, swept.error.hint)
    return 1 if failed or swept.error is not None else 0


def _document(one: Swept, is_best: bool, price: float) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(one.point),
        "median_ms": one.median_ms or None,
        "p95_ms": one.p95_ms or None,
        "samples_per_second": one.samples_per_second or None,
        "interval": list(one.interval),
        "cost_per_million": one.cost_per_million(price) or None,
        "reason": one.reason,
        "best": is_best,
        "noisy": one.is_noisy,
        "machine": one.machine,
    }


def _row(one: Swept, is_best: bool, arguments: Namespace) -> tuple[str, ...]:
    if one.throughput is None:
        return (one.point.words, "—", "—", "—", "", "", one.reason)
    low, high = one.interval
    price = arguments.price_per_hour
    cost = f"{one.cost_per_million(price):.4g}" if price else ""
    remark = " ".join(["best"] * is_best + ["noisy"] * one.is_noisy)
    times = (f"{one.median_ms:.3f} ms", f"{one.p95_ms:.3f}")
    return (one.point.words, *times, f"{one.samples_per_second:.1f}", f"{low:.1f}–{high:.1f}", cost, remark)
