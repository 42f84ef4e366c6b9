"""A scope with all that stands open inside it, as arrays about its own corner: made once for all that are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workbench.views.canvas.layout_problem import Bools, Floats, Ints, Solution


class Joint(NamedTuple):
    """One end of a wire: a node of the scope, and the port where that is an open group or the scope's own border."""

    node: int
    port: int = -1


class Link(NamedTuple):
    """A wire by what it says, whichever end is drawn above: from the producer's side to the consumer's."""

    source: Joint
    sink: Joint
    is_turned: bool


@dataclass(frozen=True)
class Flat:
    """Boxes in the order of the outline, with what is open between them.

    `x`, `y` are centres; `row` numbers the ranks of this scope and of the open ones inside, which share none. `frames`
    (x, y, width, height) are the open groups inside. Segments hang on each other by `parent`: -1 at the box `owner`
    where a signal starts, -2 - p where it comes in through port p. `target` is the box where a wire ends, else -1.
    `port_segment` is the segment that leads out through a port, -1 where it leads in.
    """

    x: Floats
    y: Floats
    row: Ints
    rows: int
    width: float
    height: float
    port_x: Floats
    frames: Floats
    runs: Floats
    bent: Bools
    segment: Ints
    parent: Ints
    owner: Ints
    target: Ints
    port_segment: list[int]
    crossings: int
    approach: dict[int, tuple[int, ...]]  # by open member: ports that lines come to from above, by where they come from

    @property
    def boxes(self) -> int:
        return len(self.x)


Member = Flat | None  # an open group, or a box


def roots(parent: Ints) -> Ints:
    """For each segment the one at the start of its signal, as far as that is known here; by doubling steps."""
    root = np.where(parent < 0, np.arange(len(parent)), parent)
    while True:
        above = root[root]
        if np.array_equal(above, root):
            return root
        root = above


def flatten(solved: Solution, members: Sequence[Member], links: Sequence[Link]) -> Flat:
    """`solved` is the scope's own layout, its wires in the order of `links`; ports are nodes behind the members."""
    return _Join(solved, members, links).flat()


class _Join:
    def __init__(self, solved: Solution, members: Sequence[Member], links: Sequence[Link]) -> None:
        self._solved, self._members, self._links = solved, members, links
        self._open = [(node, flat) for node, flat in enumerate(members) if flat is not None]
        sizes = np.asarray([1 if flat is None else flat.boxes for flat in members], dtype=np.int64)
        self._box = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)  # first box of each member
        counts = [len(solved.parent), *(len(flat.parent) for _, flat in self._open)]
        self._start = np.concatenate([[0], np.cumsum(counts)]).tolist()  # first segment of the scope, then of each open
        self._place = {node: place for place, (node, _) in enumerate(self._open)}
        self._feeding: dict[int, list[tuple[int, int]]] = {}  # by open group: port, and the segment that leads to it
        for link, segment in zip(links, solved.wire_segment.tolist(), strict=True):
            self._feeding.setdefault(link.sink.node, []).append((link.sink.port, segment))

    def flat(self) -> Flat:
        solved, links = self._solved, self._links
        parent, owner, target = self._own_segments()
        port_segment = [-1] * len(solved.port_x)
        for index, link in enumerate(links):
            if link.sink.node >= len(self._members):
                port_segment[link.sink.node - len(self._members)] = int(solved.wire_segment[index])
        inner = [self._inner_segments(place) for place in range(len(self._open))]
        rows, row = self._rows()
        shifts = [self._corner(node, flat) for node, flat in self._open]
        return Flat(
            x=self._spread(solved.x, [flat.x + dx for (_, flat), (dx, _) in zip(self._open, shifts, strict=True)]),
            y=self._spread(solved.y, [flat.y + dy for (_, flat), (_, dy) in zip(self._open, shifts, strict=True)]),
            row=row,
            rows=rows,
            width=solved.width,
            height=solved.height,
            port_x=solved.port_x,
            frames=self._frames(shifts),
            runs=np.concatenate(
                [solved.runs, *(_moved(f.runs, s) for (_, f), s in zip(self._open, shifts, strict=True))]
            ),
            bent=np.concatenate([solved.bent, *(flat.bent for _, flat in self._open)]),
            segment=np.concatenate(
                [solved.segment, *(f.segment + s for (_, f), s in zip(self._open, self._start[1:], strict=False))]
            ),
            parent=np.concatenate([parent, *(part[0] for part in inner)]),
            owner=np.concatenate([owner, *(part[1] for part in inner)]),
            target=np.concatenate([target, *(part[2] for part in inner)]),
            port_segment=port_segment,
            crossings=solved.crossings + sum(flat.crossings for _, flat in self._open),
            approach=self._approach(),
        )

    def _approach(self) -> dict[int, tuple[int, ...]]:
        solved = self._solved
        order = np.argsort(solved.runs[:, 3], kind="stable")  # the lowest run of a segment is written last
        comes_from = np.zeros(len(solved.parent))
        comes_from[solved.segment[order]] = solved.runs[order, 0]
        found: dict[int, list[tuple[float, float, int]]] = {node: [] for node, _ in self._open}
        for link, segment in zip(self._links, solved.wire_segment.tolist(), strict=True):
            flat = self._members[link.sink.node] if link.sink.node < len(self._members) else None
            if flat is not None and not link.is_turned:
                place = float(flat.port_x[link.sink.port])
                found[link.sink.node].append((float(comes_from[segment]), place, link.sink.port))
        return {node: tuple(port for *_, port in sorted(ports)) for node, ports in found.items()}

    def _own_segments(self) -> tuple[Ints, Ints, Ints]:
        """Roots hang on a box, on what comes out of an open group, or on the border."""
        solved, members = self._solved, self._members
        parent, owner = solved.parent.copy(), np.full(len(solved.parent), -1, dtype=np.int64)
        target = np.full(len(solved.parent), -1, dtype=np.int64)
        ends = solved.wire_segment.tolist()
        tops = roots(solved.parent)[solved.wire_segment].tolist()
        for link, last, root in zip(self._links, ends, tops, strict=True):
            if link.sink.node < len(members) and link.sink.port < 0:
                target[last] = self._box[link.sink.node]
            parent[root], owner[root] = self._hook(link.source)
        return parent, owner, target

    def _hook(self, source: Joint) -> tuple[int, int]:
        """What the first segment of a signal hangs on: (parent, owner)."""
        if source.node >= len(self._members):
            return -2 - (source.node - len(self._members)), -1
        flat = self._members[source.node]
        if flat is None:
            return -1, int(self._box[source.node])
        return flat.port_segment[source.port] + self._start[1 + self._place[source.node]], -1

    def _inner_segments(self, place: int) -> tuple[Ints, Ints, Ints]:
        """Those of an open group; what came in through its ports hangs on the segments that lead there."""
        node, flat = self._open[place]
        feeding = np.full(len(flat.port_x) + 1, -1, dtype=np.int64)
        for port, segment in self._feeding.get(node, ()):
            feeding[port] = segment
        enters = flat.parent < -1
        inside = np.where(flat.parent < 0, -1, flat.parent + self._start[1 + place])
        first = int(self._box[node])
        return (
            np.where(enters, feeding[np.where(enters, -2 - flat.parent, -1)], inside),
            np.where(flat.owner < 0, -1, flat.owner + first),
            np.where(flat.target < 0, -1, flat.target + first),
        )

    def _corner(self, node: int, flat: Flat) -> tuple[float, float]:
        return float(self._solved.x[node]) - flat.width / 2, float(self._solved.y[node]) - flat.height / 2

    def _rows(self) -> tuple[int, Ints]:
        first = int(self._solved.rank.max(initial=-1)) + 1
        inner = []
        for _, flat in self._open:
            inner.append(flat.row + first)
            first += flat.rows
        return first, self._spread(self._solved.rank, inner)

    def _spread(self, own: np.ndarray, inner: list[np.ndarray]) -> np.ndarray:
        """Values of the boxes: the scope's own where a member is a box, else those of the open group."""
        result = np.empty(int(self._box[-1]), dtype=own.dtype)
        plain = np.asarray([flat is None for flat in self._members], dtype=np.bool_)
        result[self._box[:-1][plain]] = own[plain]
        for (node, flat), values in zip(self._open, inner, strict=True):
            result[self._box[node] : self._box[node] + flat.boxes] = values
        return result

    def _frames(self, shifts: list[tuple[float, float]]) -> Floats:
        found = [np.empty((0, 4))]
        for (_, flat), (dx, dy) in zip(self._open, shifts, strict=True):
            found += [np.asarray([[dx, dy, flat.width, flat.height]]), flat.frames + np.asarray([dx, dy, 0.0, 0.0])]
        return np.concatenate(found)


def _moved(runs: Floats, shift: tuple[float, float]) -> Floats:
    return runs + np.asarray([*shift, *shift])
