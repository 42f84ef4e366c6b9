"""The roofline of the current run: its layers under the ceilings of this machine, or of a GPU that is not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from workbench.core.ceilings import Ceilings, CeilingsRequest, MeasuredCeilings
from workbench.core.errors import WorkbenchError
from workbench.core.gpus import DEFAULT_TARGET, GPUS, gpu_ceilings, gpus_of
from workbench.core.roofline import Roofline
from workbench.core.run import EngineGraph, Run
from workbench.core.titles import TENSORRT, engine_maker
from workbench.store import CeilingBook

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "ceilings"
NO_CEILINGS = "What can this machine do at most? Measure its ceilings once: about twenty seconds."
NO_COSTS = "This run was made before layers were counted: build it again."
NO_ENGINE = "Build a model: its layers appear here under the roof of the machine."


class Rooflines(QObject):
    """Ceilings are measured once a machine, by a job, and kept; rooflines are made when they are asked for."""

    changed = Signal()  # ceilings were measured, or another GPU is chosen

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._book = CeilingBook(session.runs.store.root)
        self._job = ""
        self._known: dict[tuple[str, int], Ceilings | None] = {}
        self._made: tuple[tuple[object, ...], Roofline] | None = None
        session.runs.finished.connect(self._finished)

    @property
    def is_at_work(self) -> bool:
        return bool(self._job)

    @property
    def is_possible(self) -> bool:
        return not self._job

    @property
    def gpus(self) -> tuple[str, ...]:
        """Those the current run's engine was built for; () where it runs on this machine."""
        run = self._session.current
        if run is None or engine_maker(run.config.backend) != TENSORRT:
            return ()
        return gpus_of(run.config.target or self._default_target())

    @property
    def gpu(self) -> str:
        """The one chosen among them; "" where there is none."""
        chosen: str = self._session.settings.get("gpu")
        return chosen if chosen in self.gpus else next(iter(self.gpus), "")

    def choose_gpu(self, name: str) -> None:
        """Whose datasheet is the roof."""
        if name in GPUS:
            self._session.settings.set("gpu", name)
            self.changed.emit()

    @property
    def ceilings(self) -> Ceilings | None:
        """Of the machine that the current run's engine runs on; None where they are not known."""
        run = self._session.current
        if run is None:
            return None
        if self.gpus:
            return gpu_ceilings(self.gpu)
        return self._of_machine(run) if not run.imported else None

    @property
    def reason(self) -> str:
        """Why there is no roofline; "" where there is one."""
        session, run = self._session, self._session.current
        if run is None or session.engine is None:
            return NO_ENGINE
        if run.imported and not self.gpus:
            return "This engine was measured elsewhere, on a machine whose ceilings are not known."
        if self.ceilings is None:
            return "The ceilings of this machine are being measured …" if self._job else NO_CEILINGS
        return "" if session.engine.costs else NO_COSTS

    @property
    def can_measure(self) -> bool:
        """Whether measuring is what is missing."""
        return self.reason == NO_CEILINGS

    def get(self) -> Roofline | None:
        """Of the current run; its times are those measured so far."""
        run, engine, ceilings = self._session.current, self._session.engine, self.ceilings
        if run is None or engine is None or ceilings is None or self.reason:
            return None
        times = self._session.runs.layer_ms(run.id)
        key = (run.id, id(engine), ceilings, dict(times))
        if self._made is None or self._made[0] != key:
            self._made = (key, _made(engine, times, ceilings))
        return self._made[1]

    def measure(self) -> None:
        """Puts the measuring of this machine into the queue, in place of what is known of it."""
        from workbench.pipeline.roofline import threads_of

        session, run = self._session, self._session.current
        job = session.runs.new_job() if self.is_possible else None
        if job is None:
            return
        self._job, folder = job
        counts = dict.fromkeys((1, 0, *((threads_of(run),) if run is not None and not run.imported else ())))
        session.runs.start(CeilingsRequest(self._job, str(folder), tuple(counts)), JOB)
        self.changed.emit()

    def _of_machine(self, run: Run) -> Ceilings | None:
        from workbench.pipeline.roofline import machine_name, threads_of

        key = (machine_name(), threads_of(run))
        if key not in self._known:
            self._known[key] = self._book.find(*key)
        return self._known[key]

    def _default_target(self) -> str:
        """Without a target TensorRT for RTX builds for its default; an import may be of any GPU."""
        run = self._session.current
        if run is None or run.imported or run.config.backend != "tensorrt_rtx":
            return ""
        return DEFAULT_TARGET

    def _finished(self, result: object) -> None:
        if not isinstance(result, MeasuredCeilings) or result.id != self._job:
            return
        self._job = ""
        try:
            if result.error is None:
                self._book.keep(result.ceilings)
            self._session.runs.store.delete(result.id)
        except WorkbenchError as error:
            self._session.show_error(error)
        self._known.clear()
        self.changed.emit()


def _made(engine: EngineGraph, times: Mapping[str, float], ceilings: Ceilings) -> Roofline:
    from workbench.pipeline.roofline import roofline

    return roofline(engine, times, ceilings)
