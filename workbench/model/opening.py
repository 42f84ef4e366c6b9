"""open_model: from a path to the frozen Model, through the gate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import onnx

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.model import Model, Shape, TensorSpec
from workbench.model.dtypes import dtype_name
from workbench.model.external import fingerprint
from workbench.model.folding import shape_conflict
from workbench.model.functions import Functions
from workbench.model.graph import build_graph
from workbench.model.guard import read_model
from workbench.model.inference import type_of, typed, types_by_graph
from workbench.model.shapes import guess_shapes, picture_sizes
from workbench.model.sorting import execution_order, is_sorted
from workbench.model.walk import graphs
from workbench.model.weights import Weights, weigh

_MOST_NODES_TRIED = 10_000


def open_model(path: str | Path) -> Model:
    """Opens an ONNX file that nobody vouches for.

    Whatever ONNX Runtime opens is opened; findings of the onnx checker and of shape inference are warnings. Every
    input gets a guessed shape. Raises WorkbenchError, and nothing else, for what cannot be opened or is not safe.
    """
    path = Path(path).expanduser().absolute()
    proto, data, files = read_model(path)
    unsorted = not all(is_sorted(execution_order(graph)) for graph in graphs(proto.graph))
    light, finding, problem = typed(proto, path.parent)
    weights = weigh(proto)
    inputs, outputs = _specs(proto.graph)
    shapes, conflict = _working_shapes(light, inputs)
    if not outputs:
        raise WorkbenchError(f"{path.name} has no outputs: there is nothing to compute.", "Export the model again.")
    return Model(
        path=str(path),
        graph=build_graph(proto.graph, types_by_graph(light), Functions(proto)),
        opset=_opset(proto),
        ir_version=proto.ir_version,
        producer=one_line(f"{proto.producer_name} {proto.producer_version}", 100),
        size_bytes=len(data) + sum(files.values()),
        weights_bytes=weights.size_bytes,
        parameters=weights.parameters,
        sha256=fingerprint(data, path.parent, files),
        inputs=inputs,
        outputs=outputs,
        shapes=shapes,
        metadata={_text(entry.key): _text(entry.value) for entry in proto.metadata_props},
        warnings=tuple(_warnings(proto, inputs, weights, unsorted, finding, problem or conflict)),
    )


def _working_shapes(light: onnx.ModelProto, inputs: tuple[TensorSpec, ...]) -> tuple[dict[str, Shape], str]:
    """The guess, or where inference shows that it cannot work a common picture size that can; why, if none can."""
    guess = guess_shapes(inputs)
    if not any(spec.is_dynamic for spec in inputs) or len(light.graph.node) > _MOST_NODES_TRIED:
        return guess, ""
    node, why = shape_conflict(light, guess)
    if not node:
        return guess, ""
    for shapes in picture_sizes(inputs, guess):
        if not shape_conflict(light, shapes)[0]:
            return shapes, ""
    return guess, f"at the guessed input shapes node {node} cannot work: {why}"


def _text(value: str | bytes) -> str:
    """Protobuf gives what is not UTF-8 as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _opset(proto: onnx.ModelProto) -> int:
    return next((o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")), 0)


def _specs(graph: onnx.GraphProto) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    """Inputs that are not weights, and outputs. Free dimensions without a name are `?0`, `?1` ... all different."""
    weights = {tensor.name for tensor in graph.initializer}
    weights |= {sparse.values.name for sparse in graph.sparse_initializer}
    values = [*(v for v in graph.input if v.name not in weights), *graph.output]
    count = 0
    specs = []
    for value in values:
        elem_type, shape = type_of(value)
        dims: list[int | str] = []
        for dim in shape or ():
            dims.append(f"?{count}" if dim == "?" else dim)
            count += dim == "?"
        specs.append(TensorSpec(value.name, _dtype(value, elem_type), tuple(dims)))
    split = len(values) - len(graph.output)
    return tuple(specs[:split]), tuple(specs[split:])


def _dtype(value: onnx.ValueInfoProto, elem_type: int) -> str:
    """numpy's name; `sequence`, `map`, `optional` for what is not a tensor."""
    return dtype_name(elem_type) or str(value.type.WhichOneof("value") or "").removesuffix("_type")


def _warnings(
    proto: onnx.ModelProto,
    inputs: Iterable[TensorSpec],
    weights: Weights,
    unsorted: bool,
    finding: str,
    problem: str,
) -> Iterable[str]:
    """Findings that stop nothing, worst first."""
    if weights.not_finite:
        names = ", ".join(map(repr, weights.not_finite[:3]))
        yield one_line(f"{len(weights.not_finite)} weights hold NaN or infinite values: {names}.")
    if unsorted:
        yield "The nodes of the file are not in the order of execution; they were sorted."
    if finding:
        yield f"The onnx checker finds: {finding}"
    if problem:
        yield f"Shapes could not all be inferred: {problem}"
    for spec in inputs:
        if spec.dtype in ("sequence", "map", "optional", "sparse_tensor", ""):
            yield one_line(f"The input {spec.name!r} is not a tensor ({spec.dtype or 'no type'}); no sample fits it.")
    for value in proto.graph.input:
        if type_of(value)[0] and type_of(value)[1] is None:
            yield one_line(f"The input {value.name!r} declares no shape; it is taken for a single value.")
    functions = Functions(proto)
    for function in proto.functions:
        if not functions.fits(function):
            yield one_line(
                f"The function {function.name!r} is of another opset than the model; engines get its calls whole."
            )
