"""Sweeps of the open model: the grid that is chosen, what was measured of it, and the sweep at work."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.run import RunRequest
from workbench.core.sweep import Point, Sweep, SweepRequest, Swept, best_within
from workbench.core.words import plural
from workbench.session.requests import plain_request

if TYPE_CHECKING:
    from workbench.session.session import Session

JOB = "sweep"
LIMIT, PRICE, AXES = "limit_ms", "price_per_hour", "axes"
MOST = 1 << 20
_NUMBER = re.compile(r"\d{1,7}")


class Sweeps(QObject):
    """One sweep at a time. Values of the axes are kept as they are written, for each model of the same dimensions."""

    changed = Signal()  # other values, limit or price; another configuration; begun, a point more, ended

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._job = self._key = ""
        self._told = -1
        self._usual: tuple[Model | None, dict[str, str]] = (None, {})
        self._known: tuple[str, Sweep] | None = None
        session.runs.ticked.connect(self._ticked)
        session.runs.finished.connect(self._finished)
        for signal in (session.model_changed, session.choices_changed, session.backends_changed):
            signal.connect(self._follow)

    # the grid

    @property
    def axes(self) -> dict[str, str]:
        """By name of a free dimension, `batch`, `threads`, `streams`: the values as they are written."""
        kept = self._session.settings.get("sweep").get(AXES, {})
        return {name: str(kept.get(name, usual)) for name, usual in self._usual_axes().items()}

    def set_axis(self, name: str, text: str) -> None:
        """Empty: not swept, the usual size."""
        self._keep(AXES, {**self._session.settings.get("sweep").get(AXES, {}), name: text})

    @property
    def points(self) -> tuple[Point, ...]:
        """Raises WorkbenchError where the values make no grid."""
        from workbench.pipeline.sweep_grid import STREAMS, THREADS, grid

        model = self._session.model
        if model is None:
            return ()
        values = {name: _values(name, text) for name, text in self.axes.items()}
        dims = {name: counts for name, counts in values.items() if name not in (THREADS, STREAMS) and counts}
        shapes = {**model.shapes, **self._session.choices.shapes}
        return tuple(grid(model, shapes, dims, values.get(THREADS, ()), values.get(STREAMS, ())))

    @property
    def sentence(self) -> str:
        """What a start would do, and how long it would take; or why it cannot."""
        from workbench.pipeline.sweep_grid import seconds_for

        try:
            points = self.points
        except WorkbenchError as error:
            return f"{error.message} {error.hint}".strip()
        left = sum(self.known.of(point) is None for point in points)
        if not left:
            return f"{plural(len(points), 'point')}, all measured"
        seconds = seconds_for(points, self.known, self._request().timing)
        known = f", {len(points) - left} known" if left < len(points) else ""
        return f"{plural(len(points), 'point')}{known}; about {_lasting(seconds)}"

    def _usual_axes(self) -> dict[str, str]:
        from workbench.pipeline.sweep_grid import usual_axes

        model = self._session.model
        if model is not self._usual[0]:
            self._usual = (model, usual_axes(model) if model is not None else {})
        return self._usual[1]

    # what was measured

    @property
    def known(self) -> Sweep:
        """Everything that was measured in this configuration, of whatever grid."""
        from workbench.pipeline.sweep_grid import kept_sweep

        key = self._key_now()
        if self._known is None or self._known[0] != key:
            self._known = (key, kept_sweep(key) if key else Sweep(""))
        return self._known[1]

    @property
    def found(self) -> tuple[Swept, ...]:
        """The grid's points that are known, in its order."""
        try:
            points = self.points
        except WorkbenchError:
            return ()
        return tuple(one for point in points if (one := self.known.of(point)) is not None)

    @property
    def best(self) -> Swept | None:
        """The most samples a second within the limit."""
        return best_within(self.found, self.limit_ms or None)

    def conditions(self, one: Swept) -> str:
        """How a point was measured, a line each."""
        from workbench.pipeline.conditions import sweep_conditions

        return "\n".join(sweep_conditions(self.known.protocol, one))

    # limit and price

    @property
    def limit_ms(self) -> float:
        """Of the median latency; 0: none."""
        return self._figure(LIMIT)

    def set_limit_ms(self, limit_ms: float) -> None:
        self._keep(LIMIT, max(0.0, limit_ms))

    @property
    def price_per_hour(self) -> float:
        """Of this machine, in whatever currency; 0: not given."""
        return self._figure(PRICE)

    def set_price_per_hour(self, price: float) -> None:
        self._keep(PRICE, max(0.0, price))

    def _figure(self, key: str) -> float:
        value = self._session.settings.get("sweep").get(key, 0.0)
        return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else 0.0

    def _keep(self, key: str, value: object) -> None:
        settings = self._session.settings
        if settings.get("sweep").get(key) != value:
            settings.set("sweep", {**settings.get("sweep"), key: value})
            self.changed.emit()

    # the job

    @property
    def is_at_work(self) -> bool:
        return bool(self._job)

    @property
    def is_possible(self) -> bool:
        return not self._job and self._session.model is not None

    def start(self) -> None:
        """Puts the sweep of what is not known yet into the queue."""
        session = self._session
        if not self.is_possible:
            return
        try:
            points = self.points
            job, folder = session.runs.store.new_folder()
        except WorkbenchError as error:
            session.show_error(error)
            return
        self._job, self._key, self._told = job, self._key_now(), -1
        session.runs.start(SweepRequest(job, str(folder), self._key, self._request(), points), JOB)
        self.changed.emit()

    def stop(self) -> None:
        """What was measured stays; another start goes on from there."""
        if self._job:
            self._session.runs.cancel(self._job)

    def build(self, point: Point) -> None:
        """A run of its own at this point: graph, layers, accuracy."""
        session = self._session
        choices = session.choices
        shapes = {**choices.shapes, **point.shapes}
        session.build(msgspec.structs.replace(choices, shapes=shapes, threads=point.threads, streams=point.streams))

    def _request(self) -> RunRequest:
        from pathlib import Path

        from workbench.pipeline.sweep_grid import sweep_timing

        session = self._session
        assert session.model is not None
        request = plain_request(session.model, session.choices, "", Path())
        return msgspec.structs.replace(
            request, evaluation="", timing=sweep_timing(session.settings.get("sweep_seconds"))
        )

    def _key_now(self) -> str:
        from workbench.pipeline.sweep_grid import sweep_key

        session = self._session
        if session.model is None:
            return ""
        info = session.backends.get(session.choices.backend)
        return sweep_key(session.model.sha256, self._request(), info.version if info is not None else "")

    def _follow(self, _news: object = None) -> None:
        self.changed.emit()

    def _ticked(self, ids: frozenset[str]) -> None:
        live = self._session.runs.live.get(self._job)
        if self._job in ids and live is not None and live.progress.done != self._told:
            self._told = live.progress.done
            self._forget()

    def _finished(self, result: object) -> None:
        if not isinstance(result, Sweep) or result.id != self._job:
            return
        self._job = ""
        try:
            self._session.runs.store.delete(result.id)
        except WorkbenchError as error:
            self._session.show_error(error)
        self._forget()

    def _forget(self) -> None:
        """What was read is old: a point more is on disk."""
        self._known = None
        self.changed.emit()


def _values(name: str, text: str) -> list[int]:
    """`1, 2, 4`. Raises WorkbenchError for anything but counts, each once."""
    words = text.replace(",", " ").split()
    if not all(_NUMBER.fullmatch(word) and 1 <= int(word) <= MOST for word in words):
        raise WorkbenchError(f"The values of {name} are not counts.", "Write them like: 1, 2, 4, 8")
    return list(dict.fromkeys(int(word) for word in words))


def _lasting(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
