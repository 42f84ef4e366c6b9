"""Tuning: the search for the options that run the current run's engine fastest, live and kept with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.run import Run, Status
from workbench.core.tuning import Trial, TuneRequest, Tuning, options_words
from workbench.session.baseline import stats_of

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "tune"


class Tunings(QObject):
    """One search at a time. Its result is kept by content too, where every later build finds it (`Choices.tuned`)."""

    changed = Signal()  # begun, a trial more, ended, or another run is the current one

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._job = self._run = ""
        self._known: tuple[str, Tuning | None] = ("", None)
        session.runs.ticked.connect(self._ticked)
        session.runs.finished.connect(self._finished)
        session.current_changed.connect(self._follow)

    @property
    def is_at_work(self) -> bool:
        """Whether what is searched for is the current run's."""
        return bool(self._job) and self._session.current is not None and self._session.current.id == self._run

    @property
    def is_possible(self) -> bool:
        """A finished run that ran here, and no search at work."""
        run = self._session.current
        is_done = run is not None and run.status is Status.DONE and not run.imported
        return not self._job and is_done and stats_of(run) is not None

    @property
    def result(self) -> Tuning | None:
        """Of the current run: its last search that came to its end."""
        run = self._session.current
        if run is None:
            return None
        if self._known[0] != run.id:
            self._known = (run.id, self._read(run))
        return self._known[1]

    @property
    def trials(self) -> tuple[Trial, ...]:
        """Tried so far, the fastest first; of the result where nothing is at work."""
        if not self.is_at_work:
            return self.result.trials if self.result is not None else ()
        live = self._session.runs.live.get(self._job)
        return tuple(sorted(live.trials.values() if live else (), key=lambda trial: -trial.speedup))

    def start(self) -> None:
        """Puts the search for the current run into the queue."""
        session, run = self._session, self._session.current
        if run is None or not self.is_possible:
            return
        try:
            request = session.runs.store.request(run.id)
            if request is None:
                raise WorkbenchError("This run is not whole.", "Build it again.")
            job, folder = session.runs.store.new_folder()
        except WorkbenchError as error:
            session.show_error(error)
            return
        self._job, self._run = job, run.id
        session.runs.start(TuneRequest(job, str(folder), request, session.settings.get("tune_seconds")), JOB)
        self.changed.emit()

    def choose(self, is_tuned: bool) -> None:
        """Whether the next build takes tuned options, as one undoable choice."""
        self._session.choose("Tuned options" if is_tuned else "Default options", tuned=is_tuned)

    def _read(self, run: Run) -> Tuning | None:
        try:
            return self._session.runs.store.tuning(run.id)
        except WorkbenchError:
            return None  # it can be searched again

    def _follow(self, _run: object = None) -> None:
        self.changed.emit()

    def _ticked(self, ids: frozenset[str]) -> None:
        if self._job in ids:
            self.changed.emit()

    def _finished(self, result: object) -> None:
        if not isinstance(result, Tuning) or result.id != self._job:
            return
        self._job = self._run = ""
        store = self._session.runs.store
        try:
            if result.error is None:
                store.keep_tuning(result)
                self._known = ("", None)
            store.delete(result.id)
        except WorkbenchError as error:
            self._session.show_error(error)
        if result.error is None:
            self._tell(result)
        self.changed.emit()

    def _tell(self, result: Tuning) -> None:
        from workbench.session.session import Message

        run = self._session.runs.get(result.run)
        title = self._session.runs.titles.of(run) if run is not None else "This run"
        if not result.best:
            text = f"{title}: the default options stay, nothing beat them beyond noise."
            self._session.show(Message(text, f"The best that was tried: {result.verdict}.", is_error=False))
            return
        best = options_words(result.best)
        text = (
            f"{title}: {best} is {result.speedup:.2f}× as fast, 95 % interval {result.low:.2f}× to {result.high:.2f}×."
        )
        actions = (("Build with tuned options", lambda: self._build(result.run)),)
        self._session.show(Message(text, "", is_error=False, actions=actions))

    def _build(self, run_id: str) -> None:
        """Like the run that was tuned, with what was found; the next builds are tuned as well."""
        run = self._session.runs.get(run_id)
        if run is not None and self._session.is_of_model(run):
            choices = msgspec.structs.replace(self._session.choices.like(run), tuned=True)
            self._session.choose_all(choices, "Tuned options")
            self._session.build()
