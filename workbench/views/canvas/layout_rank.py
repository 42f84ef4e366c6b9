"""Ranks: how far from the top a node stands. Longest path, then nodes that can be nearer to their consumers are."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def rank_nodes(count: int, edges: Ints) -> tuple[list[int], list[tuple[int, int]]]:
    """Rank of every node, and the distinct edges turned so that each leads to a greater rank.

    Edges that close a cycle are turned round (they still are drawn); loops from a node to itself are dropped.
    """
    arrows = list(dict.fromkeys((u, v) for u, v in edges.tolist() if u != v))
    if any(u > v for u, v in arrows):
        arrows = _break_cycles(count, arrows)
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for u, v in arrows:
        after[u].append(v)
        before[v].append(u)
    order = _topological(before, after)
    ranks = [0] * count
    for node in order:
        ranks[node] = 1 + max((ranks[u] for u in before[node]), default=-1)
    _tighten(ranks, order, before, after)
    return ranks, arrows


def _break_cycles(count: int, arrows: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Turn the back edges of a depth-first walk; twins that arise are merged."""
    after: list[list[int]] = [[] for _ in range(count)]
    for u, v in arrows:
        after[u].append(v)
    state = [0] * count  # 0 not seen, 1 on the path, 2 done
    back: set[tuple[int, int]] = set()
    for root in range(count):
        if state[root]:
            continue
        state[root] = 1
        stack = [(root, iter(after[root]))]
        while stack:
            node, children = stack[-1]
            child = next(children, None)
            if child is None:
                state[node] = 2
                stack.pop()
            elif state[child] == 1:
                back.add((node, child))
            elif state[child] == 0:
                state[child] = 1
                stack.append((child, iter(after[child])))
    return list(dict.fromkeys((v, u) if (u, v) in back else (u, v) for u, v in arrows))


def _topological(before: list[list[int]], after: list[list[int]]) -> list[int]:
    missing = [len(nodes) for nodes in before]
    ready = deque(node for node, left in enumerate(missing) if left == 0)
    order = []
    while ready:
        node = ready.popleft()
        order.append(node)
        for child in after[node]:
            missing[child] -= 1
            if missing[child] == 0:
                ready.append(child)
    return order


def _tighten(ranks: list[int], order: list[int], before: list[list[int]], after: list[list[int]]) -> None:
    """Shorten the chains of dummies. A node's own chain ends at its farthest consumer, all its edges share it.

    Down: a step saves one dummy of the node's chain and costs one for each producer whose farthest consumer it then is.
    Steps that cost nothing are made too, so that whole branches come down to where they are read. Up: what gained
    nothing by that goes back to where it was made.
    """
    for _ in range(2):
        farthest = [_two_greatest(ranks, nodes) for nodes in after]
        for node in reversed(order):
            if after[node]:
                reach = sorted(_others(farthest[parent], ranks[node]) for parent in before[node])
                lowest = min(ranks[child] for child in after[node]) - 1
                ranks[node] = max(ranks[node], min([lowest, *reach[1:2]]))
        farthest = [_two_greatest(ranks, nodes) for nodes in after]
        for node in order:
            if before[node]:
                reach = [_others(farthest[parent], ranks[node]) for parent in before[node]]
                highest = 1 + max(ranks[parent] for parent in before[node])
                ranks[node] = min(ranks[node], max(highest, min(reach) if after[node] else 0))


def _others(farthest: tuple[int, int], rank: int) -> int:
    """How far down a producer's chain goes without this consumer."""
    first, second = farthest
    return second if first == rank else first


def _two_greatest(ranks: list[int], nodes: list[int]) -> tuple[int, int]:
    first = second = -1
    for node in nodes:
        rank = ranks[node]
        if rank > first:
            first, second = rank, first
        elif rank > second:
            second = rank
    return first, second
