"""Which groups stand open: at first, and after each wish."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.views.canvas.body import Body

SMALL = 400  # graphs of so many boxes are shown whole
FEW = 250  # larger ones as deep as shows at most so many
TOO_FEW = 24  # of these one group more is opened, as long as FEW allows
LEAST = 12  # a picture of fewer says nothing

Opened = frozenset[str]


def first_opened(body: Body) -> Opened:
    """Small graphs stand fully open; large ones to the depth that still gives an overview."""
    if len(body.boxes) <= SMALL:
        return everything(body)
    depth = 0
    while depth <= deepest(body) and seen_boxes(body, to_depth(body, depth + 1)) <= FEW:
        depth += 1
    opened = to_depth(body, depth)
    if seen_boxes(body, opened) < TOO_FEW:
        opened = _opened_by_size(body, opened)
    return opened


def first_choices(body: Body) -> Iterator[Opened]:
    """What may stand open at first: `first_opened`, then one level less each, for pictures that come out too wide."""
    opened = first_opened(body)
    yield opened
    for depth in range(max((group.depth for group in body.groups if group.id in opened), default=0), -1, -1):
        fewer = opened & to_depth(body, depth)
        if seen_boxes(body, fewer) < LEAST:
            return
        yield fewer


def _opened_by_size(body: Body, opened: Opened) -> Opened:
    """The next groups too, alike ones together and large ones first, as long as the picture stays an overview."""
    tried: set[int] = set()
    for _ in range(len(body.groups)):
        edge = [i for i, group in enumerate(body.groups) if group.id not in opened and i not in tried]
        edge = [i for i in edge if body.parent[i] < 0 or body.groups[int(body.parent[i])].id in opened]
        if not edge:
            break
        largest = max(edge, key=lambda i: (body.groups[i].last - body.groups[i].first, -i))
        together = body.alike(largest)
        tried.update(together)
        more = opened | {body.groups[i].id for i in together}
        if seen_boxes(body, more) <= FEW:
            opened = more
        if seen_boxes(body, opened) >= TOO_FEW:
            break
    return opened


def everything(body: Body) -> Opened:
    return frozenset(group.id for group in body.groups)


def to_depth(body: Body, depth: int) -> Opened:
    """The groups of the `depth` outermost levels."""
    return frozenset(group.id for group in body.groups if group.depth < depth)


def deepest(body: Body) -> int:
    """The number of levels below the outermost; -1 without groups."""
    return max((group.depth for group in body.groups), default=-1)


def seen_boxes(body: Body, opened: Opened) -> int:
    """Boxes of the picture with these groups open."""
    count = len(body.boxes)
    hidden_until = -1
    for group in body.groups:  # in depth-first order: what is inside a closed one is passed over
        if group.first >= hidden_until and group.id not in opened:
            count -= group.last - group.first - 1
            hidden_until = group.last
    return count


def around(body: Body, group: int) -> list[int]:
    """The groups that a group is in, from the innermost outwards."""
    found = []
    parent = int(body.parent[group])
    while parent >= 0:
        found.append(parent)
        parent = int(body.parent[parent])
    return found
