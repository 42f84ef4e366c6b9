"""A precision plan compiled into ONNX: the one place where passes are put in order.

Order: base graph (only where INT8 is written), Q/DQ, rounding, half types. A plan that asks nothing of the graph, FP32
or a precision the backend has only as an execution hint, gives the private copy untouched, so that the engine's own
fusions are seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from onnx import ModelProto

from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.graph import LayerKind
from workbench.core.model import Model, Shape, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.model import annotate
from workbench.model.ids import sources_of
from workbench.model.walk import with_bodies
from workbench.precision.base import NO_INPUTS, Fixed, base_graph, copy_with_branches
from workbench.precision.observations import Observations
from workbench.precision.passes.dequantize_constants import dequantize_constants
from workbench.precision.passes.halve import BF16, FP16, Half, halve
from workbench.precision.passes.lift_opset import lift_opset
from workbench.precision.passes.quantize import observed_tensors, quantize
from workbench.precision.passes.round_bf16 import round_bf16
from workbench.precision.passes.tame_batchnorm import tame_batchnorm
from workbench.precision.rules import asked_precisions
from workbench.precision.saving import save_model

_FLOAT32 = (Precision.FP32, Precision.TF32)
_WRITTEN = (*_FLOAT32, Precision.BF16, Precision.FP16, Precision.INT8)
_HALVES: dict[Precision, Half] = {Precision.FP16: FP16, Precision.BF16: BF16}


def compile_plan(
    model: Model,
    plan: PrecisionPlan,
    dialect: Dialect,
    shapes: Mapping[str, Shape],
    folder: Path,
    observations: Observations | None,
    fixed: Fixed = NO_INPUTS,
) -> TypedModel:
    """Writes `folder/typed.onnx` and says what it holds. The same arguments give the same bytes.

    `fixed` are values of inputs that never change: the Ifs they decide are replaced by the branch that is taken.

    `observations` are needed where the plan has INT8. Raises WorkbenchError where the backend has no such precision,
    where calibration is missing, or where nothing in the model can take what is asked.
    """
    asked = asked_precisions(model, plan)
    _refuse_unknown(asked, dialect)
    compilation = _Compilation(model, plan, dialect, dict(shapes), asked, fixed)
    compilation.run(observations)
    path = save_model(compilation.proto, folder)
    compute = {layer.id for layer in model.graph.walk() if layer.kind is LayerKind.COMPUTE}
    return TypedModel(
        model=model,
        path=str(path),
        shapes=dict(shapes),
        asked={node: precision.value for node, precision in asked.items() if node in compute},
        hint=compilation.hint.value,
        removed=compilation.removed,
        notes=tuple(compilation.notes),
    )


def _refuse_unknown(asked: Mapping[str, Precision], dialect: Dialect) -> None:
    for precision in sorted(set(asked.values())):
        how = dialect.how.get(precision, How.GRAPH if precision in _FLOAT32 else How.NONE)
        if how is How.NONE or (how is How.GRAPH and precision not in _WRITTEN):
            raise WorkbenchError(
                f"{precision.label} is not available with {dialect.name}.",
                "Choose another precision, or another backend.",
            )


class _Compilation:
    """One plan on its way into one graph."""

    def __init__(
        self,
        model: Model,
        plan: PrecisionPlan,
        dialect: Dialect,
        shapes: dict[str, Shape],
        asked: Mapping[str, Precision],
        fixed: Fixed,
    ) -> None:
        self._model, self._plan, self._dialect, self._shapes, self._asked = model, plan, dialect, shapes, asked
        self._fixed = fixed
        self._present = set(asked.values())
        self.removed: dict[str, str] = {}
        self.notes: list[str] = []
        self.hint = Precision.FP32
        self.proto: ModelProto

    def run(self, observations: Observations | None) -> None:
        self.hint = self._choose_hint()
        if Precision.INT8 in self._present:
            self._write_int8(observations)
        else:
            self.proto, self.removed = copy_with_branches(self._model, self._shapes, self._fixed)
        self._note_branches()
        if self._dialect.int8_needs_dq:
            self.removed |= dequantize_constants(self.proto)
        for precision in (Precision.BF16, Precision.FP16):
            if precision in self._present and self._how(precision) is How.ROUNDED:
                self._write_rounded(precision)
            elif precision in self._present and self._how(precision) is How.GRAPH:
                self._write_half(precision)

    def _note_branches(self) -> None:
        decided = sum(self.removed.get(layer.id) == "folded" for layer in self._model.graph.walk() if layer.op == "If")
        if decided and self._fixed:
            values = ", ".join(f"{name} = {value}" for name, value in self._fixed.items())
            self.notes.append(
                f"Built for {values}, as the recipe has it, which decides {decided} If{'s' * (decided > 1)};"
                " for another value the engine is wrong."
            )

    def _how(self, precision: Precision) -> How:
        return self._dialect.how.get(precision, How.GRAPH)

    def _named(self, precision: Precision) -> set[str]:
        """Nodes of the graph as it is now, bodies too, whose (first) source is asked this; added ones left out."""
        found = set()
        for name in self._ops():
            sources = sources_of(name)
            if sources and ":" not in name and self._asked.get(sources[0]) is precision:
                found.add(name)
        return found

    def _choose_hint(self) -> Precision:
        """A hint is for the whole model: the default's, or with INT8 as the default the one that rules ask for."""
        hinted = sorted(p for p in self._present if p not in _FLOAT32 and self._how(p) is How.HINT)
        if self._plan.default in hinted:
            chosen = self._plan.default
        elif self._plan.default is Precision.INT8 and len(hinted) == 1:
            chosen = hinted[0]
        else:
            chosen = Precision.FP32
        others = Counter(p for p in self._asked.values() if p is not chosen and p in {*hinted, *_FLOAT32})
        for precision, count in sorted(others.items()):
            if chosen is not Precision.FP32 or precision in hinted:
                self.notes.append(
                    f"{count} nodes asked to run in {precision.label} run in {chosen.label}: "
                    f"{self._dialect.name} has {(precision if precision in hinted else chosen).label} "
                    "only for the whole model."
                )
        return chosen

    def _write_int8(self, observations: Observations | None) -> None:
        base = base_graph(self._model, self._shapes, self._fixed)
        self.proto, self.removed = base.proto, dict(base.removed)
        self.notes.extend(base.notes)
        if not observed_tensors(self.proto):
            raise _nothing("quantize", "no Conv, MatMul or Gemm on float32 outside If, Loop and Scan", {})
        if observations is None:
            raise WorkbenchError("INT8 needs ranges, and nothing was calibrated.", "Choose a calibration set.")
        result = quantize(
            self.proto,
            self._named(Precision.INT8),
            observations,
            self._plan.calibration,
            self._dialect,
        )
        if not result.nodes:
            raise _nothing("quantize", "no Conv, MatMul or Gemm on float32 that was asked to run in INT8", result.left)
        self.notes.append(f"{len(result.nodes)} Conv, MatMul and Gemm are written in INT8; the rest stays in float.")
        self._note_left(Precision.INT8, result.left)
        self.notes.extend(observations.notes)

    def _write_rounded(self, precision: Precision) -> None:
        self._lift()
        rounded = round_bf16(self.proto, self._named(precision)) if precision is Precision.BF16 else []
        if not rounded:
            raise _nothing("round", "no Conv, MatMul, Gemm, LSTM, GRU or RNN on float32", {})
        self.notes.append(
            f"The operands of {len(rounded)} nodes are rounded to {precision.label}; the arithmetic stays FP32, "
            f"for {self._dialect.name} has no {precision.label} kernels here."
        )

    def _write_half(self, precision: Precision) -> None:
        if precision is Precision.BF16:
            self._lift()
        asked, ops = self._named(precision), self._ops()
        barred = {name for name in asked if ops[name] in self._dialect.float_ops.get(precision, ())}
        if precision is Precision.FP16:
            self._tame(asked)
        result = halve(self.proto, asked - barred, _HALVES[precision])
        if not result.nodes:
            raise _nothing("convert", f"no node on float32 that has a {precision.label} form", {})
        self.notes.append(f"{len(result.nodes)} nodes are written in {precision.label}.")
        self._note_left(precision, Counter(ops[name] for name in (*result.left, *sorted(barred))))
        if result.clamped:
            self.notes.append(f"{result.clamped} constants beyond the range of {precision.label} were clamped.")
        if result.raised:
            self.notes.append(f"{result.raised} scalars too small for {precision.label} were raised to its smallest.")

    def _tame(self, asked: set[str]) -> None:
        tamed = tame_batchnorm(self.proto, asked)
        if tamed:
            self.notes.append(
                f"{len(tamed)} BatchNormalization had a variance beyond the range of FP16; gamma holds it now."
            )

    def _ops(self) -> dict[str, str]:
        """Operator by node name, of the graph as it is now."""
        return {node.name: node.op_type for node in with_bodies(self.proto.graph.node)}

    def _lift(self) -> None:
        """BF16 came with opset 13. Q/DQ graphs are lifted already."""
        lifted, notes = lift_opset(self.proto)
        if lifted is not self.proto:
            self.proto = lifted
            annotate(self.proto)
            self.notes.extend(notes)

    def _note_left(self, precision: Precision, left: Mapping[str, int]) -> None:
        if left:
            text = ", ".join(f"{count} {reason}" for reason, count in sorted(left.items()))
            self.notes.append(f"Asked to run in {precision.label} but left in float: {text}.")


def _nothing(verb: str, reason: str, left: Mapping[str, int]) -> WorkbenchError:
    details = f" ({', '.join(f'{count} {text}' for text, count in sorted(left.items()))})" if left else ""
    return WorkbenchError(f"Nothing to {verb}: {reason}{details}.", "Build this model in FP32.")
