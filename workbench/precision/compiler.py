"""A precision plan compiled into ONNX: the one place where passes are put in order.

Order: clean-up, Q/DQ (INT8, FP8), stored weights, rounding, half types, casts merged. A plan that asks nothing of the
graph, FP32 or a precision the backend has only as an execution hint, gives the private copy untouched, so that the
engine's own fusions are seen; cleaned where the plan says so.

What is quantized still has a float side: what its DequantizeLinear gives, what moves this to it, its bias, its result.
That is the plan's default where this is FP16 or BF16 written into the graph and the dialect takes half scales; else
FP32, with what stands between quantized nodes only (`islands`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
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
from workbench.precision.base import (
    NO_INPUTS,
    BaseGraphs,
    Fixed,
    NothingWrittenError,
    base_graph,
    copy_with_branches,
    instead,
)
from workbench.precision.cleaning import CASTS, LIFT, Cleaned, check_skip
from workbench.precision.editor import GraphEditor
from workbench.precision.noting import branches_note, ends_note, nodes, some
from workbench.precision.observations import Observations
from workbench.precision.passes.dequantize_constants import dequantize_constants
from workbench.precision.passes.halve import BF16, FP16, Half, halve
from workbench.precision.passes.islands import islands
from workbench.precision.passes.lift_opset import PER_CHANNEL_OPSET, lift_opset
from workbench.precision.passes.merge_moves import merge_casts
from workbench.precision.passes.quantize import FP8_OPSET, Quantized, Wish, observed_tensors, quantize
from workbench.precision.passes.round_bf16 import round_bf16
from workbench.precision.passes.round_fp8 import round_fp8
from workbench.precision.passes.tame_batchnorm import LARGEST, tame_batchnorm
from workbench.precision.passes.weight_only import BLOCKS, OPSETS, store_weights
from workbench.precision.rules import explain_plan
from workbench.precision.saving import save_model

_FLOAT32 = (Precision.FP32, Precision.TF32)
_RANGED = (Precision.INT8, Precision.FP8)
_WEIGHTS = (Precision.INT8_WEIGHTS, Precision.INT4_WEIGHTS, Precision.FP4_WEIGHTS)
_QUANTIZED = (*_RANGED, *_WEIGHTS)
_HALVES: dict[Precision, Half] = {Precision.FP16: FP16, Precision.BF16: BF16}
_OPSETS = {**OPSETS, Precision.FP8: FP8_OPSET, Precision.BF16: 22}
"""The opset in which what is written is defined: BF16 came to Conv and pooling with 22."""
_HALF_SCALES_OPSET = 19


def compile_plan(
    model: Model,
    plan: PrecisionPlan,
    dialect: Dialect,
    shapes: Mapping[str, Shape],
    folder: Path,
    observations: Observations | None,
    fixed: Fixed = NO_INPUTS,
    bases: BaseGraphs | None = None,
) -> TypedModel:
    """Writes `folder/typed.onnx` and says what it holds. The same arguments give the same bytes.

    `fixed` are values of inputs that never change: the Ifs they decide are replaced by the branch that is taken.

    `bases`, of the same model, shapes and fixed inputs, spare many plans the clean-up of each.

    `observations` are needed where the plan has INT8 or FP8, and tell FP16 what it cannot hold. Raises WorkbenchError
    where the backend has no such precision, where calibration is missing, or where nothing in the model can take what
    is asked.
    """
    explanation = explain_plan(model, plan)
    asked = explanation.asked
    _refuse(asked, plan, dialect)
    compilation = _Compilation(model, plan, dialect, dict(shapes), asked, fixed, bases)
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
        notes=(*explanation.problems, *compilation.notes),
        cleanup=compilation.cleanup,
    )


def _refuse(asked: Mapping[str, Precision], plan: PrecisionPlan, dialect: Dialect) -> None:
    check_skip(plan.skip)
    if plan.block not in BLOCKS:
        raise WorkbenchError(
            f"The plan wants blocks of {plan.block} weights.", f"Choose from: {', '.join(map(str, BLOCKS))}."
        )
    for precision in sorted(set(asked.values())):
        if dialect.how.get(precision, How.GRAPH if precision in _FLOAT32 else How.NONE) is How.NONE:
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
        bases: BaseGraphs | None = None,
    ) -> None:
        self._model, self._plan, self._dialect, self._shapes, self._asked = model, plan, dialect, shapes, asked
        self._fixed, self._bases = fixed, bases
        self._present = set(asked.values())
        self._seen: Observations | None = None
        self.removed: dict[str, str] = {}
        self.cleanup: dict[str, int] = {}
        self.notes: list[str] = []
        self.hint = Precision.FP32
        self._moves: set[str] = set()  # nodes that move 8-bit values for quantized ones
        self._ends: list[str] = []  # "x is FP16": inputs and outputs whose type has changed
        self.proto: ModelProto

    def run(self, observations: Observations | None) -> None:
        self._seen = observations
        self.hint = self._choose_hint()
        written = [p for p in Precision if p in self._present - {*_FLOAT32} and self._how(p) is not How.HINT]
        self._make_base(written)
        if note := branches_note(self._model, self.removed, self._fixed):
            self.notes.append(note)
        for precision in (p for p in _RANGED if p in written):
            self._write_ranged(precision)
        for precision in (p for p in _WEIGHTS if p in written):
            self._write_weights(precision)
        if self._dialect.int8_needs_dq:
            self.removed |= dequantize_constants(self.proto)
        for precision in (p for p in (Precision.BF16, Precision.FP16) if p in written):
            (self._write_rounded if self._how(precision) is How.ROUNDED else self._write_half)(precision)
        if not self._plan.keep_io:
            self.notes.append(ends_note(self._ends))
        if written and CASTS.name not in self._plan.skip:
            self._count(CASTS.name, merge_casts(self.proto))

    def _make_base(self, written: Collection[Precision]) -> None:
        """The clean graph, at the opset that what is to be written needs; untouched where that is nothing."""
        if not written and not self._plan.clean:
            self.proto, self.removed = copy_with_branches(self._model, self._shapes, self._fixed)
            return
        quantizing = any(precision in _QUANTIZED for precision in written)
        base = self._base(quantizing=quantizing)
        self.proto, self.removed, self.cleanup = base.proto, dict(base.removed), dict(base.counts)
        self.notes.extend(base.notes)
        self._lift(max((self._least_opset(precision) for precision in written), default=0))

    def _base(self, *, quantizing: bool) -> Cleaned:
        if self._bases is not None:
            return self._bases(self._plan.skip, quantizing=quantizing)
        return base_graph(self._model, self._shapes, self._fixed, self._plan.skip, quantizing=quantizing)

    def _least_opset(self, precision: Precision) -> int:
        needed = _OPSETS.get(precision, PER_CHANNEL_OPSET)
        if precision is Precision.BF16 and self._how(precision) is How.ROUNDED:
            needed = PER_CHANNEL_OPSET
        mixed = precision in _QUANTIZED and self._half_around() is not None
        return max(needed, _HALF_SCALES_OPSET) if mixed else needed

    def _lift(self, least: int) -> None:
        if LIFT.name in self._plan.skip:
            return
        lifted, notes = lift_opset(self.proto, least)
        if lifted is not self.proto:
            self.proto = lifted
            annotate(self.proto)
            self._count(LIFT.name, 1)
        self.notes.extend(note for note in notes if note not in self.notes)

    def _count(self, name: str, count: int) -> None:
        if count:
            self.cleanup[name] = self.cleanup.get(name, 0) + count

    def _half_around(self) -> Precision | None:
        """The half type that quantized nodes have around them; None: float32."""
        default = self._plan.default
        is_written = default in _HALVES and self._how(default) is How.GRAPH
        return default if is_written and self._dialect.half_scales else None

    def _how(self, precision: Precision) -> How:
        return self._dialect.how.get(precision, How.GRAPH)

    def _named(self, *precisions: Precision) -> set[str]:
        """Nodes of the graph as it is now, bodies too, whose (first) source is asked one of these; added ones left
        out."""
        found = set()
        for name in self._ops():
            sources = sources_of(name)
            if sources and ":" not in name and self._asked.get(sources[0]) in precisions:
                found.add(name)
        return found

    def _choose_hint(self) -> Precision:
        """A hint is for the whole model: the default's, or with INT8 as the default the one that rules ask for."""
        hinted = sorted(p for p in self._present if p not in _FLOAT32 and self._how(p) is How.HINT)
        if self._plan.default in hinted:
            chosen = self._plan.default
        elif self._plan.default in _QUANTIZED and len(hinted) == 1:
            chosen = hinted[0]
        else:
            chosen = Precision.FP32
        others = Counter(p for p in self._asked.values() if p is not chosen and p in {*hinted, *_FLOAT32})
        for precision, count in sorted(others.items()):
            if chosen is not Precision.FP32 or precision in hinted:
                self.notes.append(
                    f"{nodes(count)} asked to run in {precision.label} {'runs' if count == 1 else 'run'} "
                    f"in {chosen.label}: "
                    f"{self._dialect.name} has {(precision if precision in hinted else chosen).label} "
                    "only for the whole model."
                )
        return chosen

    def _wish(self, precision: Precision) -> Wish:
        around = self._half_around()
        return Wish(precision) if around is None else Wish(precision, _HALVES[around].dtype)

    def _write_ranged(self, precision: Precision) -> None:
        able = "no Conv, MatMul or Gemm on float32"
        if not observed_tensors(self.proto):
            raise self._nothing("quantize", f"{able} outside If, Loop and Scan", {})
        if self._seen is None:
            raise WorkbenchError(
                f"{precision.label} needs ranges, and nothing was calibrated.", "Choose a calibration set."
            )
        asked = self._named(precision)
        if self._how(precision) is How.ROUNDED:
            result, verb = round_fp8(self.proto, asked, self._seen), "rounded to"
        else:
            wish = self._wish(precision)
            result = quantize(self.proto, asked, self._seen, self._plan.calibration, self._dialect, wish)
            verb = "written in"
        self._moves.update(result.moves)
        self.removed |= result.removed
        self._conclude(precision, result, f"{able} that was asked to run in {precision.label}", "quantize")
        count = len(result.nodes)
        self.notes.append(f"{count} Conv, MatMul and Gemm are {verb} {precision.label}; the rest stays in float.")
        if self._how(precision) is How.ROUNDED:
            self.notes.append(f"The arithmetic stays FP32: {self._dialect.name} has no {precision.label} kernels here.")
        self.notes.extend(note for note in self._seen.notes if note not in self.notes)

    def _write_weights(self, precision: Precision) -> None:
        asked, wish, own = self._named(precision), self._wish(precision), self._dialect.own_weights
        result = store_weights(self.proto, asked, wish, self._plan.block, own=own)
        able = "no MatMul or Gemm" if precision is not Precision.INT8_WEIGHTS else "no Conv, MatMul or Gemm"
        self._conclude(precision, result, f"{able} with constant float32 weights", "store")
        self.notes.append(
            f"The weights of {nodes(len(result.nodes))} are stored as {precision.label}: the model is smaller; "
            "that it is faster is not promised."
        )

    def _nothing(self, verb: str, reason: str, left: Mapping[str, int], otherwise: str = "") -> NothingWrittenError:
        details = f" ({', '.join(f'{count} {text}' for text, count in sorted(left.items()))})" if left else ""
        return NothingWrittenError(f"Nothing to {verb}: {reason}{details}.", instead(self._model, otherwise))

    def _conclude(self, precision: Precision, result: Quantized, reason: str, verb: str) -> None:
        """Raises where the plan's default could not be written anywhere; else says what was left out."""
        if not result.nodes and self._plan.default is precision:
            small = precision in (Precision.INT4_WEIGHTS, Precision.FP4_WEIGHTS)
            raise self._nothing(verb, reason, result.left, "INT8 weights, which Conv has too" if small else "")
        self._note_left(precision, result.left)

    def _write_rounded(self, precision: Precision) -> None:
        rounded = round_bf16(self.proto, self._named(precision)) if precision is Precision.BF16 else []
        if not rounded:
            raise self._nothing("round", "no Conv, MatMul, Gemm, LSTM, GRU or RNN on float32", {})
        self.notes.append(
            f"The operands of {nodes(len(rounded))} are rounded to {precision.label}; the arithmetic stays FP32, "
            f"for {self._dialect.name} has no {precision.label} kernels here."
        )

    def _write_half(self, precision: Precision) -> None:
        asked, ops = self._named(precision), self._ops()
        if precision is Precision.FP16:
            asked -= self._overflowing(asked)
            self._tame(asked)
        if self._present.intersection(_QUANTIZED):
            annotate(self.proto)  # what reads a DequantizeLinear that is new is asked too
        asked -= self._moves
        if self._plan.default is precision and not self._dialect.half_scales:
            asked -= self._between_quantized(precision, asked)
        if self._half_around() is precision and self._present.intersection(_QUANTIZED):
            asked |= self._named(*_QUANTIZED) | self._moves | {name for name in ops if _is_qdq(ops[name], name)}
        barred = {name for name in asked if ops[name] in self._dialect.float_ops.get(precision, ())}
        result = halve(self.proto, asked - barred, _HALVES[precision], keep_io=self._plan.keep_io)
        self._ends += [f"{name} is {precision.label}" for name in result.ends]
        own = [name for name in result.nodes if name in self._named(precision)]
        if not own:
            raise self._nothing("convert", f"no node on float32 that has a {precision.label} form", {})
        self.notes.append(f"{nodes(len(own), 'are')} written in {precision.label}.")
        if precision is Precision.FP16 and self._seen is None:
            self.notes.append("Whether values overflow FP16 is not known: nothing was calibrated.")
        left = [name for name in result.left if ":" not in name]
        self._note_left(precision, Counter(ops[name] for name in (*left, *sorted(barred))))
        if result.clamped:
            self.notes.append(f"{result.clamped} constants beyond the range of {precision.label} were clamped.")
        if result.raised:
            self.notes.append(f"{result.raised} scalars too small for {precision.label} were raised to its smallest.")

    def _between_quantized(self, precision: Precision, asked: Collection[str]) -> set[str]:
        """The default's nodes that stay in float32 with the quantized ones around them."""
        found = islands(GraphEditor(self.proto), asked, self._named(*_RANGED))
        if found:
            self.notes.append(
                f"{nodes(len(found))} between quantized ones left in FP32, not {precision.label}: "
                f"casts would keep {self._dialect.name} from fusing them."
            )
        return found

    def _overflowing(self, asked: Collection[str]) -> set[str]:
        """Nodes that read or make what FP16 cannot hold, as calibration saw it."""
        if self._seen is None:
            return set()
        tensors = {name for node in with_bodies(self.proto.graph.node) for name in (*node.input, *node.output)}
        wide = {name for name in tensors if (self._seen.amax(name) or 0.0) > LARGEST}
        found = [
            node.name
            for node in with_bodies(self.proto.graph.node)
            if node.name in asked and wide.intersection((*node.input, *node.output))
        ]
        if found:
            ops = self._ops()
            named = some([f"{name} {ops[name]}" for name in found])
            self.notes.append(f"{nodes(len(found), 'stay')} in FP32, for calibration saw values beyond 65504: {named}.")
        return set(found)

    def _tame(self, asked: set[str]) -> None:
        tamed = tame_batchnorm(self.proto, asked)
        if tamed:
            self.notes.append(
                f"{len(tamed)} BatchNormalization had a variance beyond the range of FP16; gamma holds it now."
            )

    def _ops(self) -> dict[str, str]:
        """Operator by node name, of the graph as it is now."""
        return {node.name: node.op_type for node in with_bodies(self.proto.graph.node)}

    def _note_left(self, precision: Precision, left: Mapping[str, int]) -> None:
        if left:
            text = ", ".join(f"{count} {reason}" for reason, count in sorted(left.items()))
            self.notes.append(f"Asked to run in {precision.label} but left in float: {text}.")


def _is_qdq(op: str, name: str) -> bool:
    """A node that was added with Q/DQ."""
    return op in ("QuantizeLinear", "DequantizeLinear") and ":" in name
