"""A graph with its groups, before any of them is opened or closed: boxes, edges and the tree, once for all pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.core.graph import Graph, Tensor
from workbench.core.scopes import Scope
from workbench.core.words import plural
from workbench.views.canvas.boxes import (
    GROUP_ROOM,
    SHAPE_OPS,
    WIDTH_MOST,
    Box,
    Boxes,
    Measure,
    box_width,
    evened,
    is_weighted,
    shape_text,
)

Ints = NDArray[np.int64]

NODE = "node"  # what a graph is made of, unless its owner says otherwise
LEAST_GROUP = 2  # a group of one box is that box
TITLE_MOST = 110.0  # a long title does not widen its group further: it is elided
HINT_OPS = 2  # so many ops are named on a closed group
DIGEST_MOST = 60  # longer names are elided before they are measured


@dataclass(frozen=True)
class Group:
    """Boxes `first`..`last`-1 and the groups inside. `parent` is -1 at the top. `repeats` counts those alike."""

    id: str
    name: str
    alike: str
    parent: int
    depth: int
    first: int
    last: int
    repeats: int

    @property
    def title(self) -> str:
        if self.repeats < 2:
            return self.name
        return f"{self.name} (×{self.repeats})" if "×" in self.name else f"{self.name} ×{self.repeats}"


class Body:
    """`boxes` and `groups` are in depth-first order, parents first; `home[i]` is the group that box i is in, or -1.

    `edges` (k, 2) are box indices, `edge_tensors[k]` what runs along each; several may join the same two boxes.
    """

    def __init__(
        self, graph: Graph, outer: dict[str, Tensor], scope: Scope | None, measure: Measure, noun: str = NODE
    ) -> None:
        self.tensors = {**outer, **graph.tensors}
        self._bodies = graph.subgraphs
        self._measure, self._noun = measure, noun
        self._widths: dict[tuple[str, str], float] = {}
        boxes = Boxes(graph, outer).all
        tree = _Tree(boxes, scope)
        self.boxes: list[Box] = [boxes[i] for i in tree.order]
        self.home = np.asarray(tree.home, dtype=np.int64)
        self.groups: list[Group] = tree.groups
        self.parent = np.asarray([group.parent for group in self.groups], dtype=np.int64)
        self.first = np.asarray([group.first for group in self.groups], dtype=np.int64)
        self.edges, self.edge_tensors = _edges(self.boxes)
        self.number = {group.id: i for i, group in enumerate(self.groups)}

    @cached_property
    def place(self) -> dict[str, int]:
        """Index of the box of each layer and pill."""
        return {box.id: i for i, box in enumerate(self.boxes)}

    @cached_property
    def leaves(self) -> tuple[list[str], Ints]:
        """Ids of all layers, and the index of the box of each."""
        found = [i for i, box in enumerate(self.boxes) if box.layer is not None]
        return [self.boxes[i].id for i in found], np.asarray(found, dtype=np.int64)

    @cached_property
    def deep_leaves(self) -> tuple[list[str], Ints]:
        """The same with the layers in bodies, behind the others: a box stands for its bodies too."""
        ids, places = self.leaves
        holders = [(i, key) for i, box in enumerate(self.boxes) for key in box.opens]
        inner = [(layer_id, i) for i, key in holders for layer_id in _ids(self._bodies[key])]
        more = np.asarray([i for _, i in inner], dtype=np.int64)
        return [*ids, *(layer_id for layer_id, _ in inner)], np.concatenate([places, more])

    def layer_ids(self, first: int, last: int) -> tuple[str, ...]:
        """Of the layers among some boxes."""
        return tuple(box.id for box in self.boxes[first:last] if box.layer is not None)

    def alike(self, group: int) -> list[int]:
        """Groups of the same structure, itself among them."""
        key = self.groups[group].alike
        return [i for i, other in enumerate(self.groups) if key and other.alike == key] or [group]

    def name(self, box: int) -> str:
        """The second line of a box: inside a group the end of a path is enough."""
        name = self.boxes[box].name
        return name if self.home[box] < 0 else name.rstrip("/").rpartition("/")[2] or name

    def width(self, box: int) -> float:
        texts = self.boxes[box].title, self.name(box)[:DIGEST_MOST]
        if texts not in self._widths:
            self._widths[texts] = box_width(*texts, self._measure)
        return self._widths[texts]

    def group_width(self, group: int) -> float:
        """Of the box of a closed group."""
        return box_width(self.groups[group].title, self.hint(group), self._measure, GROUP_ROOM, WIDTH_MOST)

    def header_width(self, group: int) -> float:
        """Of an open group's title, as far as it widens the group."""
        return min(self._measure(evened(self.groups[group].title), False), TITLE_MOST)

    def size(self, group: int) -> str:
        """`14 nodes`, or of an engine `14 layers`."""
        return plural(self.groups[group].last - self.groups[group].first, self._noun)

    def hint(self, group: int) -> str:
        """`14 nodes · 4 MatMul, Softmax`: how much is inside, and what counts among it."""
        if group not in self._hints:
            words = _telling_ops(self.boxes[self.groups[group].first : self.groups[group].last])
            self._hints[group] = self.size(group) + (f" · {words}" if words else "")
        return self._hints[group]

    @cached_property
    def _hints(self) -> dict[int, str]:
        return {}

    def shape(self, tensor: str, most: int) -> str:
        return shape_text(self.tensors.get(tensor), most)


def _ids(graph: Graph) -> Iterator[str]:
    """Of all layers, bodies included."""
    yield from (layer.id for layer in graph.layers)
    for body in graph.subgraphs.values():
        yield from _ids(body)


def _telling_ops(boxes: list[Box]) -> str:
    ops = Counter(box.layer.op for box in boxes if box.layer is not None)
    telling = [(op, count) for op, count in ops.most_common() if op not in SHAPE_OPS]
    telling = sorted(telling, key=lambda found: not is_weighted(found[0]))[:HINT_OPS]  # products first
    return ", ".join(f"{count} {op}" if count > 1 else op for op, count in telling)


def _edges(boxes: list[Box]) -> tuple[Ints, list[str]]:
    """In the order of the consumers' inputs. A box that reads its own output has no edge."""
    maker = {tensor: i for i, box in enumerate(boxes) for tensor in box.writes if tensor}
    ends: list[tuple[int, int]] = []
    tensors: list[str] = []
    for i, box in enumerate(boxes):
        for tensor in dict.fromkeys(box.reads):
            source = maker.get(tensor, i)
            if source != i:
                ends.append((source, i))
                tensors.append(tensor)
    return np.asarray(ends, dtype=np.int64).reshape(-1, 2), tensors


class _Tree:
    """Puts boxes into the groups of a scope tree: each group stands where its first box does."""

    def __init__(self, boxes: list[Box], scope: Scope | None) -> None:
        scopes, parents = _flat(scope)
        place = {layer_id: number for number, found in enumerate(scopes) for layer_id in found.layers}
        homes = [place.get(box.id, 0) if box.layer is not None else 0 for box in boxes]
        kept = _kept(homes, parents)
        self._parents = [kept[parent] if parent >= 0 else -1 for parent in parents]
        self._homes = [kept[home] for home in homes]
        self._scopes = scopes
        self.order: list[int] = []
        self.home: list[int] = []
        self.groups: list[Group] = []
        self._walk()

    def _entries(self) -> list[list[tuple[int, int]]]:
        """Of each scope, by first box: (box, -1) or (first box, inner scope)."""
        entries: list[list[tuple[int, int]]] = [[] for _ in self._scopes]
        seen = [False] * len(self._scopes)
        for box, home in enumerate(self._homes):
            entries[home].append((box, -1))
            here = home
            while here and not seen[here]:
                seen[here] = True
                entries[self._parents[here]].append((box, here))
                here = self._parents[here]
        return entries

    def _walk(self) -> None:
        entries = self._entries()
        counts = Counter(self._scopes[i].alike for i, inside in enumerate(entries) if i and inside)
        numbers = {0: -1}
        lasts: dict[int, int] = {}
        stack: list[tuple[int, int, int]] = [(box, scope, 0) for box, scope in reversed(entries[0])]
        found: list[tuple[int, int]] = []  # scope, first box
        while stack:
            box, scope, around = stack.pop()
            if scope == -2:
                lasts[around] = len(self.order)
            elif scope == -1:
                self.order.append(box)
                self.home.append(numbers[around])
            else:
                numbers[scope] = len(found)
                found.append((scope, len(self.order)))
                stack.append((box, -2, scope))
                stack += [(inner, kind, scope) for inner, kind in reversed(entries[scope])]
        depths: list[int] = []
        for scope, first in found:
            parent = numbers[self._parents[scope]]
            depths.append(depths[parent] + 1 if parent >= 0 else 0)
            this = self._scopes[scope]
            repeats = counts[this.alike] if this.alike else 1
            self.groups.append(Group(this.id, this.name, this.alike, parent, depths[-1], first, lasts[scope], repeats))


def _flat(scope: Scope | None) -> tuple[list[Scope], list[int]]:
    """All scopes, parents first, and the number of each one's parent; -1 of the root."""
    scopes, parents = [scope or Scope("", "")], [-1]
    for number, here in enumerate(scopes):
        scopes += here.children
        parents += [number] * len(here.children)
    return scopes, parents


def _kept(homes: list[int], parents: list[int]) -> list[int]:
    """For each scope itself, or the nearest around it that has enough boxes to be a group."""
    sizes = [0] * len(parents)
    for home in homes:
        sizes[home] += 1
    for number in range(len(parents) - 1, 0, -1):
        sizes[parents[number]] += sizes[number]
    kept = list(range(len(parents)))
    for number in range(1, len(parents)):
        if sizes[number] < LEAST_GROUP:
            kept[number] = kept[parents[number]]
    return kept
