"""A tree of open groups laid out from the inside: each on its own, equal ones once, then put together.

A line from inside one group into another is cut at every border between: it leaves and enters through ports. Whether
through the upper or the lower border is known before anything is placed: cycles among members are broken first.
Each group is laid out as if it stood alone; then its upper ports take the order in which lines come, if fewer cross.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from workbench.views.canvas.layout_flat import Flat, Joint, Link, flatten
from workbench.views.canvas.layout_problem import Check, Ints, Problem, Wire
from workbench.views.canvas.layout_rank import back_arrows
from workbench.views.canvas.layout_solve import solve

HEADER = 26.0  # of an open group
SIDE, FOOT = 16.0, 16.0  # what an open group keeps free around its members
ROOT = -1
AGAIN = 2  # so often groups are laid out again for fewer crossings at their upper borders


@dataclass(frozen=True)
class Outline:
    """What is drawn: boxes 0..n-1 of `height`, then open groups n, n+1 ...; all in depth-first order, parents first.

    `parent` is the open group around each (as n + its number) or -1; `headers` the least width of each open group.
    `edges` (k, 2) lead from box to box.
    """

    widths: list[float]
    height: float
    parent: list[int]
    headers: list[float]
    edges: Ints

    @property
    def boxes(self) -> int:
        return len(self.widths)


class _Port(NamedTuple):
    """Where a signal passes a group's border. `is_low`: through the lower one."""

    box: int  # that makes the signal
    is_in: bool
    is_low: bool


class _Link(NamedTuple):
    source: int  # entry, or own port where `source_port` is one and the entry is the scope itself
    source_port: _Port | None
    sink: int
    sink_port: _Port | None
    is_turned: bool


@dataclass
class _Scope:
    """One open group, or the whole. Entries are boxes and open groups directly inside."""

    entries: list[int] = field(default_factory=list)
    arrows: dict[tuple[int, int, int], None] = field(default_factory=dict)  # entry, entry, box that makes the signal
    enters: dict[int, dict[int, None]] = field(default_factory=dict)  # by box outside: entries that read it
    leaves: dict[int, int] = field(default_factory=dict)  # by box inside that is read outside: the entry it is in
    asked: dict[_Port, None] = field(default_factory=dict)
    ports: list[_Port] = field(default_factory=list)
    links: list[_Link] = field(default_factory=list)


class Memo:
    """Layouts of groups by their structure; those that KEPT pictures did not need are forgotten.

    Keys name inner layouts by identity: they live at least as long as the outer ones that hold them.
    """

    KEPT = 1

    def __init__(self) -> None:
        self._found: dict[Hashable, Flat] = {}
        self._used: dict[Hashable, int] = {}
        self._picture = 0

    def __len__(self) -> int:
        return len(self._found)

    def begin(self) -> None:
        """Another picture."""
        self._picture += 1
        for key in [key for key, used in self._used.items() if used < self._picture - self.KEPT]:
            del self._found[key], self._used[key]

    def get(self, key: Hashable, make: Callable[[], Flat]) -> Flat:
        if key not in self._found:
            self._found[key] = make()
        self._used[key] = self._picture
        return self._found[key]


def arrange_tree(outline: Outline, memo: Memo, check: Check) -> Flat:
    """Layouts that `memo` has are taken from there, others are added to it."""
    memo.begin()
    return _Tree(outline, memo, check).run()


class _Tree:
    def __init__(self, outline: Outline, memo: Memo, check: Check) -> None:
        self._outline, self._memo, self._check = outline, memo, check
        self._boxes = outline.boxes
        groups = len(outline.parent) - outline.boxes
        self._scopes = [_Scope() for _ in range(groups + 1)]  # the last is the whole
        self._depth = [0] * len(outline.parent)
        self._flats: list[Flat | None] = [None] * groups
        self._entries: list[tuple[int, ...]] = [()] * groups  # the order that is asked of each group's top ports

    def run(self) -> Flat:
        self._enter_members()
        self._cut_edges()
        for group in (ROOT, *range(len(self._flats))):
            self._find_ports(group)
        best = self._solve()
        for _ in range(AGAIN):
            if best.crossings == 0 or not self._ask_for_entries(best):
                break
            flat = self._solve()
            if flat.crossings >= best.crossings:
                break
            best = flat
        return best

    def _solve(self) -> Flat:
        """From the inside outwards."""
        for group in reversed(range(len(self._flats))):
            self._flats[group] = self._lay_out(group)
        return self._lay_out(ROOT)

    def _ask_for_entries(self, whole: Flat) -> bool:
        """From the outside inwards: ports of the top stand as the lines to them come. False where nothing is new."""
        before, self._entries = self._entries, [()] * len(self._flats)
        for scope, flat in zip(self._scopes, (*self._flats, whole), strict=True):
            for place, ports in flat.approach.items() if flat is not None else ():
                group = scope.entries[place] - self._boxes
                tops = sum(not port.is_low for port in self._scopes[group].ports)
                if 1 < len(ports) == tops:
                    self._entries[group] = ports
        return self._entries != before

    def _scope(self, entry: int) -> _Scope:
        """The one of an open group's entry, or of -1."""
        return self._scopes[entry - self._boxes if entry >= 0 else ROOT]

    def _enter_members(self) -> None:
        parent, boxes = self._outline.parent, self._outline.boxes
        for entry in range(boxes, len(parent)):
            self._depth[entry] = self._depth[parent[entry]] + 1 if parent[entry] >= 0 else 1
        first: dict[int, int] = {}
        for box in range(boxes):
            entry = box
            while entry not in first:  # an open group stands where its first box does
                first[entry] = box
                self._scope(parent[entry]).entries.append(entry)
                if parent[entry] < 0:
                    break
                entry = parent[entry]

    def _cut_edges(self) -> None:
        """Each edge is an arrow in the scope that holds both its ends, and passes the borders between."""
        parent, scope = self._outline.parent, self._scope
        for a, b in self._outline.edges.tolist():
            if a == b:
                continue
            x, y = a, b
            if parent[x] != parent[y]:
                x, y = self._climb(a, b)
            scope(parent[x]).arrows[x, y, a] = None

    def _climb(self, a: int, b: int) -> tuple[int, int]:
        parent, depth = self._outline.parent, self._depth
        x, y = a, b
        while parent[x] != parent[y]:
            above_x = depth[parent[x]] if parent[x] >= 0 else 0
            above_y = depth[parent[y]] if parent[y] >= 0 else 0
            if above_x >= above_y:
                self._scope(parent[x]).leaves[a] = x
                x = parent[x]
            if above_y >= above_x:
                self._scope(parent[y]).enters.setdefault(a, {})[y] = None
                y = parent[y]
        return x, y

    def _find_ports(self, group: int) -> None:
        """The scope's own ports are known: its parents came first. Asks those of its open members."""
        scope = self._scopes[group]
        order = {box: place for place, box in enumerate(scope.enters)}
        scope.ports = sorted(
            scope.asked, key=lambda port: (port.is_low, port.is_in, order[port.box] if port.is_in else port.box)
        )
        place = {entry: i for i, entry in enumerate(scope.entries)}
        back = back_arrows(len(place), [(place[x], place[y]) for x, y, _ in scope.arrows])
        for x, y, box in scope.arrows:
            is_turned = bool(back) and (place[x], place[y]) in back
            source = None if x < self._boxes else self._ask(x, _Port(box, is_in=False, is_low=not is_turned))
            sink = None if y < self._boxes else self._ask(y, _Port(box, is_in=True, is_low=is_turned))
            scope.links.append(_Link(x, source, y, sink, is_turned))
        for port in scope.ports:
            self._link_port(scope, port)

    def _link_port(self, scope: _Scope, port: _Port) -> None:
        """From an own port to the entries that read it, or from the entry that makes it."""
        is_turned = port.is_low == port.is_in
        if not port.is_in:
            x = scope.leaves[port.box]
            scope.links.append(_Link(x, self._ask(x, port), ROOT, port, is_turned))
            return
        for y in scope.enters[port.box]:
            scope.links.append(_Link(ROOT, port, y, self._ask(y, port), is_turned))

    def _ask(self, entry: int, port: _Port) -> _Port | None:
        if entry < self._boxes:
            return None
        self._scopes[entry - self._boxes].asked[port] = None
        return port

    def _lay_out(self, group: int) -> Flat:
        self._check()
        scope = self._scopes[group]
        members = [self._flat(entry) for entry in scope.entries]
        links = self._joints(scope)
        sizes = [self._outline.widths[e] if f is None else id(f) for e, f in zip(scope.entries, members, strict=True)]

        def make() -> Flat:
            return flatten(solve(self._problem(scope, members, links, group), self._check), members, links)

        if group == ROOT:  # there is only one
            return make()
        borders = tuple(port.is_low for port in scope.ports)
        key = (self._outline.headers[group], tuple(sizes), borders, tuple(links), self._entries[group])
        return self._memo.get(key, make)

    def _flat(self, entry: int) -> Flat | None:
        return None if entry < self._boxes else self._flats[entry - self._boxes]

    def _joints(self, scope: _Scope) -> list[Link]:
        """Links by place in the scope: what makes scopes of one structure equal."""
        place = {entry: i for i, entry in enumerate(scope.entries)}
        own = {port: len(place) + i for i, port in enumerate(scope.ports)}
        numbers: dict[int, dict[_Port, int]] = {}

        def joint(entry: int, port: _Port | None) -> Joint:
            if port is None:
                return _joint(place[entry])
            if entry < 0:
                return _joint(own[port])
            if entry not in numbers:
                numbers[entry] = {port: i for i, port in enumerate(self._scope(entry).ports)}
            return _joint(place[entry], numbers[entry][port])

        return [
            Link(joint(link.source, link.source_port), joint(link.sink, link.sink_port), link.is_turned)
            for link in scope.links
        ]

    def _problem(self, scope: _Scope, members: list[Flat | None], links: list[Link], group: int) -> Problem:
        outline = self._outline
        widths = [outline.widths[e] if f is None else f.width for e, f in zip(scope.entries, members, strict=True)]
        tops = sum(not port.is_low for port in scope.ports)
        is_group = group >= 0
        return Problem(
            widths=widths,
            heights=[outline.height if flat is None else flat.height for flat in members],
            loose=[flat is None for flat in members],
            tops=tops,
            bottoms=len(scope.ports) - tops,
            wires=_wires(members, links),
            head=HEADER if is_group else 0.0,
            foot=FOOT if is_group else 0.0,
            side=SIDE if is_group else 0.0,
            least_width=outline.headers[group] if is_group else 0.0,
            entry=self._entries[group] if is_group else (),
        )


@lru_cache(maxsize=4096)
def _joint(node: int, port: int = -1) -> Joint:
    return Joint(node, port)


def _wires(members: list[Flat | None], links: list[Link]) -> list[Wire]:
    """What is drawn from above to below. A turned link runs alone: it does not come from its upper end."""

    def at(joint: Joint) -> float:
        flat = members[joint.node] if joint.node < len(members) else None
        return 0.0 if flat is None else float(flat.port_x[joint.port]) - flat.width / 2

    signals: dict[Hashable, int] = {}
    wires = []
    for index, link in enumerate(links):
        upper, lower = (link.sink, link.source) if link.is_turned else (link.source, link.sink)
        signal = signals.setdefault(index if link.is_turned else link.source, len(signals))
        wires.append(Wire(signal, upper.node, lower.node, at(upper), at(lower)))
    return wires
