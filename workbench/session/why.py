"""Why the current run is faster or slower than another: the waterfall from one median to the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject

from workbench.core.run import Run
from workbench.core.waterfall import Waterfall
from workbench.session.baseline import stats_of, timed_apart
from workbench.session.selection import Selection, Side

if TYPE_CHECKING:
    from workbench.session.session import Session


class Why(QObject):
    """From A to B. B is the current run."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._made: tuple[tuple[object, ...], Waterfall] | None = None

    @property
    def first(self) -> Run | None:
        """A: that of two engines side by side; else the other run of two that are compared; else the baseline."""
        session, current = self._session, self._session.current
        if current is None:
            return None
        if session.pair.is_on:
            return session.pair.run
        others = [session.runs.get(run_id) for run_id in session.compared if run_id != current.id]
        wanted = [*(others if len(others) == 1 else []), session.baseline, *others]
        return next((run for run in wanted if run is not None and run.id != current.id and _is_timed(run)), None)

    @property
    def waterfall(self) -> Waterfall | None:
        """None where there are not two runs of one model whose layers were timed, with inputs of the same shapes; and
        where the latency of the whole was one under load, of which times of layers tell nothing."""
        a, b = self.first, self._session.current
        if a is None or b is None or a.model_sha256 != b.model_sha256 or not (_is_timed(a) and _is_timed(b)):
            return None
        if a.timing is not None and b.timing is not None and not a.timing.is_like(b.timing):
            return None
        raced = self._session.races.medians_ms(a, b)
        if raced is None and (timed_apart(a, b) is not None or (b.timing is not None and b.timing.streams > 1)):
            return None
        if self._made is None or self._made[0] != (a.id, b.id, raced):
            made = self._make(a, b, raced)
            self._made = ((a.id, b.id, raced), made) if made is not None else None
        return self._made[1] if self._made is not None else None

    def _make(self, a: Run, b: Run, raced: tuple[float, float] | None) -> Waterfall | None:
        """With medians that were timed interleaved where the two have raced: these can be believed."""
        from workbench.pipeline.alignment import align
        from workbench.pipeline.waterfall import waterfall

        engines = self._session.runs.engine(a.id), self._session.runs.engine(b.id)
        if engines[0] is None or engines[1] is None or a.timing is None or b.timing is None:
            return None
        both, times = (engines[0], engines[1]), (a.timing.layers, b.timing.layers)
        own = [stats.median_ms if (stats := stats_of(run)) else 0.0 for run in (a, b)]
        passes = a.timing.layers_latency_ms, b.timing.layers_latency_ms
        found = waterfall(align(*both, *times), both, times, raced or (own[0], own[1]), passes)
        return msgspec.structs.replace(found, is_raced=raced is not None)

    def select(self, nodes: Iterable[str], a: Iterable[str], b: Iterable[str]) -> None:
        """Selects blocks: source nodes, layers of B and, where its engine is seen, of A."""
        session = self._session
        links, first = session.links, session.pair.links
        known = links.by_nodes(nodes)
        layers = known.layers | {layer for layer in b if layer in links.layers}
        added = first.layers_of(known.nodes) | {layer for layer in a if layer in first.layers}
        if layers or known.nodes or added:
            side = Side.SOURCE if known.nodes else Side.ENGINE if layers else Side.FIRST
            session.select(Selection(known.nodes, layers, added, side))


def _is_timed(run: Run) -> bool:
    return stats_of(run) is not None and run.timing is not None and bool(run.timing.layers)
