"""Races of the compared runs: started here, and what they said of each run against the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.run import Race, RaceEntry, Run
from workbench.session.baseline import stats_of
from workbench.store import RaceBook

if TYPE_CHECKING:
    from workbench.session.session import Session


class Raced(msgspec.Struct, frozen=True):
    """What a race said of one run, and the race: its protocol, its rounds, the machine at the time."""

    race: Race
    entry: RaceEntry


class Races(QObject):
    """The newest race of two runs counts, of this window or of the command line."""

    ended = Signal(object)  # Race: one that came to its end

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._book = RaceBook(session.runs.store.root)
        session.runs.finished.connect(self._finished)

    @property
    def racers(self) -> tuple[str, ...]:
        """The compared runs of the open model that can be raced: those timed here. The baseline comes first."""
        session = self._session
        runs = [run for run_id in session.compared if (run := session.runs.get(run_id)) is not None]
        ids = [run.id for run in runs if session.is_of_model(run) and stats_of(run) is not None and not run.imported]
        first = session.baseline
        return tuple(sorted(ids, key=lambda run_id: first is None or run_id != first.id))

    @property
    def is_possible(self) -> bool:
        return len(self.racers) > 1

    def start(self) -> None:
        """Times the compared runs interleaved, the baseline first."""
        try:
            self._session.runs.race(self.racers, self._session.settings.get("race_seconds"))
        except WorkbenchError as error:
            self._session.show_error(error)

    def of(self, run: Run | None) -> Raced | None:
        """What interleaved timing says of a run against the baseline; None where the two have not raced."""
        first = self._session.baseline
        found = self._book.find(first.id, run.id) if run is not None and first is not None else None
        return Raced(*found) if found is not None else None

    def medians_ms(self, a: Run, b: Run) -> tuple[float, float] | None:
        """Of the newest race of the two, whichever was the first in it; None where they never raced."""
        for first, second in ((a, b), (b, a)):
            if found := self._book.find(first.id, second.id):
                medians = {entry.run: entry.median_ms for entry in found[0].entries}
                return medians[a.id], medians[b.id]
        return None

    def _finished(self, result: object) -> None:
        """The engines that it built are of no more use."""
        if not isinstance(result, Race):
            return
        try:
            self._session.runs.store.delete(result.id)
            if result.error is None:
                self._book.add(result)
        except WorkbenchError as error:
            self._session.show_error(error)
        if result.error is None:
            self.ended.emit(result)
