"""Precisions, and the precision plan: which node runs in which, and how ranges are found."""

from __future__ import annotations

from collections.abc import Collection
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


_NEAREST = {
    Precision.TF32: (Precision.FP32,),
    Precision.BF16: (Precision.FP16,),
    Precision.FP16: (Precision.BF16,),
    Precision.FP8: (Precision.INT8, Precision.FP16, Precision.BF16),
    Precision.INT8: (Precision.FP8, Precision.INT8_WEIGHTS, Precision.FP16),
    Precision.INT8_WEIGHTS: (Precision.FP16, Precision.BF16),
    Precision.INT4_WEIGHTS: (Precision.INT8_WEIGHTS, Precision.FP16),
    Precision.FP4_WEIGHTS: (Precision.INT4_WEIGHTS, Precision.INT8_WEIGHTS, Precision.FP16),
}


def nearest(precision: Precision, usable: Collection[Precision]) -> Precision:
    """The usable precision most like this one, in size and in kind; FP32 where there is none."""
    return next((other for other in _NEAREST.get(precision, ()) if other in usable), Precision.FP32)


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
    stands in at any depth (`layers.*/attn`), `nodes` node ids (`n17`) or whole node names. `first` and `last` keep so
    many weighted nodes (Conv, MatMul, Gemm ...) from either end of the execution order, of those that the other
    fields select: `first=1, last=1` alone is "first and last layer", with `op="Conv"` the first and last Conv.
    `off` switches a rule off without losing it; `note` says to people why it is there.
    """

    precision: Precision
    name: str = ""
    op: str = ""
    scope: str = ""
    nodes: tuple[str, ...] = ()
    first: int = 0
    last: int = 0
    off: bool = False
    note: str = ""

    @property
    def is_painted(self) -> bool:
        """True for a set of nodes and nothing else: what strokes on the graph are kept in."""
        return bool(self.nodes) and not (self.name or self.op or self.scope or self.first or self.last)

    @property
    def words(self) -> str:
        """What it selects: `name = */attn/* and op = Conv`, `3 chosen nodes`, `first layer`, `every node`."""
        given = (("name", self.name), ("op", self.op), ("group", self.scope))
        parts = [f"{field} = {value}" for field, value in given if value]
        if self.nodes:
            parts.append(self.nodes[0] if len(self.nodes) == 1 else f"{len(self.nodes):,} chosen nodes")
        if self.first or self.last:
            parts.append(_ends(self.first, self.last))
        return " and ".join(parts) or "every node"


def _ends(first: int, last: int) -> str:
    """`first layer`, `first 2 and last layers`."""
    ends = [f"{end} {count}" if count > 1 else end for end, count in (("first", first), ("last", last)) if count]
    return " and ".join(ends) + (" layer" if first + last == 1 else " layers")


_TOOLS = {"modelopt": "Model Optimizer", "nncf": "NNCF", "ort": "ORT"}


class PrecisionPlan(msgspec.Struct, frozen=True):
    """Which node runs in which precision: a default, and rules of which the last that matches wins.

    `keep_io` keeps inputs and outputs in the types of the user's model; without it those that only FP16 or BF16 written
    into the graph touches take that type, and no Cast stands at them. `skip` names clean-up passes that are
    switched off (`fold_batchnorm`). `clean` runs them also where nothing but float32 is asked for; without it such a
    model is built as it is. `block` is how many weights share one scale in INT4 weights.
    `quantizer` leaves the writing to another tool (`nncf:int8`), which decides all but what rules keep out.
    """

    default: Precision = Precision.FP32
    rules: tuple[Rule, ...] = ()
    calibration: Calibration = Calibration()
    keep_io: bool = True
    skip: tuple[str, ...] = ()
    block: int = 32
    clean: bool = False
    quantizer: str = ""

    @property
    def precisions(self) -> frozenset[Precision]:
        """All that is asked for, by the default or a rule that is on."""
        return frozenset({self.default, *(rule.precision for rule in self.rules if not rule.off)})

    @property
    def writer(self) -> str:
        """Who writes it, for people: `NNCF`, `Model Optimizer int8_max`; "" for the workbench itself."""
        tool, _, way = self.quantizer.partition(":")
        return f"{_TOOLS.get(tool, tool)}{f' {way}' if way != self.default.value else ''}".strip()

    @property
    def needs_calibration(self) -> bool:
        """True if anything in the plan has activations in INT8 or FP8, whose ranges must be observed."""
        return bool(self.precisions & {Precision.INT8, Precision.FP8}) and not self.quantizer

    @property
    def uses_calibration(self) -> bool:
        """True if samples change what is written: ranges, or which nodes FP16 cannot hold."""
        return self.needs_calibration or bool(self.quantizer) or Precision.FP16 in self.precisions
