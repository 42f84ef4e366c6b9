"""The search over all graphs that are shown: what is looked for, what was found, and which of it one is at."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from workbench.core.graph import Layer
from workbench.session.search_index import SearchIndex, parse
from workbench.session.selection import Selection, Side

if TYPE_CHECKING:
    from workbench.session.session import Session

SLICE, IDLE_MS = 2000, 20  # layers whose texts are made at a time


class Hit(msgspec.Struct, frozen=True):
    """A node or layer that was found, and the graph it is in."""

    side: Side
    id: str


class GraphSearch(QObject):
    """One search over the graphs that are shown: what is looked for, what was found, and which of it one is at.

    `end` with `restore` gives back the selection that was there before.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._indexes: dict[Side, SearchIndex] = {}
        self._before: Selection | None = None
        self.text = ""
        self.at = -1
        self._found: dict[Side, tuple[str, ...]] = {}
        self._idle = QTimer(self)
        self._idle.setInterval(IDLE_MS)
        self._idle.timeout.connect(self._prepare)
        session.model_changed.connect(self._forget)
        for news in (session.model_changed, session.engine_changed, session.pair.changed):
            news.connect(self._graphs_changed)
        self._graphs_changed()

    @property
    def count(self) -> int:
        """Hits in all graphs."""
        return sum(map(len, self._found.values()))

    @property
    def hits(self) -> Iterator[Hit]:
        """All of them, graph after graph."""
        return (Hit(side, key) for side, ids in self._found.items() for key in ids)

    @property
    def current(self) -> Hit | None:
        return next(islice(self.hits, self.at, None), None) if self.at >= 0 else None

    @property
    def is_on(self) -> bool:
        """Whether something is looked for, in some graph."""
        return bool(parse(self.text) and self._indexes)

    def found(self, side: Side) -> tuple[str, ...]:
        """In the order of the graph."""
        return self._found.get(side, ())

    def words(self) -> str:
        """`3 of 17`, `17 found`, `Nothing found`."""
        if not self.count:
            return "Nothing found"
        return f"{self.at + 1:,} of {self.count:,}" if self.at >= 0 else f"{self.count:,} found"

    def best(self, side: Side, text: str, most: int) -> list[Layer]:
        """Layers of one graph for a list, the best first."""
        index = self._indexes.get(side)
        return index.best(text, most) if index is not None else []

    def look_for(self, text: str) -> None:
        """Finds anew; where the search is at is forgotten."""
        if self._before is None and parse(text):
            self._before = self._session.selection
        self.text, self.at = text, -1
        self._find()

    def step(self, step: int) -> None:
        """To the next hit (1) or the one before (-1), around the ends; it becomes the selection."""
        if not self.count:
            return
        start = self.at if self.at >= 0 else (-1 if step > 0 else 0)
        self.at = (start + step) % self.count
        hit, session = self.current, self._session
        assert hit is not None
        select = {Side.SOURCE: session.select_nodes, Side.FIRST: session.pair.select}
        select.get(hit.side, session.select_layers)([hit.id])
        self.changed.emit()

    def end(self, *, restore: bool) -> None:
        before, self._before = self._before, None
        self.text, self._found, self.at = "", {}, -1
        if restore and before is not None:
            self._session.select(before)
        self.changed.emit()

    def _forget(self, _model: object) -> None:
        """What was selected before the search was of another model."""
        self._before = None

    def _graphs_changed(self, _news: object = None) -> None:
        session, pair = self._session, self._session.pair
        engine = session.engine.graph if session.engine else None
        first = pair.engine.graph if pair.is_on and pair.engine else None
        source = session.model.graph if session.model and not pair.is_on else None
        graphs = {Side.SOURCE: source, Side.FIRST: first, Side.ENGINE: engine}
        if self._before is not None and any(index.graph is not graphs[side] for side, index in self._indexes.items()):
            self._before = pair.completed(session.links.again(self._before))
        known = {id(index.graph): index for index in self._indexes.values()}
        self._indexes = {
            side: known.get(id(graph)) or SearchIndex(graph) for side, graph in graphs.items() if graph is not None
        }
        self._idle.start()
        if parse(self.text):
            self._find()

    def _find(self) -> None:
        current = self.current
        self._found = {side: tuple(index.find(self.text)) for side, index in self._indexes.items()}
        self.at = next((at for at, hit in enumerate(self.hits) if hit == current), -1) if current else -1
        self.changed.emit()

    def _prepare(self) -> None:
        """Texts are made while nothing else is done, so that the first key waits for nothing."""
        if not any(index.prepare(SLICE) for index in self._indexes.values()):
            self._idle.stop()
