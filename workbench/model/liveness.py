"""Liveness: a tensor is held from the layer that writes it to the last one that reads it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

from workbench.core.graph import Graph
from workbench.core.memory_plan import Life, MemoryPlan


def memory_plan(graph: Graph, sizes: Mapping[str, int] | None = None) -> MemoryPlan:
    """Of the layers of `graph` in their order, bodies of control flow left out. `sizes`: bytes by tensor, where the
    graph itself leaves them open. Inputs are held from the start, outputs to the end.
    """
    sizes, steps = sizes or {}, len(graph.layers)
    first: dict[str, int] = dict.fromkeys(graph.inputs, 0)
    last: dict[str, int] = {}
    for index, layer in enumerate(graph.layers):
        for name in (*layer.inputs, *layer.outputs):
            tensor = graph.tensors.get(name)
            if tensor is not None and not tensor.constant:
                first.setdefault(name, index)
                last[name] = index
    last |= {name: steps - 1 for name in graph.outputs if name in last}
    known = {name: sizes.get(name) or graph.tensors[name].size_bytes for name in last}
    lives = tuple(Life(name, known[name], first[name], end) for name, end in last.items() if known[name])
    return MemoryPlan(
        steps=tuple(layer.id for layer in graph.layers),
        alive_bytes=_alive(lives, steps),
        lives=lives,
        titles=tuple(layer.name or layer.heading for layer in graph.layers),
        unknown=sum(not size for size in known.values()),
    )


def _alive(lives: tuple[Life, ...], steps: int) -> tuple[int, ...]:
    changes = [0] * (steps + 1)
    for life in lives:
        changes[life.first] += life.size_bytes
        changes[life.last + 1] -= life.size_bytes
    return tuple(accumulate(changes[:steps]))
