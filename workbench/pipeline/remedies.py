"""What would help where no fix of ours does: what to change in the model, by the operator or by the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from workbench.core.model import Model
from workbench.core.verdict import Remedy, Verdict

_TREES = (
    "Trees are no tensor arithmetic: keep them on the CPU with ONNX Runtime, or convert them to products of matrices"
    " (Hummingbird) before the export."
)
_SEQUENCES = "Sequences are no tensors: export with Concat, Split and Loop over tensors instead."
_CUSTOM = "It is no operator of ONNX's own: it takes a plugin of that name, or an export without it."
_CONSTANT = "Make that input of the node a constant of the model (an initializer)."
_BY_OP = {
    "NonZero": "How much NonZero gives hangs on values. Where its indices only pick or mask, write Where, a product"
    " with the mask, or TopK with a fixed count instead.",
    "NonMaxSuppression": "End the exported model before NonMaxSuppression, and suppress outside of it.",
    "TreeEnsemble": _TREES,
    "TreeEnsembleClassifier": _TREES,
    "TreeEnsembleRegressor": _TREES,
    "Scaler": "Scaler is (x - offset) * scale: write it as Sub and Mul.",
    "Unique": "How much Unique gives hangs on values: do it outside of the model.",
    "BitShift": "Write a shift as a product with a power of two.",
    "Det": "Write the determinant as products, or compute it outside of the model.",
    "STFT": "Write the transform as a Conv with constant sine and cosine weights.",
    "DFT": "Write the transform as a MatMul with constant sine and cosine weights.",
}
_BY_REASON = {
    "Non-zero zero point": "Quantize symmetrically: int8 with a zero point of 0 (with ONNX Runtime: ActivationSymmetric"
    " and WeightSymmetric), or start from the FP32 model and let the plan quantize it.",
    "input has type Int32 but must have type": "Leave biases in float (with ONNX Runtime: QuantizeBias=False), or start"
    " from the FP32 model and let the plan quantize it.",
    "must have same input types": "Two floating-point types meet: cast one of them, or export the model in one type.",
    "must resolve to a build-time constant": _CONSTANT,
    "is not a constant": _CONSTANT,
    "must be an initializer": _CONSTANT,
    "decide shapes": "Make that input a constant of the model (an initializer).",
    "Node input was not registered": "Give a Loop its condition as an input: a constant true.",
    "does not take sequence": _SEQUENCES,
    "does not take string": "Turn text into numbers outside of the model.",
    "does not take int16": "Export it with int32 instead.",
    "does not take uint16": "Export it with int32 instead.",
    "does not take uint32": "Export it with int64 instead.",
    "does not take uint64": "Export it with int64 instead.",
}


def remedies_for(model: Model, verdict: Verdict) -> tuple[Remedy, ...]:
    """Advice in words for refused nodes, one for all nodes that it helps; nothing where nothing is known."""
    nodes = {layer.id: layer.op for layer in model.graph.walk()}
    found: dict[str, list[str]] = defaultdict(list)
    for node, reason in verdict.nodes.items():
        for text in _advice(nodes.get(node, ""), reason):
            found[text].append(node)
    for text in _by_reason(verdict.reason) if not verdict.nodes else ():
        found[text] = []
    return tuple(Remedy(text, tuple(named)) for text, named in found.items())


def _advice(op: str, reason: str) -> Iterator[str]:
    plain = op.rpartition(".")[2]
    if plain in _BY_OP:
        yield _BY_OP[plain]
    elif "Sequence" in plain:
        yield _SEQUENCES
    elif "." in op and not op.startswith("ai.onnx"):
        yield _CUSTOM
    else:
        yield from _by_reason(reason)


def _by_reason(reason: str) -> Iterator[str]:
    yield from (text for part, text in _BY_REASON.items() if part in reason)
