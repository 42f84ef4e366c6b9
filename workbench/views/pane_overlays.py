"""What is laid over the graphs of the panes: one overlay each, precision colours, badges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from PySide6.QtCore import QObject

from workbench.session.selection import Side
from workbench.session.session import Session
from workbench.session.telling import (
    ADDED_BADGE,
    FATE_SORTS,
    REFUSED_BADGE,
    difference_badge,
    fate_badge,
    layer_badge,
)
from workbench.views.overlays import (
    ENGINE_OVERLAYS,
    SOURCE_OVERLAYS,
    Facts,
    TimeShares,
    asked_stripes,
    ran_stripes,
    reasons,
)
from workbench.views.pane import Pane
from workbench.views.theme import current
from workbench.views.widgets import connect_all


class PaneOverlays(QObject):
    """Follows the times, the plan and the engines. `shown` gives the panes that can be seen."""

    def __init__(self, session: Session, panes: Mapping[Side, Pane], shown: Callable[[], Iterable[Pane]]) -> None:
        super().__init__()
        self._session = session
        self._panes = panes
        self._shown = shown
        self._shares = {side: TimeShares(session.links) for side in Side}
        self._seen: tuple[object, object] = (None, None)  # the live values that are shown
        for side, pane in panes.items():
            pane.overlays.chosen.connect(partial(self._chosen, side))
        session.costs.changed.connect(self.refresh)
        session.culprits.changed.connect(self.refresh)
        session.verdicts.changed.connect(self._show_choices)
        session.runs.ticked.connect(self._follow_live)
        connect_all((session.choices_changed, session.backends_changed), self._show_choices)

    def refresh(self, _news: object = None) -> None:
        """Times have changed."""
        if self._session.model is None:
            return
        for side, pane in self._panes.items():
            if side is Side.FIRST and not self._session.pair.is_on:
                continue
            facts = self.facts(side)
            kinds = SOURCE_OVERLAYS if side is Side.SOURCE else ENGINE_OVERLAYS
            pane.overlays.set_reasons(reasons(kinds.values(), facts, is_engine=side is not Side.SOURCE))
            kind = kinds[pane.overlays.current]
            make = kind.source if side is Side.SOURCE else kind.engine
            can = make is not None and (side is Side.SOURCE or facts.engine is not None)
            pane.canvas.set_overlay(make(facts) if can and make else None)

    def show_links(self) -> None:
        """Precision colours and badges: they change with the engine, not with the times."""
        self._show_source()
        for side in (Side.FIRST, Side.ENGINE):
            facts, canvas = self.facts(side), self._panes[side].canvas
            canvas.set_colors(ran_stripes(facts))
            badges = {key: layer_badge(layer, facts.links) for key, layer in facts.links.layers.items()}
            sorts = dict.fromkeys(facts.links.added, ADDED_BADGE)
            canvas.set_badges(badges | self._changes(side), sorts)

    def _changes(self, side: Side) -> dict[str, str]:
        """Where two engines stand side by side: what is different in the other, by layer."""
        alignment = self._session.pair.alignment
        groups = alignment.groups if alignment is not None else ()
        told = ((group, difference_badge(group)) for group in groups)
        return {key: badge for group, badge in told for key in (group.a if side is Side.FIRST else group.b) if badge}

    def facts(self, side: Side) -> Facts:
        """What the overlays of a pane are made of. The source pane shows what the plan asks now."""
        session, pair = self._session, self._session.pair
        links = pair.links if side is Side.FIRST else session.links
        if self._shares[side].links is not links:
            self._shares[side] = TimeShares(links)
        run = pair.run if side is Side.FIRST else session.current
        kind = self._panes[side].overlays.kind
        return Facts(
            links=links,
            theme=current(),
            engine=pair.engine if side is Side.FIRST else session.engine,
            asked=session.asked if side is Side.SOURCE else session.asked_of_run,
            layer_ms=session.runs.layer_ms(run.id) if run else {},
            errors=session.runs.layer_errors(run.id) if run else None,
            shares=self._shares[side],
            sensitivity=session.culprits.sqnr_db,
            costs=session.costs.get() if kind.needs_costs else {},
            costs_problem=session.costs.problem,
            verdict=session.verdicts.chosen if kind.needs_verdict else None,
            difference_ms=pair.difference_ms(of_first=side is Side.FIRST) if side is not Side.SOURCE else {},
        )

    def _chosen(self, side: Side, key: str) -> None:
        """Two engines are always seen through the same overlay."""
        if self._panes[side].overlays.kind.needs_verdict:
            self._session.verdicts.look()
        for other in (Side.FIRST, Side.ENGINE) if side is not Side.SOURCE else ():
            self._panes[other].overlays.choose(key)
        chosen = {"source": Side.SOURCE, "engine": Side.ENGINE}
        self._session.settings.set("overlays", {name: self._panes[at].overlays.current for name, at in chosen.items()})
        self._show_choices()

    def _show_choices(self, _news: object = None) -> None:
        self._show_source()
        self.refresh()

    def _show_source(self) -> None:
        """What each node will run in as its colour; in its badge why it will not, else what became of it."""
        session, canvas = self._session, self._panes[Side.SOURCE].canvas
        canvas.set_colors(asked_stripes(self.facts(Side.SOURCE)))
        badges = {node: fate_badge(fate, session.links) for node, fate in session.links.fates.items()}
        badges |= {node: f"no {session.asked[node].label} here" for node in session.plan.limits}
        sorts = {node: FATE_SORTS[fate.kind] for node, fate in session.links.fates.items()}
        refused = dict.fromkeys(session.verdicts.refused, REFUSED_BADGE)
        badges |= dict.fromkeys(session.verdicts.holders, f"{REFUSED_BADGE} inside")
        canvas.set_badges(badges | refused, sorts | refused)

    def _follow_live(self, ids: frozenset[str]) -> None:
        """30 times a second while a run measures: only where it has measured, and only colours that show it."""
        run = self._session.current
        live = self._session.runs.live.get(run.id) if run is not None and run.id in ids else None
        if live is None or (live.layer_ms is self._seen[0] and live.layer_errors is self._seen[1]):
            return
        self._seen = live.layer_ms, live.layer_errors
        if any(pane.overlays.kind.is_live for pane in self._shown()):
            self.refresh()
