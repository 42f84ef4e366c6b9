"""run: one configuration from end to end. The window, the command line, the tests and the workers all call it."""

from __future__ import annotations

from collections.abc import Callable

from workbench.backends.base import load_backend
from workbench.core.errors import Cancelled
from workbench.core.run import Run, RunError, RunRequest, Status
from workbench.pipeline.before_build import check_can_build
from workbench.pipeline.border import as_run_error
from workbench.pipeline.building import build, open_step
from workbench.pipeline.checking import check_accuracy
from workbench.pipeline.clocking import time_engine
from workbench.pipeline.layer_checking import check_layers
from workbench.pipeline.record import Emit, Record
from workbench.pipeline.samples import evaluation_set, fixed_values, timing_feeds


def run(request: RunRequest, emit: Emit, cancelled: Callable[[], bool]) -> Run:
    """open -> plan -> calibrate -> typed ONNX -> build -> time -> accuracy -> errors of layers, in this process.

    Returns the run as it stands in `run.json` of `request.folder`. Never raises for what the user can cause: then
    the run is FAILED and its `error` says why, with a hint; everything finished before stays in it. `emit` gets
    events, at most 30 a second of each kind but log lines; `cancelled` is asked between steps and samples.
    """
    record = Record(request, emit, cancelled)
    try:
        _steps(record)
    except Cancelled:
        return record.finish(Status.CANCELLED, RunError("Cancelled."))
    except Exception as error:  # noqa: BLE001  the one border: whatever escapes becomes a failed run with its reason
        return record.finish(Status.FAILED, as_run_error(error))
    return record.finish(Status.DONE)


def _steps(record: Record) -> None:
    request = record.request
    backend = load_backend(request.config.backend)
    check_can_build(backend, request.config)
    model, shapes = open_step(record)
    samples = evaluation_set(request, model, shapes)  # before the build: a wrong path is told at once
    fixed = fixed_values(request, model, shapes, samples)
    built = build(record, backend, model, shapes, fixed)
    time_engine(record, built.engine, timing_feeds(samples))
    record.stop_if_cancelled()
    check_accuracy(record, built, samples)
    check_layers(record, built, samples, fixed)
