"""What is drawn now: boxes, open groups and edges with their places, ready for the painter. Arrays and texts, no Qt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from workbench.core.graph import Layer, Tensor
from workbench.views.canvas.body import Body
from workbench.views.canvas.boxes import DIM_MOST, HEIGHT, INPUT, OUTER, OUTPUT, Look, shape_text
from workbench.views.canvas.layout import HEADER, Check, Memo, Outline, Placement, arrange, no_check

__all__ = ["DIM_MOST", "HEADER", "HEIGHT", "INPUT", "OUTER", "OUTPUT", "Look", "Scene", "build_scene", "shape_text"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GROUP = "group:"  # the id of a closed group's box, before the group's
HEADER_ROOM = 56.0  # beside the title of an open group: the chevron, and a line through the middle


class EdgeTensors(Sequence[tuple[str, ...]]):
    """Names of what runs along each edge, made when asked for."""

    def __init__(self, names: list[str], order: Ints, starts: Ints) -> None:
        self._names, self._order, self._starts = names, order, starts

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, edge: int) -> tuple[str, ...]:  # type: ignore[override]  # nobody slices it
        found = self._order[self._starts[edge] : self._starts[edge + 1]].tolist()
        return tuple(dict.fromkeys(self._names[i] for i in found))


@dataclass(frozen=True)
class OpenGroups:
    """Those that show what is inside, parents first; their places are `Placement.frames`.

    Group g holds boxes `first[g]`..`last[g]`-1; `parent` is -1 at the top.
    """

    ids: list[str]
    titles: list[str]
    sizes: list[str]
    parent: Ints
    depth: Ints
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class Scene:
    """Boxes 0..n-1 in depth-first order of the groups: pills of inputs, layers and closed groups, pills of outputs.

    `edges` (k, 2) are box indices without doubles; `edge_tensors` names what runs along each. `opens` holds the keys of
    the bodies a box can open. `layers[i]` is None for pills and closed groups; `closed` has the id of a closed group by
    its box, `stacked` the boxes of those that are repeated. `inside[i]` is the open group that a box is in, or -1.
    """

    body: Body
    ids: list[str]
    titles: list[str]
    names: list[str]
    layers: list[Layer | None]
    tensors: dict[str, Tensor]
    looks: NDArray[np.int8]
    widths: Floats
    edges: Ints
    edge_tensors: EdgeTensors
    opens: dict[int, tuple[str, ...]]
    closed: dict[int, str]
    stacked: frozenset[int]
    inside: Ints
    box_of: Ints  # the box that shows each box of `body`
    first_leaf: Ints  # the first box of `body` that each box shows
    groups: OpenGroups
    placed: Placement

    @property
    def count(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> dict[str, int]:
        return {box_id: i for i, box_id in enumerate(self.ids)}

    def incoming(self, box: int) -> str:
        """The shape of the first tensor that a box reads, as it is written on edges."""
        edge = self._first_edge.get(box)
        return "" if edge is None else self.body.shape(self.edge_tensors[edge][0], DIM_MOST)

    @cached_property
    def _first_edge(self) -> dict[int, int]:
        targets = self.edges[::-1, 1].tolist()
        return {target: len(targets) - 1 - back for back, target in enumerate(targets)}

    def members(self, box: int) -> tuple[str, ...]:
        """Ids of the layers that a box stands for: itself, all inside a closed group, none for a pill."""
        layer = self.layers[box]
        if layer is not None:
            return (layer.id,)
        return self.body.layer_ids(*self._range(self.closed[box])) if box in self.closed else ()

    def group_members(self, group: int) -> tuple[str, ...]:
        """Ids of all layers inside an open group."""
        return self.body.layer_ids(*self._range(self.groups.ids[group]))

    def _range(self, group_id: str) -> tuple[int, int]:
        group = self.body.groups[self.body.number[group_id]]
        return group.first, group.last

    def group_at(self, x: float, y: float) -> int:
        """The innermost open group at a world point, or -1."""
        return self._innermost(x, y, self.placed.frames[:, 3])

    def header_at(self, x: float, y: float) -> int:
        """The innermost open group whose header is at a world point, or -1."""
        return self._innermost(x, y, np.full(len(self.groups), HEADER))

    def _innermost(self, x: float, y: float, heights: Floats) -> int:
        left, top, width, _ = self.placed.frames.T
        hit = (left <= x) & (x <= left + width) & (top <= y) & (y <= top + heights)
        found = np.flatnonzero(hit)
        return int(found[-1]) if len(found) else -1

    def nearest(self, x: float, y: float) -> int:
        """The box nearest to a world point; -1 without boxes."""
        return int(np.argmin(np.abs(self.placed.x - x) + np.abs(self.placed.y - y))) if self.count else -1

    def around(self, box: int) -> Iterator[int]:
        """Open groups that a box is in, from the innermost outwards."""
        group = int(self.inside[box])
        while group >= 0:
            yield group
            group = int(self.groups.parent[group])

    @cached_property
    def leaves(self) -> tuple[list[str], Ints]:
        """Ids of all layers that boxes stand for, and the box of each."""
        ids, places = self.body.leaves
        return ids, self.box_of[places]

    @cached_property
    def deep_leaves(self) -> tuple[list[str], Ints]:
        """The same with the layers in bodies: what the values and kinds of a box are made of."""
        ids, places = self.body.deep_leaves
        return ids, self.box_of[places]

    def deep_members(self, box: int) -> list[str]:
        """Ids of the layers that a box stands for, with those in its bodies."""
        ids, boxes = self.deep_leaves
        return [ids[i] for i in np.flatnonzero(boxes == box).tolist()]

    @cached_property
    def homes(self) -> dict[str, int]:
        """The box that stands for a layer, by its id: its own, or the closed group that it is in."""
        ids, boxes = self.leaves
        return dict(zip(ids, boxes.tolist(), strict=True))

    def any_among(self, ids: Collection[str]) -> NDArray[np.bool_]:
        """Boxes that stand for at least one of these layers. The last answer is kept: finds are ringed and kept."""
        last = self._last_among.get(id(ids))
        if last is not None and last[0] is ids:
            return last[1].copy()
        mask = np.zeros(self.count, dtype=np.bool_)
        boxes = np.fromiter(map(self.homes.get, ids, repeat(-1)), np.int64, len(ids))
        mask[boxes[boxes >= 0]] = True
        self._last_among.clear()
        self._last_among[id(ids)] = ids, mask
        return mask.copy()

    @cached_property
    def _last_among(self) -> dict[int, tuple[Collection[str], NDArray[np.bool_]]]:
        return {}

    def none_among(self, ids: Collection[str]) -> NDArray[np.bool_]:
        """Boxes that stand for layers, but for none of these."""
        found = ~self.any_among(ids)
        found &= np.bincount(self.leaves[1], minlength=self.count) > 0
        return found

    def all_among(self, ids: Collection[str]) -> NDArray[np.bool_]:
        """Boxes that stand for some of these layers and for no others."""
        inside = np.zeros(len(self.body.boxes), dtype=np.bool_)
        places = np.fromiter(map(self.body.place.get, ids, repeat(-1)), np.int64, len(ids))
        inside[places[places >= 0]] = True
        leaves = self.body.leaves[1]
        counts = np.bincount(self.box_of[leaves[inside[leaves]]], minlength=self.count)
        return (counts > 0) & (counts == np.bincount(self.leaves[1], minlength=self.count))


def build_scene(body: Body, opened: Collection[str] = (), memo: Memo | None = None, check: Check = no_check) -> Scene:
    """Lay out `body` with these groups open; groups inside closed ones are not seen."""
    return _Building(body, opened).scene(Memo() if memo is None else memo, check)


class _Building:
    """Which boxes are seen: those of layers outside closed groups, and one for each outermost closed group."""

    def __init__(self, body: Body, opened: Collection[str]) -> None:
        self._body = body
        self._open, cover = _covers(body, opened)
        cover_of = np.asarray([*cover, -1], dtype=np.int64)[body.home]  # the closed group around each leaf
        closed = np.unique(cover_of[cover_of >= 0])
        is_seen = cover_of < 0
        is_seen[body.first[closed]] = True
        self._seen = np.flatnonzero(is_seen)
        box_of = np.cumsum(is_seen) - 1
        covered = cover_of >= 0
        box_of[covered] = box_of[body.first[cover_of[covered]]]
        self._box_of = box_of
        self._group_of = cover_of[self._seen]  # the closed group that a box is, or -1

    def scene(self, memo: Memo, check: Check) -> Scene:
        body, seen, group_of = self._body, self._seen.tolist(), self._group_of.tolist()
        boxes, groups = body.boxes, body.groups
        pairs = list(zip(seen, group_of, strict=True))
        edges, tensors = self._edges()
        widths = [body.width(i) if g < 0 else body.group_width(g) for i, g in pairs]
        inside, shown = self._groups()
        outline = self._outline(widths, inside, shown, edges)
        return Scene(
            body=body,
            ids=[boxes[i].id if g < 0 else GROUP + groups[g].id for i, g in pairs],
            titles=[boxes[i].title if g < 0 else groups[g].title for i, g in pairs],
            names=[body.name(i) if g < 0 else body.hint(g) for i, g in pairs],
            layers=[boxes[i].layer if g < 0 else None for i, g in pairs],
            tensors=body.tensors,
            looks=np.asarray([boxes[i].look if g < 0 else Look.GROUP for i, g in pairs], dtype=np.int8),
            widths=np.asarray(widths, dtype=np.float64),
            edges=edges,
            edge_tensors=tensors,
            opens={box: boxes[i].opens for box, (i, g) in enumerate(pairs) if g < 0 and boxes[i].opens},
            closed={box: groups[g].id for box, g in enumerate(group_of) if g >= 0},
            stacked=frozenset(box for box, g in enumerate(group_of) if g >= 0 and groups[g].repeats > 1),
            inside=inside,
            box_of=self._box_of,
            first_leaf=self._seen,
            groups=shown,
            placed=arrange(outline, memo, check),
        )

    def _edges(self) -> tuple[Ints, EdgeTensors]:
        """Between what is seen, each pair once, in the order of the consumers' inputs."""
        body, count = self._body, len(self._seen)
        ends = self._box_of[body.edges]
        seen = np.flatnonzero(ends[:, 0] != ends[:, 1])
        keys = ends[seen, 0] * count + ends[seen, 1]
        _, first, which = np.unique(keys, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))  # from the place among sorted keys to that by first appearance
        order = np.argsort(rank[which], kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(rank[which], minlength=len(first)))])
        return ends[seen[np.sort(first)]], EdgeTensors(body.edge_tensors, seen[order], starts)

    def _groups(self) -> tuple[Ints, OpenGroups]:
        """The open group of each box, and the open groups."""
        body = self._body
        numbers = [g for g, is_open in enumerate(self._open) if is_open]
        place = np.full(len(body.groups) + 1, -1, dtype=np.int64)
        place[numbers] = np.arange(len(numbers))
        parents = np.append(body.parent, -1)
        around = np.where(self._group_of >= 0, parents[self._group_of], body.home[self._seen])
        found = [body.groups[g] for g in numbers]
        bounds = np.append(self._box_of, len(self._seen))
        shown = OpenGroups(
            ids=[group.id for group in found],
            titles=[group.title for group in found],
            sizes=[body.size(g) for g in numbers],
            parent=place[body.parent[numbers]] if numbers else np.empty(0, np.int64),
            depth=np.asarray([group.depth for group in found], dtype=np.int64),
            first=bounds[[group.first for group in found]] if found else np.empty(0, np.int64),
            last=bounds[[group.last - 1 for group in found]] + 1 if found else np.empty(0, np.int64),
        )
        return place[around], shown

    def _outline(self, widths: list[float], inside: Ints, shown: OpenGroups, edges: Ints) -> Outline:
        count = len(widths)
        around = np.concatenate([inside, shown.parent])
        parent = np.where(around >= 0, around + count, -1).tolist()
        headers = [self._header(group_id) for group_id in shown.ids]
        return Outline(widths, HEIGHT, parent, headers, edges)

    def _header(self, group_id: str) -> float:
        return 2 * (self._body.header_width(self._body.number[group_id]) + HEADER_ROOM)


def _covers(body: Body, opened: Collection[str]) -> tuple[list[bool], list[int]]:
    """By group: is it seen open; and the outermost closed group around it, itself counted, or -1."""
    is_open: list[bool] = []
    cover: list[int] = []
    for number, group in enumerate(body.groups):
        above = cover[group.parent] if group.parent >= 0 else -1
        is_open.append(above < 0 and group.id in opened)
        cover.append(above if above >= 0 else -1 if is_open[-1] else number)
    return is_open, cover
