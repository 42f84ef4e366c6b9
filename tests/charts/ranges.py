"""A calibration report of two tensors."""

from __future__ import annotations

from workbench.core.calibration_report import CalibrationReport, ChosenRange, Finding, Mark, Severity, TensorRange
from workbench.core.precision import Calibration, CalibrationMethod

FOLLOWED = (CalibrationMethod.MAX, CalibrationMethod.PERCENTILE, CalibrationMethod.MSE)
SHARES = {
    CalibrationMethod.MAX: (1.0, 0.0),
    CalibrationMethod.PERCENTILE: (0.8, 1e-4),
    CalibrationMethod.MSE: (0.9, 2e-5),
    CalibrationMethod.ENTROPY: (0.3, 0.02),
}


def tensor(name: str, node: str, top: float) -> TensorRange:
    ranges = tuple(
        ChosenRange(method, -top * share, top * share, clipped, 30.0 if share > 0.5 else 6.0)
        for method, (share, clipped) in SHARES.items()
    )
    counts = tuple(10 ** max(0, 6 - abs(place - 64) // 10) for place in range(128))
    return TensorRange(name, (node,), "int8", -top, top, counts, ranges, channels=8, dead=2)


REPORT = CalibrationReport(
    model="small",
    model_sha256="",
    source="/data/set",
    samples=48,
    calibration=Calibration(),
    dialect="openvino",
    tensors=(tensor("first", "n0", 2.0), tensor("second", "n2", 50.0)),
    marks=tuple(
        Mark(
            samples, dict.fromkeys((CalibrationMethod.MAX, CalibrationMethod.PERCENTILE, CalibrationMethod.MSE), moved)
        )
        for samples, moved in ((16, 0.2), (32, 0.004), (48, 0.0))
    ),
    findings=(
        Finding(
            Severity.WARNING, "outlier", "Sample 3 reaches 9 times as far.", "Look at it.", "second", ("n2",), (3,)
        ),
        Finding(Severity.NOTE, "dead_channels", "2 of 8 channels of 'first' are dead.", "", "first", ("n0",)),
    ),
)
