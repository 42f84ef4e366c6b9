"""Two engines: another run's beside the current run's, aligned through the source nodes that their layers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.alignment import Alignment
from workbench.core.run import EngineGraph, Run
from workbench.session.selection import Links, Selection, Side

if TYPE_CHECKING:
    from workbench.session.session import Session


class EnginePair(QObject):
    """A, the first engine, is chosen here; B is that of the session's current run."""

    changed = Signal()  # on or off, another first run, or its engine has come

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._is_on = False
        self._chosen = ""
        self._linked: EngineGraph | None = None
        self._links = Links(None, None)
        self._aligned: tuple[tuple[object, ...], Alignment] | None = None
        session.engine_changed.connect(self._follow)
        session.runs.changed.connect(self._follow)
        session.runs.engine_changed.connect(self._follow)

    @property
    def is_on(self) -> bool:
        return self._is_on

    @property
    def is_possible(self) -> bool:
        """Whether the open model has two runs with an engine."""
        return len(self.candidates()) > 1

    def candidates(self) -> list[Run]:
        """Runs of the open model that have an engine graph, newest first."""
        session = self._session
        return [run for run in session.runs if session.is_of_model(run) and run.build is not None]

    @property
    def run(self) -> Run | None:
        """A: the one chosen, else the baseline, else the newest that is not the current one."""
        current = self._session.current
        others = [run for run in self.candidates() if current is None or run.id != current.id]
        baseline = self._session.baseline
        wanted = (self._chosen, baseline.id if baseline is not None else "")
        return next((run for key in wanted for run in others if run.id == key), others[0] if others else None)

    @property
    def engine(self) -> EngineGraph | None:
        """Of the first run; None while only one engine is shown."""
        return self._session.runs.engine(self.run.id) if self._is_on and self.run is not None else None

    @property
    def links(self) -> Links:
        """From the source nodes to the first engine."""
        return self._links

    @property
    def layer_ms(self) -> Mapping[str, float]:
        return self._session.runs.layer_ms(self.run.id) if self._is_on and self.run is not None else {}

    @property
    def alignment(self) -> Alignment | None:
        """Of the first engine with the current one; None where there are not two."""
        from workbench.pipeline.alignment import align

        a, b, current = self.engine, self._session.engine, self._session.current
        if a is None or b is None or current is None:
            return None
        times = self.layer_ms, self._session.runs.layer_ms(current.id)
        key = (id(a), id(b), *(sum(ms.values()) for ms in times))
        if self._aligned is None or self._aligned[0] != key:
            self._aligned = key, align(a, b, *times)
        return self._aligned[1]

    def difference_ms(self, *, of_first: bool) -> dict[str, float]:
        """B's time minus A's, of each group in equal parts on its layers there; empty where one was not timed."""
        found: dict[str, float] = {}
        for group in self.alignment.groups if self.alignment is not None else ():
            layers, difference = group.a if of_first else group.b, group.difference_ms
            if difference is not None:
                found |= dict.fromkeys(layers, difference / len(layers) if layers else 0.0)
        return found

    def toggle(self) -> None:
        self.set_on(not self._is_on)

    def set_on(self, is_on: bool) -> None:
        """Two engines side by side, or the source and one engine."""
        if is_on != self._is_on and (self.is_possible or not is_on):
            self._is_on = is_on
            self._relink()

    def set_run(self, run_id: str) -> None:
        """Chooses A. The current run becomes A by changing places with it."""
        session, before = self._session, self.run
        if session.current is not None and run_id == session.current.id and before is not None:
            self._chosen = run_id
            session.set_current(before.id)
        elif run_id != self._chosen:
            self._chosen = run_id
            self._relink()

    def swap(self) -> None:
        """A becomes B and B becomes A."""
        if self._session.current is not None:
            self.set_run(self._session.current.id)

    def select(self, layers: Iterable[str]) -> None:
        """Selects layers of the first engine, and through their sources nodes and layers of the other."""
        chosen = frozenset(layer for layer in layers if layer in self._links.layers)
        nodes = self._links.nodes_of(chosen)
        self._session.select(Selection(nodes, self._session.links.layers_of(nodes), chosen, Side.FIRST))

    def select_both(self, first: Iterable[str], layers: Iterable[str]) -> None:
        """Selects these layers of A and of B, and the nodes they were made of."""
        links, known = self._session.links, self._links.layers
        a = frozenset(layer for layer in first if layer in known)
        b = frozenset(layer for layer in layers if layer in links.layers)
        self._session.select(Selection(self._links.nodes_of(a) | links.nodes_of(b), b, a, Side.FIRST))

    def completed(self, selection: Selection) -> Selection:
        """With the layers of the first engine that the selected nodes went to."""
        if selection.chosen is Side.FIRST:
            return selection
        return msgspec.structs.replace(selection, first=self._links.layers_of(selection.nodes))

    def _follow(self, _news: object = None) -> None:
        if self._is_on:
            self._is_on = self.is_possible
            self._relink()

    def _relink(self) -> None:
        """What is selected stays as it was chosen, unless A has another engine now."""
        engine, session = self.engine, self._session
        if engine is not self._linked:
            self._linked, self._links = engine, Links(session.model if engine is not None else None, engine)
            session.selection = self.completed(session.links.again(session.selection))
        self.changed.emit()
        session.selection_changed.emit(session.selection)
