"""Reading the `Layers:` block of TensorRT's verbose log: the engine's layers, without an engine or a GPU.

With `profiling_verbosity` DETAILED the builder prints one message: `Layers:`, one line per layer, `I/O Tensors:`, one
line per input and output, `Engine Metadata:`. A layer's line is

    Name: N, LayerType: T, Inputs: [..], Constants: [..], Outputs: [..], TacticName: X, StreamId: k[, ...], Metadata: M

with tensors `{ Name: a[, Location: L], Dimensions: [..], ..., Datatype: Float[, Format: ..] }` and, in M, the ONNX
nodes the layer came from. The grammar is not documented by NVIDIA (it was read from logs of TensorRT for RTX 1.7), so
a line that does not follow it is kept in `unread` and never stops anything. Names may hold anything, line breaks too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

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
    r"(?:, StreamId: (?P<stream>\d+).*?)?(?:, Metadata: (?P<metadata>.*))?$",
    re.S,
)
_TENSOR = re.compile(
    r"\{ Name: (?P<name>.*?)(?:, Location: \w+)?, Dimensions: \[(?P<dims>[-\d,]*)\](?P<rest>.*?)"
    r"Datatype: (?P<dtype>\w+)(?:, Format: (?P<format>[^}]*?))? ?\}(?=, \{|\]?$)",
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
    layers: list[EngineLayer] = []
    names: dict[str, list[str]] = {"Input": [], "Output": []}
    unread: list[str] = []
    head, _, tail = text.partition("\nI/O Tensors:\n")
    for lines in _entries(head.removeprefix("Layers:\n")):
        layer, rest = _first_read(parse_layer, lines)
        layers += [layer] if layer else []
        unread += rest
    for lines in _entries(tail.partition("\nEngine Metadata:")[0]):
        found, rest = _first_read(_IO.match, lines)
        if found:
            names[found["mode"]].append(found["name"])
        unread += rest
    return Block(tuple(layers), tuple(names["Input"]), tuple(names["Output"]), tuple(unread))


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
            dtype=found["dtype"],
            format=(found["format"] or "").strip(),
        )
        for found in _TENSOR.finditer(text)
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
    return msgspec.structs.replace(block, layers=tuple(x for x in block.layers if _group(x) not in others))


def _group(layer: EngineLayer) -> str:
    found = _GROUP.search(layer.name)
    return found[1] if found else layer.name


def _words(layer: EngineLayer) -> str:
    return " ".join([layer.name, *(tensor.name for tensor in (*layer.inputs, *layer.outputs))])
