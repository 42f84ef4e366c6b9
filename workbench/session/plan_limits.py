"""What a backend will not run as asked, as far as it is known before a build: from its capabilities and its dialect."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.dialect import How
from workbench.core.graph import LayerKind
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.session.questions import BackendInfo


def limits(model: Model, asked: Mapping[str, Precision], info: BackendInfo) -> dict[str, str]:
    """Node id -> why it will not run in what is asked. Nodes that compute nothing are left out."""
    refused = {precision: refusal(precision, info) for precision in set(asked.values())}
    found = {}
    for layer in model.graph.walk():
        if layer.kind is LayerKind.COMPUTE:
            precision = asked[layer.id]
            reason = refused[precision] or kept_float(layer.op, precision, info)
            if reason:
                found[layer.id] = reason
    return found


def refusal(precision: Precision, info: BackendInfo) -> str:
    """Why this backend has no such precision here; empty: it has."""
    if reason := info.precisions.get(precision, ""):
        return reason
    if info.dialect is not None and info.dialect.how.get(precision) is How.NONE:
        return f"{info.title} does not take {precision.label}."
    return ""


def kept_float(op: str, precision: Precision, info: BackendInfo) -> str:
    """Why a node of this operator stays in FP32 although it is asked in `precision`; empty: it does not."""
    if info.dialect is None or op not in info.dialect.float_ops.get(precision, ()):
        return ""
    return f"{op} stays in FP32: {info.title} has no {precision.label} kernel for it."
