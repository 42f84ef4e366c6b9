"""What a backend will not run as asked, as far as that is known before a build: by its capabilities and dialect."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.dialect import Dialect, How
from workbench.core.graph import Layer, LayerKind
from workbench.core.model import Model
from workbench.core.precision import Precision, Rule
from workbench.precision.passes.quantize import OPS
from workbench.precision.rules import Explanation

_BLOCKWISE = ("MatMul", "Gemm")
_WRITTEN_FOR = {
    Precision.INT8: OPS,
    Precision.FP8: OPS,
    Precision.INT8_WEIGHTS: OPS,
    Precision.INT4_WEIGHTS: _BLOCKWISE,
    Precision.FP4_WEIGHTS: _BLOCKWISE,
}
"""Operators that a precision with ranges or stored weights is written for; what is between them stays in float."""


def limits(
    model: Model,
    explanation: Explanation,
    title: str,
    precisions: Mapping[Precision, str],
    dialect: Dialect | None,
) -> dict[str, str]:
    """Node id -> why it will not run in what is asked of it. Nodes that compute nothing are left out.

    `title` is what people call the backend, `precisions` its own reasons (`Capabilities.precisions`).
    """
    asked = explanation.asked
    refused = {precision: refusal(precision, title, precisions, dialect) for precision in set(asked.values())}
    found = {}
    for layer in model.graph.walk():
        precision = asked[layer.id]
        reason = refused[precision] or _kept_float(layer.op, precision, title, dialect)
        if not reason and layer.op not in _WRITTEN_FOR.get(precision, (layer.op,)):
            reason = _not_written(layer, precision, explanation)
        if reason and layer.kind is LayerKind.COMPUTE:
            found[layer.id] = reason
    return found


def refusal(precision: Precision, title: str, precisions: Mapping[Precision, str], dialect: Dialect | None) -> str:
    """Why the backend has no such precision here; empty: it has."""
    if reason := precisions.get(precision, ""):
        return reason
    is_none = dialect is not None and dialect.how.get(precision) is How.NONE
    return f"{title} does not take {precision.label}." if is_none else ""


def _kept_float(op: str, precision: Precision, title: str, dialect: Dialect | None) -> str:
    """Why a node of this operator stays in FP32 although something else is asked; empty: it does not."""
    if dialect is None or op not in dialect.float_ops.get(precision, ()):
        return ""
    return f"{op} stays in FP32: {title} has no {precision.label} kernel for it."


def _not_written(layer: Layer, precision: Precision, explanation: Explanation) -> str:
    """Where a rule asks for just this node or operator. That others between quantized layers stay float is no news."""
    rule = explanation.why(layer.id).rule
    if rule is None or not _names(explanation.plan.rules[rule]):
        return ""
    ops = _WRITTEN_FOR[precision]
    return f"{layer.op} stays in float: {precision.label} is for {', '.join(ops[:-1])} and {ops[-1]}."


def _names(rule: Rule) -> bool:
    return bool(rule.nodes or rule.op)
