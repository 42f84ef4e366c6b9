"""Ifs whose condition is known before any run, replaced by the branch that is taken.

Engines build both branches for the shapes given, and refuse one that these shapes never take: a speech model with a
branch for 8 kHz cannot be built for the chunks of 16 kHz. Where the sampling rate is known, only one branch is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from workbench.model.folding import known_values
from workbench.model.inference import skeleton
from workbench.model.walk import bodies, with_bodies

Fixed = Mapping[str, NDArray[np.generic]]
_THEN, _ELSE = "then_branch", "else_branch"


def take_branches(proto: onnx.ModelProto, fixed: Fixed) -> dict[str, str]:
    """Changes `proto` in place; what became of the nodes that went: `folded` (the If) or `removed` (the other branch).

    `proto` is sorted, its nodes are named by id and its input shapes fixed. `fixed` are values of inputs that never
    change; they stay inputs. Ifs in bodies come up once the If around them is decided; in Loop and Scan they stay.
    What only conditions needed goes too. Nodes keep their ids; tensors of a branch get its name in front:
    `n2.then_branch:x`.
    """
    gone: dict[str, str] = {}
    while True:
        known = known_values(skeleton(proto)[0], fixed)
        decided = {node.name: _taken(node, known) for node in proto.graph.node if _is_decided(node, known)}
        if not decided:
            return gone | _drop_dead(proto.graph) if gone else {}
        for node in proto.graph.node:
            if node.name in decided:
                gone[node.name] = "folded"
                left = _branch(node, _ELSE if decided[node.name] == _THEN else _THEN)
                gone |= dict.fromkeys((inner.name for inner in with_bodies(left.node)), "removed")
        _replace(proto.graph, decided)


def _drop_dead(graph: onnx.GraphProto) -> dict[str, str]:
    needed = {value.name for value in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        needed.discard("")
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(name for inner in with_bodies([node]) for name in inner.input)
            needed.update(value.name for _, body in bodies(node) for value in body.output)
    gone = {node.name for node in graph.node} - {node.name for node in kept}
    _set_nodes(graph, kept[::-1])
    return dict.fromkeys(gone, "folded")


def _is_decided(node: onnx.NodeProto, known: Fixed) -> bool:
    return node.op_type == "If" and node.domain in ("", "ai.onnx") and known.get(node.input[0], np.empty(0)).size == 1


def _taken(node: onnx.NodeProto, known: Fixed) -> str:
    return _THEN if bool(known[node.input[0]].reshape(())) else _ELSE


def _branch(node: onnx.NodeProto, name: str) -> onnx.GraphProto:
    return next(body for attribute, body in bodies(node) if attribute == name)


def _replace(graph: onnx.GraphProto, decided: Mapping[str, str]) -> None:
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.name not in decided:
            nodes.append(node)
            continue
        body = _branch(node, decided[node.name])
        nodes += _inlined(node, body, f"{node.name}.{decided[node.name]}:")
        graph.initializer.extend(body.initializer)
    _set_nodes(graph, nodes)
    del graph.value_info[:]


def _set_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    copies = [onnx.NodeProto() for _ in nodes]
    for copy, node in zip(copies, nodes, strict=True):
        copy.CopyFrom(node)
    del graph.node[:]
    graph.node.extend(copies)


def _inlined(holder: onnx.NodeProto, body: onnx.GraphProto, prefix: str) -> list[onnx.NodeProto]:
    """The body's nodes, reading and making tensors by their new names; Identity where an output is none of theirs."""
    made = {name for node in body.node for name in node.output if name}
    names = {name: prefix + name for name in (*made, *(tensor.name for tensor in body.initializer))}
    copied: list[onnx.NodeProto] = []
    for slot, (inner, outer) in enumerate(zip(body.output, holder.output, strict=True)):
        if inner.name in made and names[inner.name] == prefix + inner.name:
            names[inner.name] = outer
        elif outer:
            source = names.get(inner.name, inner.name)
            copied.append(onnx.helper.make_node("Identity", [source], [outer], name=f"{holder.name}:output_{slot}"))
    for tensor in body.initializer:
        tensor.name = names[tensor.name]
    for node in body.node:
        _rename(node, names)
    return [*body.node, *copied]


def _rename(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    _rename_reads(node, names)
    for slot, name in enumerate(node.output):
        node.output[slot] = names.get(name, name)


def _rename_reads(node: onnx.NodeProto, names: Mapping[str, str]) -> None:
    """What the node reads, and what its bodies capture."""
    for slot, name in enumerate(node.input):
        node.input[slot] = names.get(name, name)
    for _, body in bodies(node):
        own = {value.name for value in body.input} | {tensor.name for tensor in body.initializer}
        own |= {name for inner in body.node for name in inner.output}
        free = {old: new for old, new in names.items() if old not in own}
        for inner in body.node:
            _rename_reads(inner, free)
        for value in body.output:
            value.name = free.get(value.name, value.name)
