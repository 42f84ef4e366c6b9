"""The precision plan compiled into ONNX: one file per pass, with calibration beside it."""

from workbench.precision.amaxes import observe_amaxes
from workbench.precision.base import BaseGraphs, NothingWrittenError, base_digest
from workbench.precision.calibration import StaleObservationsError, observe
from workbench.precision.cleaning import SHAPES_PASS, PassInfo, list_passes
from workbench.precision.compiler import compile_plan
from workbench.precision.exporting import export_typed
from workbench.precision.keeping import load_observations, save_observations
from workbench.precision.observations import Observations
from workbench.precision.plan_file import plan_text, read_plan, write_plan
from workbench.precision.plan_parse import PlanError, parse_plan
from workbench.precision.rules import asked_precisions, explain_plan
from workbench.precision.simulation import without_halves

__all__ = [
    "SHAPES_PASS",
    "BaseGraphs",
    "NothingWrittenError",
    "Observations",
    "PassInfo",
    "PlanError",
    "StaleObservationsError",
    "asked_precisions",
    "base_digest",
    "compile_plan",
    "explain_plan",
    "export_typed",
    "list_passes",
    "load_observations",
    "observe",
    "observe_amaxes",
    "parse_plan",
    "plan_text",
    "read_plan",
    "save_observations",
    "without_halves",
    "write_plan",
]
