"""calibrate: observation alone, so that ranges can be looked at before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.backends.base import load_backend
from workbench.core.calibration_report import Calibrated, CalibrateRequest, CalibrationReport
from workbench.core.errors import WorkbenchError
from workbench.core.run import RunRequest
from workbench.model import check_shapes, open_model
from workbench.pipeline.border import carried_out
from workbench.pipeline.calibrating import Observed, look, passes_left_out
from workbench.pipeline.calibration_report import make_report
from workbench.pipeline.files import CALIBRATED_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.samples import NONE, RANDOM, evaluation_set, fixed_values, resolved_shapes
from workbench.pipeline.telling import JobTeller


def calibrate(request: CalibrateRequest, emit: Emit, cancelled: Callable[[], bool]) -> Calibrated:
    """Observes the calibration set of `request.run` and says what is odd about it; the result is in its folder.

    Never raises for what the user can cause: then `error` says why. What was observed is kept: a run on the same set
    need not look again, and a pass that was cancelled goes on where it was.
    """
    return carried_out(
        request,
        CALIBRATED_FILE,
        emit,
        lambda _: Calibrated(request.id, _report(request.run, JobTeller(request.id, emit, cancelled))),
        lambda error: Calibrated(request.id, error=error),
    )


def _report(request: RunRequest, teller: JobTeller) -> CalibrationReport:
    if request.calibration in ("", NONE):
        raise WorkbenchError("There is no calibration set to look at.", "Choose one: a folder, .npy, .npz or .csv.")
    teller.progress("open", text=Path(request.model_path).stem)
    model = open_model(request.model_path)
    shapes = resolved_shapes(request, model)
    check_shapes(model, shapes)
    evaluation = evaluation_set(request, model, shapes)
    fixed = fixed_values(request, model, shapes, evaluation)
    dialect = load_backend(request.config.backend).dialect()
    graph = Observed(model, shapes, fixed, passes_left_out(request.config), dialect)
    seen = look(teller, request, graph)
    has_evaluation = request.evaluation not in ("", NONE, RANDOM)
    return make_report(teller, request, seen, dialect, evaluation if has_evaluation else None)
