"""Liveness: a buffer is held from the layer that writes it to the last one that reads it, and then used again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.core.graph import Graph, LayerKind
from workbench.core.memory_plan import Life, MemoryPlan

VIEWS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout"})
"""Operators whose output is their first input under another shape: engines give both one buffer."""
ALIGNMENT = 64  # bytes: a cache line, on which CPU engines begin every buffer


def memory_plan(graph: Graph, sizes: Mapping[str, int] | None = None) -> MemoryPlan:
    """Of the layers of `graph` in their order, bodies of control flow left out. `sizes`: bytes by tensor, where the
    graph itself leaves them open. Inputs are held from the start, outputs to the end. What layers make of constants
    alone counts as weights: it is made once.
    """
    weights = {name for layer in graph.layers if layer.kind is LayerKind.CONSTANT for name in layer.outputs}
    weights |= {name for name, tensor in graph.tensors.items() if tensor.constant}
    known = {name: (sizes or {}).get(name) or tensor.size_bytes for name, tensor in graph.tensors.items()}
    owners, inside = _owners(graph), _read_inside(graph)
    first: dict[str, int] = dict.fromkeys(graph.inputs, 0)
    last: dict[str, int] = {}
    for index, layer in enumerate(graph.layers):
        for name in _held(graph, (*layer.inputs, *inside.get(layer.id, ()), *layer.outputs), weights):
            first.setdefault(owners[name], index)
            last[owners[name]] = index
    last |= {owners[name]: len(graph.layers) - 1 for name in graph.outputs if owners.get(name) in last}
    ends = {owners.get(name, name) for name in (*graph.inputs, *graph.outputs)}
    lives = [Life(name, known[name], first[name], end, name in ends) for name, end in last.items() if known[name]]
    return MemoryPlan(
        steps=tuple(layer.id for layer in graph.layers),
        lives=_placed(_with_views(lives, owners)),
        titles=tuple(layer.name or layer.heading for layer in graph.layers),
        unknown=sum(not known[name] for name in last),
    )


def _held(graph: Graph, names: Iterable[str], weights: Collection[str]) -> list[str]:
    """Of what a layer reads and writes what is no weight."""
    return [name for name in dict.fromkeys(names) if name in graph.tensors and name not in weights]


def _read_inside(graph: Graph) -> dict[str, list[str]]:
    """By layer with bodies: the tensors around it that these read, which its inputs need not name."""
    found: dict[str, list[str]] = {}
    for key, body in graph.subgraphs.items():
        names = [name for layer in body.layers for name in layer.inputs]
        names += [name for deeper in _read_inside(body).values() for name in deeper]
        found.setdefault(key.rpartition(".")[0], []).extend(name for name in names if name not in body.tensors)
    return found


def _owners(graph: Graph) -> dict[str, str]:
    """Tensor -> the tensor whose buffer it is: its own, or that of what it is a view of.

    A view that is an output of the model is a copy of what is an input or an output already: each has its own memory.
    """
    owners, ends = {name: name for name in graph.tensors}, {*graph.inputs, *graph.outputs}
    for layer in graph.layers:
        if layer.op not in VIEWS or not layer.inputs or not layer.outputs:
            continue
        source, view = layer.inputs[0], layer.outputs[0]
        is_copy = view in graph.outputs and owners.get(source, source) in ends
        if source in owners and view in owners and not graph.tensors[source].constant and not is_copy:
            owners[view] = owners[source]
            ends |= {owners[source]} if view in graph.outputs else set()
    return owners


def _with_views(lives: Iterable[Life], owners: Mapping[str, str]) -> list[Life]:
    views: dict[str, list[str]] = {}
    for name, owner in owners.items():
        if name != owner:
            views.setdefault(owner, []).append(name)
    return [msgspec.structs.replace(life, views=tuple(views.get(life.tensor, ()))) for life in lives]


def _placed(lives: list[Life]) -> tuple[Life, ...]:
    """Each with a place in one pool: the largest first, each at the lowest place where nothing lives at its time.

    Greedy by size for offset calculation (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
    Inference", 2020, arXiv:2001.03288).
    """
    first = np.asarray([life.first for life in lives])
    last = np.asarray([life.last for life in lives])
    size = np.asarray([-(-life.size_bytes // ALIGNMENT) * ALIGNMENT for life in lives], dtype=np.int64)
    offset = np.full(len(lives), -1, dtype=np.int64)
    inner = [i for i, life in enumerate(lives) if not life.is_end]
    for i in sorted(inner, key=lambda i: -size[i]):
        meets = np.flatnonzero((offset >= 0) & (first <= last[i]) & (last >= first[i]))
        offset[i] = _lowest(offset[meets], size[meets], int(size[i]))
    return tuple(msgspec.structs.replace(life, offset=int(at)) for life, at in zip(lives, offset, strict=True))


def _lowest(offsets: NDArray[np.int64], sizes: NDArray[np.int64], wanted: int) -> int:
    """The lowest place with room for `wanted` bytes between what is placed."""
    place = 0
    for at, size in sorted(zip(offsets.tolist(), sizes.tolist(), strict=True)):
        if at - place >= wanted:
            break
        place = max(place, at + size)
    return place
