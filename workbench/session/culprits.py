"""Culprits: the search for the layers that cost the accuracy of the plan, live, and what exempting them gives."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.events import Progress
from workbench.core.layer_errors import LOST_DB
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.sensitivity import Culprits, CulpritsRequest, Granularity, suggested_evaluations
from workbench.core.words import plural
from workbench.session.requests import allowed_code, plain_request

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "culprits"


class CulpritSearches(QObject):
    """One search at a time. What the last one of the open model found stays, also where it was ended early."""

    changed = Signal()  # begun, more is known, ended, or it is of another document
    told = Signal(object)  # Progress: of the search under way

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._job = self._model = ""
        self._found: Culprits | None = None
        self._heard: Culprits | None = None  # what was told last of the search under way
        self._plan = PrecisionPlan()  # that was searched
        self._counted: tuple[object, int] = (None, 0)
        self.granularity = Granularity.LAYER
        session.runs.ticked.connect(self._ticked)
        session.runs.finished.connect(self._finished)
        session.model_changed.connect(self._document_changed)
        session.choices_changed.connect(self._document_changed)

    @property
    def is_at_work(self) -> bool:
        return bool(self._job)

    @property
    def is_possible(self) -> bool:
        """A model with layers in a low precision, and no search at work."""
        return not self._job and self.layers > 0

    @property
    def found(self) -> Culprits | None:
        """Of the open model: what is known now, or what the last search found."""
        model = self._session.model
        live = self._session.runs.live.get(self._job)
        known = live.culprits if live is not None and live.culprits is not None else self._found
        return known if model is not None and model.sha256 == self._model else None

    @property
    def layers(self) -> int:
        """Layers (or groups) that the plan has in a low precision."""
        model, plan = self._session.model, self._session.choices.plan
        key = (model.sha256 if model else "", plan, self.granularity)
        if self._counted[0] != key:
            self._counted = (key, self._count(plan) if model is not None else 0)
        return self._counted[1]

    @property
    def budget(self) -> int:
        """Plans that a search measures at most."""
        return int(self._session.settings.get("culprit_plans")) or suggested_evaluations(self.layers)

    @property
    def sqnr_db(self) -> Mapping[str, float]:
        """By source node: the SQNR of the outputs if only its layer had its low precision. Less is worse."""
        found: dict[str, float] = {}
        for layer in self.found.layers if self.found is not None else ():
            value = layer.alone_db if layer.alone_db is not None else -10.0 * math.log10(max(layer.noise, 1e-20))
            found |= dict.fromkeys(layer.nodes, max(value, LOST_DB))
        return found

    def set_granularity(self, granularity: Granularity) -> None:
        """What the next search exempts as one."""
        self.granularity = granularity
        self.changed.emit()

    def start(self) -> None:
        """Puts a search into the queue; one that was ended goes on where it was."""
        session = self._session
        job = session.runs.new_job() if session.model is not None and self.is_possible else None
        if session.model is None or job is None:
            return
        job_id, folder = job
        plain = plain_request(session.model, session.choices, job_id, folder)
        run = msgspec.structs.replace(plain, allowed_code=allowed_code(session.choices.recipe, session.settings))
        request = CulpritsRequest(
            id=job_id,
            folder=str(folder),
            run=run,
            evaluations=self.budget,
            samples=session.settings.get("culprit_samples"),
            granularity=self.granularity,
        )
        self._job, self._model, self._found, self._plan = job_id, session.model.sha256, None, session.choices.plan
        session.runs.start(request, JOB)
        self.changed.emit()

    def cancel(self) -> None:
        """Ends the search; what it found stays."""
        if self._job:
            self._session.runs.cancel(self._job)

    def exempt(self, nodes: Collection[str]) -> None:
        """These nodes in FP32, as one edit whose name says what that was measured to give."""
        from workbench.precision.plan_edits import paint

        session, matcher = self._session, self._session.plan.matcher
        if matcher is not None and nodes:
            plan = paint(matcher, session.choices.plan, nodes, Precision.FP32)
            session.plan.set_plan(plan, f"exempt {plural(len(nodes), 'node')}{self.effect(nodes)}")

    def effect(self, nodes: Collection[str]) -> str:
        """` (25.7 to 42.4 dB, measured)` of nodes that were exempted together; nothing where they were not, or of
        another plan than this one."""
        found = self.found if self._session.choices.plan == self._plan else None
        sets = found.exemptions if found is not None else ()
        measured = next((one.evaluation for one in sets if set(one.nodes) == set(nodes)), None)
        if found is None or found.plan is None or measured is None or measured.agreement is not None:
            return ""
        before = "broken" if found.plan.is_broken else f"{found.plan.sqnr_db:.1f}"
        return f" ({before} to {measured.sqnr_db:.1f} dB, measured)"

    def _count(self, plan: PrecisionPlan) -> int:
        from workbench.pipeline.culprits.suspects import suspects

        assert self._session.model is not None
        return len(suspects(self._session.model, plan, self.granularity))

    def _document_changed(self, _news: object = None) -> None:
        self.changed.emit()

    def _ticked(self, ids: frozenset[str]) -> None:
        live = self._session.runs.live.get(self._job)
        if self._job not in ids or live is None:
            return
        if isinstance(live.progress, Progress):
            self.told.emit(live.progress)
        if live.culprits is not self._heard:
            self._heard = live.culprits
            self.changed.emit()

    def _finished(self, result: object) -> None:
        if not isinstance(result, Culprits) or result.id != self._job:
            return
        known = self.found
        self._job = ""
        self._found = result if result.plan is not None else known
        try:
            self._session.runs.store.delete(result.id)
        except WorkbenchError as error:
            self._session.show_error(error)
        self.changed.emit()
