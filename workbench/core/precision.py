"""Precisions, and the precision plan: which node runs in which, and how ranges are found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Precision(StrEnum):
    """A numeric format a layer can run in. The `_WEIGHTS` forms keep activations in float."""

    FP32 = "fp32"
    TF32 = "tf32"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    INT8 = "int8"
    INT8_WEIGHTS = "int8_weights"
    INT4_WEIGHTS = "int4_weights"
    FP4_WEIGHTS = "fp4_weights"

    @property
    def label(self) -> str:
        """As it is written for people: `INT8`, `INT8 weights`."""
        head, _, tail = self.value.partition("_")
        return f"{head.upper()} {tail}".strip()


class CalibrationMethod(StrEnum):
    """How a range is chosen from what was observed."""

    MAX = "max"
    PERCENTILE = "percentile"
    MSE = "mse"
    ENTROPY = "entropy"  # least Kullback-Leibler divergence, as TensorRT's old calibrator


class Calibration(msgspec.Struct, frozen=True):
    """How INT8 ranges are found. `percentile` counts only for that method (in %, of |x|)."""

    method: CalibrationMethod = CalibrationMethod.MSE
    percentile: float = 99.99
    samples: int = 64


class Rule(msgspec.Struct, frozen=True):
    """`precision` for the nodes that match. Empty fields match everything; all given ones must match.

    `name` is a glob over the user's node name, `op` an exact op type, `scope` a glob over the id of a group the node
    stands in at any depth (`layers.*/attn`), `nodes` a set of node ids (`n17`). `first` and `last` count the weighted
    nodes (Conv, MatMul, Gemm ...) from either end of the execution order: `first=1, last=1` is "first and last layer".
    """

    precision: Precision
    name: str = ""
    op: str = ""
    scope: str = ""
    nodes: tuple[str, ...] = ()
    first: int = 0
    last: int = 0


class PrecisionPlan(msgspec.Struct, frozen=True):
    """Which node runs in which precision: a default, and rules of which the last that matches wins.

    `keep_io` keeps inputs and outputs in the types of the user's model. `skip` names clean-up passes that are
    switched off (`fold_batchnorm`).
    """

    default: Precision = Precision.FP32
    rules: tuple[Rule, ...] = ()
    calibration: Calibration = Calibration()
    keep_io: bool = True
    skip: tuple[str, ...] = ()

    @property
    def needs_calibration(self) -> bool:
        """True if anything in the plan has activations in INT8 or FP8, whose ranges must be observed."""
        asked = {self.default, *(rule.precision for rule in self.rules)}
        return bool(asked & {Precision.INT8, Precision.FP8})
