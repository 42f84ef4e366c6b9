"""The precision plan compiled into ONNX: one file per pass, with calibration beside it."""

from workbench.precision.base import base_digest
from workbench.precision.calibration import observe
from workbench.precision.compiler import compile_plan
from workbench.precision.observations import Observations
from workbench.precision.rules import asked_precisions
from workbench.precision.simulation import without_halves

__all__ = ["Observations", "asked_precisions", "base_digest", "compile_plan", "observe", "without_halves"]
