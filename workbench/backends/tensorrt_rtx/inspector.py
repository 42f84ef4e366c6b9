"""What TensorRT's engine inspector says, as JSON, brought into the form of the log's `Layers:` block.

`trtexec --exportLayerInfo=FILE` and `EngineInspector.get_engine_information(LayerInformationFormat.JSON)` write the
same document: `{"Layers": [...], "Bindings": [...]}` up to TensorRT 10, `"I/O Tensors"` in the place of `"Bindings"`
in 11 and TensorRT for RTX. A layer is an object with the profiling verbosity DETAILED, else a mere string, its name.
Source: NVIDIA's developer guide, "Engine Inspector", and the samples of trt-engine-explorer (TensorRT 8.x to 10.16).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.backends.tensorrt_rtx.dtypes import type_and_format
from workbench.backends.tensorrt_rtx.layers import Block, EngineLayer, EngineTensor, ends, metadata_nodes

COPY = "Reformatting CopyNode for "
_FOREIGN = re.compile(r"\{ForeignNode\[(.*?)\.\.\.(.*)\]\}$", re.S)
_MOST_ELEMENTS = 1 << 48
_NAME_TYPES = (
    (re.compile(re.escape(COPY)), "Reformat"),
    (re.compile(r"\[trainStation\d*\]$", re.I), "TrainStation"),
    (re.compile(r".*\[DevicetoShapeHostCopy\]$", re.I | re.S), "DeviceToShapeHost"),
    (re.compile(r".*\[ShapeHosttoDeviceCopy\]$", re.I | re.S), "ShapeHostToDevice"),
    (re.compile(r".* copy$", re.S), "copy"),
)
"""Where only the names of layers are told, these tell what some are for."""


def block_from_json(document: Mapping[str, Any]) -> Block:
    """Every layer that can be read; of any other, what stands there, cut short, in `unread`."""
    layers: list[EngineLayer] = []
    unread: list[str] = []
    for entry in _list(document.get("Layers")):
        layer = named_layer(entry) if isinstance(entry, str) else _layer(entry)
        if layer is None:
            unread.append(repr(entry)[:200])
        else:
            layers.append(layer)
    inputs, outputs = _ends(document, layers)
    return Block(tuple(layers), inputs, outputs, tuple(unread))


def named_layer(name: str) -> EngineLayer:
    """A layer of which the name is all that is known."""
    kind = next((kind for form, kind in _NAME_TYPES if form.match(name)), "")
    return EngineLayer(name, kind, (), (), (), "", "", nodes_in_name(name))


def nodes_in_name(name: str) -> tuple[str, ...]:
    """What a layer of TensorRT 8 to 10 was fused from, by its name.

    `w + Conv_1 + PWN(Relu_2)` has the names of nodes and weights between ` + `; `PWN(..)` are pointwise nodes, and
    `{ForeignNode[a...b]}` is all between two nodes. `Reformatting CopyNode for Input Tensor 0 to X` serves X.
    """
    if name.startswith(COPY):
        name = re.split(r" (?:to|from) ", name, maxsplit=1)[-1]
    if found := _FOREIGN.match(name):
        return found[1], found[2]
    return tuple(_bare(part) for part in re.split(r" \+ |, (?=PWN\(|\(Unnamed )", name) if part)


def _bare(part: str) -> str:
    part = re.sub(r"^(?:PWN\()+", "", part)
    while part.endswith(")") and part.count(")") > part.count("("):
        part = part[:-1]
    return part


def _layer(entry: object) -> EngineLayer | None:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("Name"), str):
        return None
    name, metadata = entry["Name"], _text(entry, "Metadata")
    return EngineLayer(
        name=name,
        type=_text(entry, "LayerType"),
        inputs=_tensors(entry.get("Inputs")),
        constants=_tensors(entry.get("Constants")),
        outputs=_tensors(entry.get("Outputs")),
        tactic=_text(entry, "TacticName") or _text(entry, "TacticValue"),
        stream=str(entry["StreamId"]) if isinstance(entry.get("StreamId"), int) else "",
        nodes=metadata_nodes(metadata) or nodes_in_name(name),
    )


def _tensors(value: object) -> tuple[EngineTensor, ...]:
    return tuple(
        _tensor(entry) for entry in _list(value) if isinstance(entry, Mapping) and isinstance(entry.get("Name"), str)
    )


def _tensor(entry: Mapping[str, Any]) -> EngineTensor:
    said = _text(entry, "Datatype") or _text(entry, "DataType") or _text(entry, "Format/Datatype")
    dtype, layout = type_and_format(said, _text(entry, "Format"))
    return EngineTensor(name=entry["Name"], dims=_dims(entry.get("Dimensions")), dtype=dtype, format=layout)


def _dims(value: object) -> tuple[int, ...]:
    """() for what is no shape, or larger than any memory."""
    dims = _list(value)
    if len(dims) > 16 or not all(isinstance(dim, int) and -1 <= dim < _MOST_ELEMENTS for dim in dims):
        return ()
    count = 1
    for dim in dims:
        count *= max(dim, 1)
    return tuple(dims) if count < _MOST_ELEMENTS else ()


def _ends(document: Mapping[str, Any], layers: Iterable[EngineLayer]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    names = [name for name in _list(document.get("Bindings")) if isinstance(name, str)]
    modes = dict.fromkeys(names, "")
    for entry in _list(document.get("I/O Tensors")):
        if isinstance(entry, Mapping) and isinstance(entry.get("Name"), str):
            modes[entry["Name"]] = _text(entry, "IOMode") or _text(entry, "TensorIOMode")
    return ends(modes, layers)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
