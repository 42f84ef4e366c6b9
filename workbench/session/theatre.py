"""The stage of the build theatre: which job stands there, how far it is, since when, and for how long still."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.events import LogLine
from workbench.core.run import Build, Run, Status
from workbench.core.stages import Stage
from workbench.pipeline.expecting import Expected, expected_build, reuse_words
from workbench.session.words import JOBS, PHASES, bytes_words, verbal_status

if TYPE_CHECKING:
    from workbench.session.session import Session

BUILD = ("build",)


class Scene(msgspec.Struct, frozen=True):
    """What is to be seen of a job. `stages` are phases with their seconds, `at` is where it is (ended: nowhere).

    `share` of the whole build is known (0..1) where `expected` says how long it takes; else that of the present phase.
    """

    job: str = ""
    title: str = ""
    is_running: bool = False
    headline: str = ""
    elapsed_s: float = 0.0
    expected: Expected | None = None
    memory: str = ""
    stages: tuple[Stage, ...] = ()
    at: tuple[str, ...] = ()
    share: float | None = None


class Theatre(QObject):
    """Shows the current run, and goes along to a job that begins; a click in the queue shows any other."""

    changed = Signal()  # another job stands on the stage

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.job = ""
        self._running = ""
        self._expected: tuple[str, Expected | None] = ("", None)
        session.current_changed.connect(self._follow_current)
        session.runs.ticked.connect(self._follow_queue)
        session.runs.busy_changed.connect(self._follow_queue)

    def show(self, job: str) -> None:
        if job != self.job:
            self.job = job
            self.changed.emit()

    def build_anew(self) -> Run | None:
        """Builds with these choices also where the same engine was built before."""
        return self._session.build(rebuild=True)

    def scene(self, job: str = "") -> Scene:
        """Of a job, waiting, running or ended; of the one on the stage where none is named."""
        job = job or self.job
        runs, run = self._session.runs, self._session.runs.get(job)
        if job in runs.jobs:
            return self._waiting(job, run) if job in runs.waiting else self._at_work(job, run)
        return _ended(run, runs.titles.of(run), runs.stages(job)) if run is not None else Scene()

    def log(self) -> list[LogLine]:
        """What the job on the stage has said; of one that failed also why."""
        lines, run = self._session.runs.log(self.job) if self.job else [], self._session.runs.get(self.job)
        if run is None or run.error is None or not run.status.is_final:
            return lines
        said = f"{run.error.message} {run.error.hint}".strip()
        if not any(line.text == said for line in lines):  # the run itself may have said it
            lines = [*lines, LogLine(run.id, said, "error")]
        return [*lines, *(LogLine(run.id, text, "debug") for text in run.error.detail.splitlines())]

    def title_of(self, job: str) -> str:
        run, kind = self._session.runs.get(job), self._session.runs.jobs.get(job, "")
        return self._session.runs.titles.of(run) if run is not None else JOBS.get(kind, kind.capitalize() or job)

    def _waiting(self, job: str, run: Run | None) -> Scene:
        return Scene(job, self.title_of(job), headline="Waiting in the queue", expected=self._expect(run))

    def _at_work(self, job: str, run: Run | None) -> Scene:
        live, expected = self._session.runs.live[job], self._expect(run)
        progress = live.progress
        peak = f", at most {bytes_words(live.peak_rss_bytes)}" if live.peak_rss_bytes > 1.05 * live.rss_bytes else ""
        share = progress.done / progress.total if progress.total else None
        building = next((stage.seconds for stage in live.stages if stage.path == BUILD), 0.0)
        is_building = live.at[:1] == BUILD
        if is_building and expected is not None:
            share = building / expected.seconds if building < expected.seconds else None
        return Scene(
            job=job,
            title=self.title_of(job),
            is_running=True,
            headline=PHASES.get(progress.phase, progress.phase.capitalize()),
            elapsed_s=live.elapsed_s,
            expected=expected if is_building or not live.stages else None,
            memory=f"{bytes_words(live.rss_bytes)}{peak}" if live.rss_bytes else "",
            stages=live.stages,
            at=live.at,
            share=share,
        )

    def _expect(self, run: Run | None) -> Expected | None:
        """Asked once a job: history does not change meanwhile."""
        session = self._session
        if run is None or session.model is None or session.model.sha256 not in (run.model_sha256, ""):
            return None
        if self._expected[0] != run.id:
            others = [other for other in session.runs if other.id != run.id]
            self._expected = (run.id, expected_build(others, session.model, run.config))
        return self._expected[1]

    def _follow_current(self, run: Run | None) -> None:
        self.show(run.id if run is not None else self._running)

    def _follow_queue(self, _news: object = None) -> None:
        """Along to a job that begins, but not away from one that is looked at and has not ended."""
        running = self._session.runs.running
        if running and running != self._running and self.job not in self._session.runs.jobs:
            self.show(running)
        self._running = running


def build_words(build: Build) -> str:
    """`built in 12.3 s`, `built 2 h ago in 12 s, reused`"""
    return reuse_words(build.reused) if build.reused is not None else f"built in {build.seconds:.1f} s"


def _ended(run: Run, title: str, stages: tuple[Stage, ...]) -> Scene:
    words = {Status.DONE: "Done"}.get(run.status, verbal_status(run).capitalize())
    if run.build is not None and run.build.reused is not None:
        words = f"{words}: engine {reuse_words(run.build.reused)}"
    peak = run.build.peak_rss_bytes if run.build is not None else 0
    memory = f"at most {bytes_words(peak)} for the build" if peak else ""
    return Scene(run.id, title, headline=words, elapsed_s=run.seconds, memory=memory, stages=stages)
