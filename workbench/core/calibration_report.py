"""What calibration saw, in words and figures: ranges of every tensor by every method, and what is odd about the set."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.precision import Calibration, CalibrationMethod
from workbench.core.run import RunError, RunRequest

STEADY = 0.01
"""Ranges that move by less than this share do so no more."""


class CalibrateRequest(msgspec.Struct, frozen=True, tag="calibrate"):
    """Observation alone, without a build: of the model, the shapes and the calibration set of `run`.

    Its evaluation set, where there is one, is what the calibration set should be like. `folder` is the job's own.
    """

    id: str
    folder: str
    run: RunRequest


class Severity(StrEnum):
    NOTE = "note"  # good to know
    WARNING = "warning"  # the ranges are probably wrong


class Finding(msgspec.Struct, frozen=True):
    """One thing the doctor found. `text` says what and by which evidence, `hint` what to do about it.

    `kind` is one of few_samples, unsteady, outlier, dead_channels, constant, non_finite, random, range, layout, color,
    mean, unlike. `samples` are indices in the set; `nodes` are source nodes by id.
    """

    severity: Severity
    kind: str
    text: str
    hint: str = ""
    tensor: str = ""
    nodes: tuple[str, ...] = ()
    samples: tuple[int, ...] = ()


class ChosenRange(msgspec.Struct, frozen=True):
    """What one method makes of a histogram: values outside `low` and `high` are clipped, a share of `clipped` (0..1).

    `sqnr_db` is estimated from the histogram: signal to noise of rounding and clipping together.
    """

    method: CalibrationMethod
    low: float
    high: float
    clipped: float
    sqnr_db: float


class TensorRange(msgspec.Struct, frozen=True):
    """A tensor that INT8 is written from. `nodes` read it, by source id; `form` is int8 or uint8.

    `counts` are values in bins of equal width from `low` to `high`, the smallest and largest seen. `channels` is 0
    where they were not told apart; `dead` of them had one value throughout.
    """

    name: str
    nodes: tuple[str, ...]
    form: str
    low: float
    high: float
    counts: tuple[int, ...]
    ranges: tuple[ChosenRange, ...]
    channels: int = 0
    dead: int = 0

    def chosen(self, method: CalibrationMethod) -> ChosenRange:
        """Raises KeyError where the report does not have the method."""
        return {one.method: one for one in self.ranges}[method]


class Mark(msgspec.Struct, frozen=True):
    """After so many samples: the largest share by which a tensor's range moved from here to the end, by method."""

    samples: int
    moved: dict[CalibrationMethod, float]


class Coverage(msgspec.Struct, frozen=True):
    """How much of the evaluation set lies within what calibration saw: a share of `inside` (0..1) of all values.

    In `beyond` tensors some do not; furthest in `tensor`, by `factor` times the largest magnitude that was seen.
    """

    source: str
    samples: int
    inside: float
    beyond: int = 0
    tensor: str = ""
    factor: float = 1.0


class CalibrationReport(msgspec.Struct, frozen=True):
    """`calibration.json` of a run. `source` is the sample set (a path, or `random`), of which `samples` were used.

    `calibration` has the percentile that the percentile method stands for. `dialect` is whose forms the ranges have.
    """

    model: str
    model_sha256: str
    source: str
    samples: int
    calibration: Calibration
    dialect: str
    tensors: tuple[TensorRange, ...] = ()
    marks: tuple[Mark, ...] = ()
    findings: tuple[Finding, ...] = ()
    coverage: Coverage | None = None

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.severity is Severity.WARNING)

    def steady_from(self, method: CalibrationMethod) -> int | None:
        """From how many samples on no range moved by 1 % any more; None: they still did before the last sample."""
        steady = None
        for mark in reversed(self.marks[:-1]):
            if mark.moved.get(method, 0.0) >= STEADY:
                break
            steady = mark.samples
        return steady


class Calibrated(msgspec.Struct, frozen=True):
    """The result of a `CalibrateRequest`."""

    id: str
    report: CalibrationReport | None = None
    error: RunError | None = None
