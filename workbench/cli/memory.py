"""`workbench memory`: what batch, shapes and precision do to the memory of an engine; what inference really took."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec

from workbench.cli.jobs import Jobs, read_sets
from workbench.cli.output import Output
from workbench.core.model import Model
from workbench.core.precision import PrecisionPlan
from workbench.core.run import BuildConfig, Run, RunRequest, Status, TimingConfig
from workbench.core.sweep import Point
from workbench.model import open_model
from workbench.pipeline.documents import precision_label
from workbench.pipeline.samples import NONE, resolved_shapes
from workbench.pipeline.sweep_grid import grid
from workbench.pipeline.table import aligned, size_text
from workbench.store import Store

HEAD = ("", "precision", "weights", "plan's pool", "in + out", "engine says", "first inference", "process peak", "")
ONCE = TimingConfig(warmup_ms=0, warmup_iterations=0, live_seconds=0, seconds=0, min_iterations=1)


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where every point was built; one inference each, where it runs here."""
    model = open_model(Path(arguments.model))
    requests = list(_requests(arguments, model))
    store, jobs, runs = Store(), Jobs(output), list[Run]()
    with jobs.until_interrupted():
        for point, request in requests:
            title = f"{point.words} {request.config.plan.default}"
            known = _known(store, request, model.sha256)
            runs.append(known or jobs.run(_placed(store, request), title))
            if jobs.was_interrupted:
                break
    output.document([_document(point, run) for (point, _), run in zip(requests, runs, strict=False)])
    rows = [_row(point, run) for (point, _), run in zip(requests, runs, strict=False)]
    output.text(aligned([HEAD, *rows], left={0, 1, 8}).rstrip())
    output.text(
        "\npool: one block for all buffers between layers, by liveness; the first inference: pages it wrote to."
    )
    return 0 if all(run.status is Status.DONE for run in runs) and len(runs) == len(requests) else 1


def _requests(arguments: Namespace, model: Model) -> list[tuple[Point, RunRequest]]:
    sets = read_sets(arguments)
    found = []
    for precision in arguments.precisions:
        plan = PrecisionPlan(default=precision)
        config = BuildConfig(
            backend=arguments.backend, plan=plan, shapes=dict(arguments.shape), target=arguments.target
        )
        request = RunRequest(
            id="",
            folder="",
            model_path=str(Path(arguments.model).absolute()),
            config=config,
            recipe=sets.recipe,
            calibration=sets.calibration if plan.uses_calibration else "",
            evaluation=NONE,
            timing=ONCE,
        )
        points = grid(model, resolved_shapes(request, model), dict(arguments.dim))
        found += [(point, _at(request, point)) for point in points]
    return found


def _at(request: RunRequest, point: Point) -> RunRequest:
    config = msgspec.structs.replace(request.config, shapes=point.shapes)
    return msgspec.structs.replace(request, config=config)


def _placed(store: Store, request: RunRequest) -> RunRequest:
    run_id, folder = store.new_folder()
    return msgspec.structs.replace(request, id=run_id, folder=str(folder))


def _known(store: Store, request: RunRequest, sha256: str) -> Run | None:
    """An earlier run of the same file with the same content, configuration and calibration, that has all of it."""
    wanted = (request.model_path, sha256, request.config, request.calibration)
    same = (run for run in store.runs() if (run.model, run.model_sha256, run.config, run.calibration) == wanted)
    return next((run for run in same if run.build is not None and run.build.plan and run.timing is not None), None)


def _row(point: Point, run: Run) -> tuple[str, ...]:
    found = _figures(run)
    sizes = [size_text(found[key]) if found.get(key) else "—" for key in _KEYS]
    where = ", ".join(f"{name} {value}" for name, value in point.dims.items()) or "as it is"
    return (where, precision_label(run.config.plan.default), *sizes, run.error.message if run.error else "")


_KEYS = ("weights", "pool", "ends", "activations", "first inference", "process peak")


def _figures(run: Run) -> dict[str, int]:
    build = {**run.build.memory, **run.build.plan} if run.build is not None else {}
    return build | (run.timing.memory if run.timing is not None else {})


def _document(point: Point, run: Run) -> dict[str, Any]:
    return {
        "dims": point.dims,
        "shapes": {name: list(shape) for name, shape in point.shapes.items()},
        "precision": run.config.plan.default.value,
        "run": run.id,
        "memory": run.build.memory if run.build is not None else {},
        "plan": run.build.plan if run.build is not None else {},
        "took": run.timing.memory if run.timing is not None else {},
        "error": run.error,
    }
