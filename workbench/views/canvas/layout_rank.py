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
    _pull_down(ranks, order, before, after)
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


def _pull_down(
    ranks: list[int], order: list[int], before: list[list[int]], after: list[list[int]]
) -> None:
    """Move nodes down while no chain of dummies grows: sources stand just above what reads them.

    With one shared chain per source, a step down saves one dummy of the node's own chain, and costs one for each
    producer whose farthest consumer the node is.
    """
    farthest = [_two_greatest(ranks, nodes) for nodes in after]
    for node in reversed(order):
        if not after[node]:
            continue
        lowest = min(ranks[child] for child in after[node]) - 1
        for parent in before[node]:
            first, second = farthest[parent]
            lowest = min(lowest, second if first == ranks[node] else first)
        ranks[node] = max(ranks[node], lowest)


def _two_greatest(ranks: list[int], nodes: list[int]) -> tuple[int, int]:
    first = second = -1
    for node in nodes:
        rank = ranks[node]
        if rank > first:
            first, second = rank, first
        elif rank > second:
            second = rank
    return first, second
