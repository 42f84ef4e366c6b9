"""Items: nodes and the dummies through which long edges run, so that every line joins neighbouring ranks."""

from __future__ import annotations

from dataclasses import dataclass

DUMMIES_FLOOR = 40_000  # a graph may always have so many dummies
DUMMIES_PER_NODE = 6


@dataclass
class Items:
    """Nodes are 0..nodes-1, dummies follow. `rows` are the ranks, each from left to right.

    `up` and `down` lead to items of the neighbouring ranks. `spine[u]` is the chain of dummies that all long edges of
    node u share, from top to bottom; `owner` names the node of each dummy. `parent[(u, v)]` is the item from which the
    edge reaches v: u itself or a dummy of its spine. `direct` are edges too long for the budget: drawn as one curve.
    """

    nodes: int
    rank: list[int]
    rows: list[list[int]]
    up: list[list[int]]
    down: list[list[int]]
    owner: list[int]
    spine: list[list[int]]
    parent: dict[tuple[int, int], int]
    direct: list[tuple[int, int]]

    @property
    def count(self) -> int:
        return len(self.rank)


def make_items(ranks: list[int], arrows: list[tuple[int, int]]) -> Items:
    """Rows are in index order still. `arrows` must be distinct and lead to greater ranks."""
    count = len(ranks)
    consumers: list[list[int]] = [[] for _ in range(count)]
    for u, v in arrows:
        consumers[u].append(v)
    limit = _longest_span(ranks, consumers)
    items = Items(count, list(ranks), [], [[] for _ in ranks], [[] for _ in ranks], [], [], {}, [])
    items.owner = list(range(count))
    for u in range(count):
        _add_spine(items, u, consumers[u], limit)
    items.rows = [[] for _ in range(max(items.rank, default=-1) + 1)]
    for item, rank in enumerate(items.rank):
        items.rows[rank].append(item)
    return items


def _longest_span(ranks: list[int], consumers: list[list[int]]) -> int:
    """The span up to which edges get dummies: all of them, unless the graph would grow beyond reason."""
    reach = [max((ranks[v] for v in nodes), default=ranks[u]) - ranks[u] for u, nodes in enumerate(consumers)]
    budget = max(DUMMIES_FLOOR, DUMMIES_PER_NODE * len(ranks))
    limit = max(reach, default=0)
    while limit > 1 and sum(min(span, limit) for span in reach) > budget:
        limit //= 2
    return limit


def _add_spine(items: Items, u: int, consumers: list[int], limit: int) -> None:
    top = items.rank[u]
    near = [v for v in consumers if items.rank[v] - top <= limit]
    items.direct += [(u, v) for v in consumers if items.rank[v] - top > limit]
    chain = [u]
    for rank in range(top + 1, max((items.rank[v] for v in near), default=top)):
        dummy = items.count
        items.rank.append(rank)
        items.owner.append(u)
        items.up.append([chain[-1]])
        items.down.append([])
        items.down[chain[-1]].append(dummy)
        chain.append(dummy)
    items.spine.append(chain[1:])
    for v in near:
        holder = chain[items.rank[v] - top - 1]
        items.parent[u, v] = holder
        items.down[holder].append(v)
        items.up[v].append(holder)
