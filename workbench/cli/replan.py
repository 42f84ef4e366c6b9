"""`workbench replan`: what it costs an engine with free shapes when the shape of its inputs changes."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import msgspec

from workbench.cli.jobs import Jobs, plain_request
from workbench.cli.output import Output
from workbench.core.precision import PrecisionPlan
from workbench.core.replanning import Replanned, ReplanRequest, ShapeChange
from workbench.model import open_model
from workbench.pipeline.conditions import machine_line
from workbench.pipeline.samples import resolved_shapes
from workbench.pipeline.sweep_grid import grid
from workbench.pipeline.table import aligned
from workbench.store import Store

HEAD = ("shape", "never seen", "after a change", "then", "extra", "95 %", "its own engine")


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where all shapes were measured."""
    store, jobs = Store(), Jobs(output)
    job_id, folder = store.new_folder()
    run = plain_request(arguments, PrecisionPlan(default=arguments.precision[0]), job_id, folder)
    run = msgspec.structs.replace(run, config=msgspec.structs.replace(run.config, threads=arguments.threads))
    model = open_model(Path(run.model_path))
    points = grid(model, resolved_shapes(run, model), dict(arguments.dim))
    request = ReplanRequest(job_id, str(folder), run, tuple(point.shapes for point in points), arguments.seconds)
    with jobs.until_interrupted():
        result = jobs.replan(request)
    store.delete(job_id)
    output.document(result)
    if result.error is not None:
        output.failed(result.error.message, result.error.hint)
        return 1
    output.text(replanned_text(result))
    return 0


def replanned_text(result: Replanned) -> str:
    """A line a shape, and how and where it was measured."""
    table = aligned([HEAD, *map(_row, result.changes)], left={0})
    return f"{table}\n{result.protocol}.\n{machine_line(result.machine)}."


def _row(change: ShapeChange) -> tuple[str, ...]:
    extra = f"{change.extra_ms:+.3f} ms" if change.is_different else "none seen"
    return (
        ", ".join("×".join(map(str, shape)) for shape in change.shapes.values()),
        f"{change.never_seen_ms:.3f} ms",
        f"{change.change_ms:.3f} ms",
        f"{change.steady_ms:.3f} ms",
        extra,
        f"{change.low_ms:+.3f} … {change.high_ms:+.3f}",
        f"{change.fixed_ms:.3f} ms" if change.fixed_ms is not None else "—",
    )
