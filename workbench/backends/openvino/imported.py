"""A runtime model that OpenVINO wrote elsewhere (`serialize(compiled.get_runtime_model())`, `benchmark_app`'s
`-exec_graph_path`), read by the same mapper as a model compiled here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

import msgspec
import onnx

from workbench.backends._fates import resolve_fates
from workbench.backends._foreign import NO_MODEL, Names
from workbench.backends._names import named_by_nodes
from workbench.backends._typed import TypedGraph
from workbench.backends.openvino.layers import EngineLayers
from workbench.backends.openvino.reading import RESULT
from workbench.backends.openvino.runtime_graph import Op, Value, dtype_name
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Fate, Graph
from workbench.core.model import Model
from workbench.model import private_copy

_BITS = {"f32": 32, "i32": 32, "u32": 32, "f64": 64, "i64": 64, "u64": 64, "f16": 16, "bf16": 16, "i16": 16, "u16": 16}
_MOST_ELEMENTS = 1 << 48


class ExecutedOps(msgspec.Struct, frozen=True):
    """All ops of the file in execution order, and mean ms of those that ran, by name."""

    ops: tuple[Op, ...]
    times_ms: dict[str, float]


def parse_ops(root: Element) -> ExecutedOps:
    """Raises WorkbenchError where edges lead to nowhere or a layer has no execution order."""
    layers = {layer.get("id", ""): layer for layer in root.iterfind("./layers/layer")}
    edges = _edges(root, layers)
    ops = sorted((_op(ident, layer, edges, layers) for ident, layer in layers.items()), key=lambda op: op.order)
    times = {layer.get("name", ""): time for layer in layers.values() if (time := _time(layer)) is not None}
    return ExecutedOps(tuple(ops), times)


def imported_engine(found: ExecutedOps, model: Model | None) -> tuple[Graph, dict[str, Fate], dict[str, float]]:
    """Graph, fates, and ms by layer id. The names of original layers lead to nodes, or to the tensors they make."""
    names = Names(model or NO_MODEL)
    typed = TypedGraph(private_copy(model) if model else onnx.ModelProto())
    results = iter(range(len(typed.graph.outputs)))
    ops = [_renamed(op, names, results) for op in found.ops]
    layers = EngineLayers(ops, typed)
    absorbed = dict.fromkeys(layers.views, "absorbed")
    done, fates = resolve_fates(model or NO_MODEL, layers.layers, absorbed)
    times = {layer.id: found.times_ms[layer.name] for layer in layers.layers if layer.name in found.times_ms}
    done = named_by_nodes(model, done) if model else done
    return msgspec.structs.replace(typed.graph, layers=done, tensors=layers.tensors, subgraphs={}), fates, times


def _renamed(op: Op, names: Names, results: Iterator[int]) -> Op:
    """Its origin in ids; the i-th output of the runtime model is that of the file."""
    if op.kind == "Output":
        index = next(results, None)
        return op._replace(origin=f"{RESULT}{index}" if index is not None else "")
    origin = [names.find(name) or names.maker(name) for name in op.origin.split(",")]
    return op._replace(origin=",".join(dict.fromkeys(filter(None, origin))))


def _edges(root: Element, layers: Mapping[str, Element]) -> dict[tuple[str, str], tuple[str, str]]:
    """(layer, port) that reads -> (layer, port) that gives."""
    edges = {}
    for edge in root.iterfind("./edges/edge"):
        start, end = edge.get("from-layer", ""), edge.get("to-layer", "")
        if start not in layers or end not in layers:
            raise WorkbenchError("This OpenVINO graph has an edge to a layer that is not there.", "Write it again.")
        edges[end, edge.get("to-port", "")] = start, edge.get("from-port", "")
    return edges


def _op(
    ident: str, layer: Element, edges: Mapping[tuple[str, str], tuple[str, str]], layers: Mapping[str, Element]
) -> Op:
    data = layer.find("data")
    info = dict(data.attrib) if data is not None else {}
    order = info.get("execOrder", "")
    if not (order.isascii() and order.isdecimal() and len(order) < 10):
        raise WorkbenchError(
            "This OpenVINO file tells no execution order: it is a model, not a runtime model.",
            "Write compiled.get_runtime_model() of it with openvino.serialize.",
        )
    layouts = info.get("outputLayouts", "").split(",")
    types = info.get("outputPrecisions", "").split(",")
    ports = layer.findall("./output/port")
    sources = [edges[key] for port in layer.findall("./input/port") if (key := (ident, port.get("id", ""))) in edges]
    return Op(
        name=layer.get("name", ""),
        kind=layer.get("type", ""),
        inputs=tuple((layers[source].get("name", ""), _index(layers[source], port)) for source, port in sources),
        values=tuple(_value(port, _at(types, index), _at(layouts, index)) for index, port in enumerate(ports)),
        origin=info.get("originalLayersNames", ""),
        ran=info.get("runtimePrecision", ""),
        kernel=info.get("primitiveType", ""),
        order=int(order),
    )


def _index(layer: Element, port: str) -> int:
    ids = [entry.get("id", "") for entry in layer.findall("./output/port")]
    if port not in ids:
        raise WorkbenchError("This OpenVINO graph has an edge from a port that is not there.", "Write it again.")
    return ids.index(port)


def _value(port: Element, dtype: str, layout: str) -> Value:
    dims: list[int | str] = []
    for dim in port.iterfind("dim"):
        text = (dim.text or "").strip()
        dims.append(int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else "?")
    count = 1
    for size in dims:
        count *= size if isinstance(size, int) else 0
    dtype = (dtype or port.get("precision", "")).lower()
    size_bytes = count * _BITS.get(dtype, 8) // 8 if count < _MOST_ELEMENTS else 0
    return Value(dtype_name(dtype) if dtype else "", tuple(dims), size_bytes, layout)


def _at(words: list[str], index: int) -> str:
    return words[index] if index < len(words) else ""


def _time(layer: Element) -> float | None:
    """Milliseconds; None of what did not run."""
    data = layer.find("data")
    text = data.get("execTimeMcs", "") if data is not None else ""
    return int(text) / 1000 if text.isascii() and text.isdecimal() and len(text) < 13 else None
