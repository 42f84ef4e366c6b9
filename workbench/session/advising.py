"""Advice in the window: what the verdict and the rules found, as points with what can be done about each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.advice import Advice, Advised
from workbench.core.edits import Edit
from workbench.core.json import encode
from workbench.core.run import EngineGraph
from workbench.core.verdict import Verdict
from workbench.core.words import plural
from workbench.session.fixes import apply_edit, would_change
from workbench.session.words import bytes_words, milliseconds, node_label

if TYPE_CHECKING:
    from workbench.session.session import Session

DISMISSED = "dismissed_advice"
DISMISSED_MOST = 500
REFUSED_MOST = 200
"""Refused nodes that are listed one by one."""


class Point(msgspec.Struct, frozen=True):
    """One finding. `gain` is an ESTIMATE in words, `weight` sorts by it; `details` stand beside the list.

    `soft` stands behind the title. `tone` is `bad` where it stops a build. `applied` is True where the choices are as
    `edit` wants them already.
    """

    key: str
    title: str
    where: str
    details: tuple[str, ...]
    soft: str = ""
    gain: str = ""
    weight: float = 0.0
    share: float | None = None
    layers: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    edit: Edit | None = None
    why_not: str = ""
    tone: str = ""
    applied: bool = False

    @property
    def action(self) -> str:
        """What can be done, in a few words."""
        if self.edit is None:
            return "see details" if self.why_not else ""
        return f"{self.edit.title} (chosen)" if self.applied else self.edit.title


class Advising(QObject):
    """`engine_points` are of the current engine, `verdict_points` of the model before a build."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._made: tuple[EngineGraph | None, float, Advised | None] = (None, -1.0, None)
        for news in (session.engine_changed, session.choices_changed, session.verdicts.changed, session.runs.changed):
            news.connect(self._tell)

    @property
    def advised(self) -> Advised | None:
        """Of the current engine; None where there is none. Made once for an engine and its times."""
        from workbench.pipeline.advice import advise

        session, engine = self._session, self._session.engine
        if session.model is None or session.current is None or engine is None:
            return None
        times = session.runs.layer_ms(session.current.id)
        total = sum(times.values())
        if self._made[0] is not engine or self._made[1] != total:
            found = advise(session.model.graph, engine, session.current.config, times, dict(session.asked_of_run))
            self._made = engine, total, found
        return self._made[2]

    def engine_points(self) -> list[Point]:
        """The largest gain first, dismissed ones left out."""
        advised = self.advised
        if advised is None:
            return []
        gone = set(self._session.settings.get(DISMISSED))
        points = (self._point(advice, advised) for advice in advised.advice)
        return [point for point in points if point.key not in gone]

    def verdict_points(self) -> list[Point]:
        """Of every backend that was asked, the chosen one first: what is refused, what changes, what would help."""
        verdicts = self._session.verdicts
        known = ((name, verdicts.get(name)) for name in verdicts.backends)
        points = [point for name, found in known if found is not None for point in self._of_verdict(name, found)]
        first = {encode(point.edit): point.key for point in reversed(points) if point.edit is not None}
        return [point for point in points if point.edit is None or first[encode(point.edit)] == point.key]

    @property
    def dismissed(self) -> int:
        """How many points of the current engine are out of sight."""
        advised = self.advised
        return len(advised.advice) - len(self.engine_points()) if advised is not None else 0

    def apply(self, point: Point) -> None:
        """Takes its fix, as one undoable choice."""
        if point.edit is None:
            return
        from workbench.session.session import Message

        apply_edit(self._session, point.edit)
        hint = "It holds for the next build. Undo (Ctrl+Z) takes it back."
        self._session.show(Message(f"Chosen: {point.edit.title}.", hint, False, (("Build now", self._session.build),)))

    def dismiss(self, point: Point) -> None:
        """Out of sight for this model, for good."""
        kept = [key for key in self._session.settings.get(DISMISSED) if key != point.key]
        self._session.settings.set(DISMISSED, tuple([*kept, point.key][-DISMISSED_MOST:]))
        self.changed.emit()

    def restore(self) -> None:
        """All of this model in sight again."""
        model = self._session.model
        if model is not None:
            others = [key for key in self._session.settings.get(DISMISSED) if not key.startswith(model.sha256[:16])]
            self._session.settings.set(DISMISSED, tuple(others))
            self.changed.emit()

    def _tell(self, _news: object = None) -> None:
        self.changed.emit()

    def _point(self, advice: Advice, advised: Advised) -> Point:
        model = self._session.model
        is_timed = advice.gain_ms is not None and bool(advised.total_ms)
        gain = milliseconds(advice.gain_ms or 0.0) if is_timed else bytes_words(advice.gain_bytes)
        measured = f", {milliseconds(advice.ms)} measured" if advice.ms is not None else ""
        return Point(
            key=f"{model.sha256[:16] if model else ''}:{advice.key}",
            title=advice.title,
            where=plural(len(advice.layers), "layer"),
            details=(
                advice.text,
                f"Evidence: {plural(len(advice.layers), 'layer')}, {plural(len(advice.nodes), 'node')}{measured}.",
                f"Gain: up to {gain}{'' if is_timed else ' less to move an inference'}, ESTIMATE: {advice.formula}.",
            ),
            gain=gain,
            weight=(advice.gain_ms or 0.0) if is_timed else float(advice.gain_bytes),
            share=(advice.gain_ms or 0.0) / advised.total_ms if is_timed and advised.total_ms else None,
            layers=advice.layers,
            nodes=advice.nodes,
            edit=advice.edit,
            why_not=advice.why_not,
            applied=advice.edit is not None and not would_change(self._session, advice.edit),
        )

    def _of_verdict(self, backend: str, found: Verdict) -> Iterator[Point]:
        title = self._session.backends[backend].title
        if found.accepted:
            whole = self._session.verdicts.sentence(backend)
            yield Point(f"{backend}:all", f"{title} takes all nodes", title, (whole,), tone="good")
        for at, remedy in enumerate(found.remedies):
            if remedy.edit is not None:
                yield self._cure(f"{backend}:cure{at}", title, remedy.text, found, remedy.edit)
        yield from self._refusals(backend, title, found)
        for change in found.silent:
            said = f"{change.was} becomes {change.becomes} in {plural(change.tensors, 'tensor')}"
            text = f"{title} does so without being asked: {change.text or 'no values are lost'}."
            yield Point(f"{backend}:{change.was}", said, title, (text,), nodes=change.nodes, why_not=change.text)

    def _cure(self, key: str, title: str, text: str, found: Verdict, edit: Edit) -> Point:
        is_chosen = not would_change(self._session, edit)
        return Point(key, text, title, (found.reason, text), nodes=tuple(found.nodes), edit=edit, applied=is_chosen)

    def _refusals(self, backend: str, title: str, found: Verdict) -> Iterator[Point]:
        nodes = self._session.links.nodes
        helps = {node: remedy.text for remedy in found.remedies if remedy.edit is None for node in remedy.nodes}
        listed = list(found.nodes.items())[:REFUSED_MOST]
        for node, reason in listed:
            said = f"{nodes[node].op.rpartition('.')[2] if node in nodes else node} refused"
            details = (f"{title} refuses it: {reason}.", *([helps[node]] if node in helps else []))
            yield Point(
                f"{backend}:{node}",
                said,
                title,
                details,
                soft=node_label(nodes[node]) if node in nodes else "",
                nodes=(node,),
                why_not=helps.get(node, reason),
                tone="bad",
            )
        if len(found.nodes) > len(listed):
            rest = tuple(found.nodes)[REFUSED_MOST:]
            more = f"{plural(len(rest), 'more node')} refused"
            yield Point(f"{backend}:more", more, title, (found.reason,), nodes=rest, tone="bad")
        if not found.nodes and not found.accepted:
            texts = tuple(remedy.text for remedy in found.remedies if remedy.edit is None)
            yield Point(
                f"{backend}:model",
                f"{title} refuses the model",
                title,
                (found.reason, *texts),
                tone="bad",
                why_not=texts[0] if texts else found.reason,
            )
