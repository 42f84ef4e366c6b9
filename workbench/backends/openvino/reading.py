"""Reading a typed ONNX file so that every layer of the compiled model can say which nodes it came from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workbench.backends._typed import TypedGraph
from workbench.backends.openvino.faults import strings_problem
from workbench.backends.openvino.package import core
from workbench.backends.openvino.problems import explain
from workbench.core.errors import WorkbenchError
from workbench.core.profile import OptimizationProfile

ORIGIN = "originalLayersNames"


def read(path: str, typed: TypedGraph) -> Any:
    """The `ov.Model`, each op tagged with the name of its node. Raises WorkbenchError with op and reason."""
    if (strings := strings_problem(typed.graph)) is not None:
        raise strings.error()
    try:
        model = core().read_model(path)
    except RuntimeError as error:
        raise explain(str(error), typed.graph).error() from error
    if not model.outputs:
        raise WorkbenchError("OpenVINO sees no outputs in this model.", "Export the model again.")
    _tag(model, typed)
    return model


def bounded(model: Any, profiles: Sequence[OptimizationProfile]) -> Any:
    """`model` with free dimensions between the smallest and the largest of all profiles; untouched without one."""
    from openvino import Dimension, PartialShape

    ranges: dict[int, Any] = {}
    for index, port in enumerate(model.inputs if profiles else ()):
        known = [profile for profile in profiles if port.get_any_name() in profile.min]
        shapes = [side[port.get_any_name()] for profile in known for side in profile.sides]
        if shapes and port.partial_shape.is_dynamic:
            ends = zip(*shapes, strict=True)
            ranges[index] = PartialShape([Dimension(min(sizes), max(sizes)) for sizes in ends])
    if ranges:
        model.reshape(ranges)
    return model


def _tag(model: Any, typed: TypedGraph) -> None:
    """Writes each op's node name where the CPU plugin starts from.

    It joins these strings with commas when it fuses, and they survive rewrites that lose friendly names
    (Conv + BatchNormalization keeps only one of the two). Outputs are told apart by their index.
    """
    outputs = set(typed.graph.outputs) - set(typed.graph.inputs)
    for op in model.get_ordered_ops():
        if op.get_type_name() != "Constant":
            owner = _owner(op, typed, outputs)
            op.get_rt_info()[ORIGIN] = owner or op.get_friendly_name().replace(",", " ")
            if op.get_friendly_name() in outputs:  # some rewrites start again from this name, commas and all
                op.set_friendly_name(f"{owner}/output")
    for index, result in enumerate(model.get_results()):
        result.get_rt_info()[ORIGIN] = f"{RESULT}{index}"


RESULT = "result:"


def _owner(op: Any, typed: TypedGraph, outputs: set[str]) -> str:
    """The node an op was made from.

    OpenVINO names an op like its node, or like the tensor where that is an output of the graph, and ops of a
    decomposition `name/part`; else the ONNX names of its tensors tell. They also decide where the user's name of an
    output is the id of another node.
    """
    tensors = sorted(name for output in op.outputs() for name in output.get_names())
    for name in _stems(op.get_friendly_name()):
        is_node = name in typed.names
        if name in outputs and name in typed.maker and (name in tensors or not is_node):
            return typed.maker[name]
        if is_node:
            return name
    return next((typed.maker[name] for name in tensors if name in typed.maker), "")


def _stems(name: str) -> Iterator[str]:
    """`a/b/c`, `a/b`, `a`."""
    while name:
        yield name
        name = name.rpartition("/")[0]
