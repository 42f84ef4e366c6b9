"""The search for the best plan: begun, paused, steered and finished here; what it finds becomes the document's plan."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.precision import Precision
from workbench.core.search import Decision, Limit, Point, Search, SearchRequest, next_request
from workbench.core.words import plural
from workbench.session.requests import allowed_code, plain_request

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "search"
BUDGET_S = 600.0
KEPT = 50  # models whose last search is remembered


class Wanted(msgspec.Struct, frozen=True):
    """What the next start asks for; remembered between starts of the program."""

    limit: Limit = Limit()
    seconds: float = BUDGET_S
    precisions: tuple[Precision, ...] = ()  # none: those that run here


class PlanSearches(QObject):
    """One search at a time, of the open model. Each leg of it is a job; between two points nothing is lost."""

    changed = Signal()  # begun, a point more, steered, ended, or another model
    ticked = Signal()  # at work: time goes by
    chosen_changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._request: SearchRequest | None = None  # of the leg at work
        self._found: Search | None = None
        self._follow_up: SearchRequest | None = None  # begins when the killed leg is gone
        self.chosen: Point | None = None
        self._known: tuple[tuple[Point, ...], Point | None, tuple[Decision, ...]] = ((), None, ())
        self.pinned: dict[str, Precision] = {}
        self.wanted = Wanted()
        with contextlib.suppress(msgspec.ValidationError):
            self.wanted = msgspec.convert(session.settings.get("plan_search"), Wanted)
        session.model_changed.connect(self._model_changed)
        session.runs.ticked.connect(self._ticked)
        session.runs.finished.connect(self._finished)

    # what there is

    @property
    def is_at_work(self) -> bool:
        return self._request is not None

    @property
    def can_start(self) -> bool:
        return self._session.has_model and not self.is_at_work

    @property
    def result(self) -> Search | None:
        """Of the open model: all that is known, live while it is at work, under the limit that is chosen now."""
        found = self._found
        if found is None or not found.points:
            return None
        return msgspec.structs.replace(found, limit=self.wanted.limit, pinned=self.pinned)

    @property
    def seconds(self) -> tuple[float, float]:
        """Spent, and in all."""
        found, request = self._found, self._request
        total = request.seconds if request is not None else found.seconds if found is not None else 0.0
        live = self._session.runs.live.get(request.id) if request is not None else None
        if live is not None and live.progress.phase == "search":
            return float(live.progress.done), total
        return (found.spent if found is not None else 0.0), total

    @property
    def doing(self) -> str:
        """What is built or measured now."""
        live = self._session.runs.live.get(self._request.id) if self._request is not None else None
        return live.progress.text if live is not None else ""

    def why(self, point: Point) -> tuple[Decision, ...]:
        """The decisions of a plan, by what was measured."""
        from workbench.pipeline.searching.why import decisions

        result = self.result
        if result is None:
            return ()
        points, about, known = self._known
        if points is not result.points or about is not point:  # charts ask at every tick
            known = decisions(result, point)
            self._known = result.points, point, known
        return known

    @property
    def without(self) -> tuple[int, ...]:
        """The points that differ from the chosen one in one decision."""
        return tuple(decision.without for decision in self.why(self.chosen)) if self.chosen is not None else ()

    # what is done

    def start(self) -> None:
        """Begins, goes on where it was paused, or searches on for the same time once more."""
        found = self._found
        total = self.wanted.seconds
        if found is not None and found.points:
            more = max(found.seconds, self.wanted.seconds, found.spent + 1.0)
            total = found.spent + self.wanted.seconds if found.is_over else more
        self._begin(total)

    def pause(self) -> None:
        """Ends the process; the candidate at work is lost, no point is."""
        if self._request is not None:
            self._follow_up = None
            self._session.runs.cancel(self._request.id)

    def finish(self) -> None:
        """Tries nothing more: measures the front again, and that is the result."""
        if self._request is not None:
            self._steer(msgspec.structs.replace(self._request, finish=True))
        elif self._found is not None and not self._found.is_over:
            self._begin(max(self._found.seconds, self._found.spent), finish=True)

    def set_limit(self, limit: Limit) -> None:
        """From now on; a search at work goes on under it."""
        if limit != self.wanted.limit:
            self._want(limit=limit)
            if self._request is not None:
                self._steer(msgspec.structs.replace(self._request, limit=limit))

    def set_seconds(self, seconds: float) -> None:
        self._want(seconds=seconds)

    def set_precisions(self, precisions: Collection[Precision]) -> None:
        """That may be used from the next start; none: those that run here."""
        self._want(precisions=tuple(precision for precision in Precision if precision in precisions))

    def pin(self, nodes: Collection[str], precision: Precision | None) -> None:
        """These nodes have this precision in every further plan; None: they are free again."""
        kept = {node: known for node, known in self.pinned.items() if node not in nodes}
        self.pinned = kept if precision is None else {**kept, **dict.fromkeys(nodes, precision)}
        if self._request is not None:
            self._steer(msgspec.structs.replace(self._request, pinned=self.pinned))
        self.changed.emit()

    def pin_selected(self, precision: Precision | None) -> None:
        """The products that are selected in the graph."""
        from workbench.pipeline.searching.space import products

        model = self._session.model
        if model is not None:
            self.pin(self._session.selection.nodes.intersection(products(model)), precision)

    def choose(self, point_id: int | None) -> None:
        """Selects a point; in the graph, the nodes that its plan keeps."""
        result = self.result
        self.chosen = result.get(point_id) if result is not None and point_id is not None else None
        self.chosen_changed.emit()

    def take(self, point_id: int) -> None:
        """A found plan becomes the document's, as one edit that can be undone."""
        point = self.result.get(point_id) if self.result is not None else None
        if point is not None:
            self._session.plan.set_plan(point.plan, f"{point.title} (plan {point.id} of the search)")

    # the job

    def _begin(self, seconds: float, *, finish: bool = False) -> None:
        session = self._session
        job = session.runs.new_job() if session.model is not None and self._request is None else None
        if session.model is None or job is None:
            return
        choices = session.choices
        run = msgspec.structs.replace(
            plain_request(session.model, choices, "", job[1]),
            folder="",
            config=msgspec.structs.replace(choices, threads=session.settings.get("threads")).config(),
            calibration=choices.calibration,
            evaluation_limit=session.settings.get("evaluation_limit"),
            allowed_code=allowed_code(choices.recipe, session.settings),
        )
        wanted = self.wanted
        request = SearchRequest(
            job[0], str(job[1]), run, wanted.precisions, limit=wanted.limit, seconds=seconds, pinned=self.pinned
        )
        self._submit(msgspec.structs.replace(request, finish=finish))

    def _submit(self, request: SearchRequest) -> None:
        self._request = request
        self._session.runs.start(request, JOB)
        self.changed.emit()

    def _steer(self, request: SearchRequest) -> None:
        """The leg at work ends, and another goes on as this request says."""
        assert self._request is not None
        self._follow_up = request
        self._session.runs.cancel(self._request.id)

    def _next(self, request: SearchRequest) -> None:
        job = self._session.runs.new_job()
        if job is not None:
            self._submit(msgspec.structs.replace(request, id=job[0], folder=str(job[1])))

    def _ticked(self, ids: frozenset[str]) -> None:
        if self._request is None or self._request.id not in ids:
            return
        live = self._session.runs.live.get(self._request.id)
        if live is not None and live.search is not None and live.search is not self._found:
            self._take_in(live.search)
            self.changed.emit()
        self.ticked.emit()

    def _take_in(self, found: Search) -> None:
        if self._found is None or self._found.key != found.key:
            self._remember(found.key)
        self._found = found
        if self.chosen is not None:
            self.chosen = found.get(self.chosen.id)

    def _finished(self, result: object) -> None:
        request = self._request
        if not isinstance(result, Search):
            return
        with contextlib.suppress(WorkbenchError):
            self._session.runs.store.delete(result.id)
        if request is None or result.id != request.id:
            return
        self._request = None
        if result.key:
            self._take_in(result)
        follow, self._follow_up = self._follow_up or next_request(request, result), None
        if follow is not None and self._session.model is not None:
            self._next(follow)
        elif result.error is None:
            self._tell()
        self.changed.emit()

    def _tell(self) -> None:
        from workbench.session.session import Message

        result = self.result
        if result is None:
            return
        best, count = result.best, plural(len(result.points), "plan")
        if best is None or best.seen is None:
            text = f"{count} measured, none of them with {result.limit.words}."
            self._session.show(Message(text, result.hint, is_error=False))
            return
        quality, ratio = best.seen.quality, best.seen.speed.ratio
        text = f"The best of {count} with {result.limit.words}: {best.title}, {ratio:.2f}× FP32, {quality.words}."
        actions = (("Use this plan", lambda: self.take(best.id)),)
        self._session.show(Message(text, "Measured twice, by processes of their own.", is_error=False, actions=actions))

    # remembering

    def _want(self, **fields: Any) -> None:
        self.wanted = msgspec.structs.replace(self.wanted, **fields)
        self._session.settings.set("plan_search", msgspec.to_builtins(self.wanted))
        self.changed.emit()

    def _remember(self, key: str) -> None:
        """Which search was the last of this model: the next start of the program shows it, and goes on from it."""
        model, settings = self._session.model, self._session.settings
        if model is not None:
            others = {sha: known for sha, known in settings.get("plan_searches").items() if sha != model.sha256}
            settings.set("plan_searches", dict(list({model.sha256: key, **others}.items())[:KEPT]))

    def _model_changed(self, _model: object) -> None:
        from workbench.pipeline.searching.state import load_search

        self.pause()
        self._request = None  # whatever it still tells is of another model
        model = self._session.model
        key = self._session.settings.get("plan_searches").get(model.sha256, "") if model is not None else ""
        is_key = isinstance(key, str) and key.isalnum()
        self._found, self.chosen = load_search(key) if is_key else None, None
        self.pinned = dict(self._found.pinned) if self._found is not None else {}
        self.changed.emit()
