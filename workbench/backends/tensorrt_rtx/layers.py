"""Reading the `Layers:` block of TensorRT's verbose log: the engine's layers, without an engine or a GPU.

With `profiling_verbosity` DETAILED the builder prints one message: `Layers:`, one line per layer, `I/O Tensors:`, one
line per input and output, `Engine Metadata:`; up to TensorRT 10 `Bindings:` and names alone. A layer's line is

    Name: N, LayerType: T, Inputs: [..], Constants: [..], Outputs: [..], TacticName: X, StreamId: k[, ...], Metadata: M

with tensors `{ Name: a[, Location: L], Dimensions: [..], ..., Datatype: Float[, Format: ..] }`, up to TensorRT 10 with
`Format/Datatype: ..`, and, in M, the ONNX nodes the layer came from. The grammar is not documented by NVIDIA: it was
read from logs of TensorRT for RTX 1.7, and from those of TensorRT 8.6 to 10.10 in public issues. So a line that does
not follow it is kept in `unread` and never stops anything. Names may hold anything, line breaks too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from workbench.backends.tensorrt_rtx.dtypes import type_and_format

_T = TypeVar("_T")


class EngineTensor(msgspec.Struct, frozen=True):
    """A tensor as the engine holds it. `dims` has -1 where free; `dtype` is TensorRT's word (`Half`)."""

    name: str
    dims: tuple[int, ...]
    dtype: str
    format: str = ""


class EngineLayer(msgspec.Struct, frozen=True):
    """One line of the block. `nodes` are names of nodes of the ONNX file that was parsed, as the engine gives them."""

    name: str
    type: str
    inputs: tuple[EngineTensor, ...]
    constants: tuple[EngineTensor, ...]
    outputs: tuple[EngineTensor, ...]
    tactic: str
    stream: str
    nodes: tuple[str, ...]


class Block(msgspec.Struct, frozen=True):
    """What the block says. `inputs` and `outputs` are the names of the engine's own."""

    layers: tuple[EngineLayer, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


_LAYER = re.compile(
    r"Name: (?P<name>.*?), LayerType: (?P<type>[^,]*), Inputs: \[(?P<inputs>.*?)\](?P<constants>, Constants: \[.*?\])?"
    r", Outputs: \[(?P<outputs>.*?)\](?:, ParameterType: .*?)?, Tactic(?:Name|Value): (?P<tactic>.*?)"
    r"(?:, TacticValue: \w+)?(?:, StreamId: (?P<stream>\d+).*?)?(?:, Metadata: (?P<metadata>.*))?$",
    re.S,
)
_TENSOR = re.compile(
    r"\{ Name: (?P<name>.*?)(?:, Location: \w+)?, Dimensions: \[(?P<dims>[-\d,]*)\][^{}]*?"
    r"Datatype: (?P<dtype>[^{}]*?)(?:, Format: (?P<format>[^}]*?))? ?\}(?=, \{|\]?$)",
    re.S,
)
_IO = re.compile(r" ?Name: (?P<name>.*), IOMode: (?P<mode>Input|Output), DataType: ", re.S)
_ITEM = re.compile(r"\[ONNX Layer: (.*)\](?:__\w+)?$", re.S)  # a suffix tells a rewrite: __gemm_from_conv1x1
_SEPARATORS = re.compile("[\x1e\x1f]")
_ENTRY = re.compile(r"\n(?= ?Name: )")
_PROFILE = re.compile(r" \[profile [1-9]\d*\]")
_GROUP = re.compile(r"_(myl\d+)_\d+$")


def parse_block(text: str) -> Block:
    """The block in `text`, a log message that starts with `Layers:`. Anything else gives an empty Block."""
    head, _, tail = text.partition("\nI/O Tensors:\n")
    head, _, bindings = head.partition("\nBindings:\n")
    layers, unread = _read_all(parse_layer, head.removeprefix("Layers:\n"))
    told, rest = _read_all(_IO.match, tail.partition("\nEngine Metadata:")[0])
    modes = dict.fromkeys(filter(None, bindings.split("\n")), "") | {one["name"]: one["mode"] for one in told}
    return Block(tuple(layers), *ends(modes, layers), (*unread, *rest))


def ends(modes: Mapping[str, str], layers: Iterable[EngineLayer]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Inputs and outputs of an engine, by what is said of each name; of nothing: what a layer makes is an output."""
    made = {tensor.name for layer in layers for tensor in layer.outputs}
    outputs = {name for name, mode in modes.items() if "output" in mode.lower() or (not mode and name in made)}
    return tuple(name for name in modes if name not in outputs), tuple(name for name in modes if name in outputs)


def _read_all(read: Callable[[str], _T | None], text: str) -> tuple[list[_T], list[str]]:
    """What the entries of `text` say, and the lines that were not understood."""
    found: list[_T] = []
    unread: list[str] = []
    for lines in _entries(text):
        one, rest = _first_read(read, lines)
        found += [one] if one is not None else []
        unread += rest
    return found, unread


def _entries(text: str) -> Iterator[list[str]]:
    """The lines of each entry: more than one where a name holds line breaks, or something unknown follows."""
    return (entry.split("\n") for entry in _ENTRY.split(text) if entry)


def _first_read(read: Callable[[str], _T | None], lines: list[str]) -> tuple[_T | None, list[str]]:
    """What the first line says, or else all of them as one; and the lines that were not understood."""
    found = read(lines[0])
    if found is not None:
        return found, list(filter(None, lines[1:]))
    found = read("\n".join(lines).rstrip("\n"))
    return found, [] if found is not None else list(filter(None, lines))


def parse_layer(line: str) -> EngineLayer | None:
    """One line of the block, or None where it does not follow the grammar."""
    found = _LAYER.match(line)
    if not found:
        return None
    return EngineLayer(
        name=found["name"],
        type=found["type"],
        inputs=_tensors(found["inputs"]),
        constants=_tensors(found["constants"] or ""),
        outputs=_tensors(found["outputs"]),
        tactic=found["tactic"],
        stream=found["stream"] or "",
        nodes=metadata_nodes(found["metadata"] or ""),
    )


def _tensors(text: str) -> tuple[EngineTensor, ...]:
    return tuple(
        EngineTensor(
            name=found["name"],
            dims=tuple(int(dim) for dim in found["dims"].split(",") if dim),
            dtype=dtype,
            format=layout,
        )
        for found in _TENSOR.finditer(text)
        for dtype, layout in [type_and_format(found["dtype"].strip(), (found["format"] or "").strip())]
    )


def metadata_nodes(metadata: str) -> tuple[str, ...]:
    """Node names of `[ONNX Layer: a]` items, which an invisible separator divides.

    An item of a node in a body is `a | tensor (then_branch) | if0 (If)`: the innermost comes first.
    """
    items = (_ITEM.match(item.strip()) for item in _SEPARATORS.split(metadata))
    return tuple(found[1].partition(" | ")[0] for found in items if found)


def first_profile(block: Block) -> Block:
    """`block` without the layers of any further optimization profile: TensorRT lists each profile's own.

    Names of such layers end in `_myl1_7` (group and number), and some in each group say `[profile 1]`.
    """
    others = {_group(layer) for layer in block.layers if _PROFILE.search(_words(layer))}
    return msgspec.structs.replace(
        block,
        layers=tuple(x for x in block.layers if _group(x) not in others),
        inputs=tuple(name for name in block.inputs if not _PROFILE.search(name)),
        outputs=tuple(name for name in block.outputs if not _PROFILE.search(name)),
    )


def _group(layer: EngineLayer) -> str:
    found = _GROUP.search(layer.name)
    return found[1] if found else layer.name


def _words(layer: EngineLayer) -> str:
    return " ".join([layer.name, *(tensor.name for tensor in (*layer.inputs, *layer.outputs))])
