"""Ranks: how far from the top a node stands. Longest path, then nodes that can be nearer to their consumers are."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from workbench.views.canvas.layout_problem import Problem

Arrow = tuple[int, int]


def rank_nodes(problem: Problem) -> list[int]:
    """Rank of every node: ports of the top 0, ports of the bottom last, members between them."""
    before: list[list[int]] = [[] for _ in range(problem.nodes)]
    after: list[list[int]] = [[] for _ in range(problem.nodes)]
    for u, v in dict.fromkeys((wire.upper, wire.lower) for wire in problem.wires):
        after[u].append(v)
        before[v].append(u)
    order = _topological(before, after)
    first = 1 if problem.tops else 0
    ranks = [0] * problem.nodes
    for node in order:
        if not problem.members <= node < problem.members + problem.tops:
            ranks[node] = max(first, 1 + max((ranks[u] for u in before[node]), default=-1))
    last = problem.members + problem.tops
    if problem.bottoms:
        ranks[last:] = [max([*ranks[last:], *(rank + 1 for rank in ranks[: problem.members])])] * problem.bottoms
    _tighten(ranks, [node for node in order if node < problem.members], before, after)
    return ranks


def back_arrows(count: int, arrows: Iterable[Arrow]) -> frozenset[Arrow]:
    """Those that close a cycle in a depth-first walk from node 0 on; none where all lead to greater numbers."""
    pairs = list(dict.fromkeys(arrows))
    if all(u < v for u, v in pairs):
        return frozenset()
    after: list[list[int]] = [[] for _ in range(count)]
    for u, v in pairs:
        after[u].append(v)
    state = [0] * count  # 0 not seen, 1 on the path, 2 done
    back: set[Arrow] = set()
    for root in range(count):
        if not state[root]:
            _walk_down(root, after, state, back)
    return frozenset(back)


def _walk_down(root: int, after: list[list[int]], state: list[int], back: set[Arrow]) -> None:
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
