"""A plan that leaves the writing to another tool: samples go out, a typed ONNX and the plan it amounts to come back."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError
from workbench.core.graph import LayerKind
from workbench.core.model import Model, Shape, TypedModel
from workbench.core.precision import Precision
from workbench.core.words import plural
from workbench.pipeline.files import PLAN_FILE
from workbench.pipeline.record import Record
from workbench.pipeline.samples import NONE, calibration_set
from workbench.precision import write_plan
from workbench.precision.base import copy_with_branches
from workbench.precision.passes.lift_opset import lift_opset
from workbench.precision.quantizers import Adopted, Quantizer, adopt, find_quantizer, run_quantizer
from workbench.precision.rules import explain_plan
from workbench.precision.saving import save_model

OPSET = 17
"""Which the tools are made for; older files are lifted to it."""


def quantized(record: Record, model: Model, shapes: dict[str, Shape], fixed: Feed) -> TypedModel:
    """What the plan's quantizer makes of the model with the calibration set; `plan.toml` beside it says what that is.

    Nodes that rules keep in another precision than its own are left out. Raises WorkbenchError where the tool is not
    here, or gives up.
    """
    plan = record.request.config.plan
    quantizer = find_quantizer(plan.quantizer)
    if plan.default is not quantizer.precision:
        label = quantizer.precision.label
        raise WorkbenchError(
            f"{quantizer.title} writes {label}, and the plan's default is {plan.default.label}.",
            f"Make {label} the default; rules then say what it leaves out.",
        )
    explanation = explain_plan(model, plan)
    base, removed = copy_with_branches(model, shapes, fixed)
    base, notes = lift_opset(base, OPSET)
    excluded = [node for node, precision in explanation.asked.items() if precision is not quantizer.precision]
    samples = _samples(record, quantizer, model, shapes)
    names = {value.name for value in base.graph.input}
    feeds = ({name: values for name, values in feed.items() if name in names} for feed in samples)
    record.progress("plan", text=f"{quantizer.title} is at work")
    with tempfile.TemporaryDirectory(prefix="quantizer-", dir=record.folder) as place:
        made = run_quantizer(quantizer, base, feeds, excluded, Path(place), record.log, record.cancelled)
    adopted = adopt(base, made, quantizer.title)
    write_plan(record.folder / PLAN_FILE, adopted.plan(plan, f"by {quantizer.title}"), model=model)
    compute = [layer.id for layer in model.graph.walk() if layer.kind is LayerKind.COMPUTE]
    return TypedModel(
        model=model,
        path=str(save_model(adopted.proto, record.folder)),
        shapes=dict(shapes),
        asked={node: adopted.precisions.get(node, Precision.FP32).value for node in compute},
        removed=removed | adopted.removed,
        notes=(*explanation.problems, *notes, _sentence(quantizer, adopted, explanation.asked)),
    )


def _samples(record: Record, quantizer: Quantizer, model: Model, shapes: dict[str, Shape]) -> Iterable[Feed]:
    if not quantizer.needs_samples:
        return ()
    if record.request.calibration in ("", NONE):
        raise WorkbenchError(
            f"{quantizer.title} needs a calibration set, and none is given.",
            "Give a folder, .npy, .npz or .csv of typical inputs; `random` is enough to see the speed only.",
        )
    return calibration_set(record.request, model, shapes)


def _sentence(quantizer: Quantizer, adopted: Adopted, asked: Mapping[str, Precision]) -> str:
    """`NNCF INT8 wrote 15 nodes in INT8; the plan it amounts to is kept with the run.`"""
    counts = Counter(adopted.precisions[node] for node in asked if node in adopted.precisions)
    if not counts:
        return f"{quantizer.title} wrote nothing but FP32."
    told = ", ".join(f"{plural(count, 'node')} in {kind.label}" for kind, count in counts.most_common())
    return f"{quantizer.title} wrote {told}; the plan it amounts to is kept with the run."
