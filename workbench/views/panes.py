"""The two graphs side by side: a header, overlay chips and a canvas each; one selection for both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from workbench.core.graph import Graph
from workbench.core.run import Run
from workbench.core.theme import Theme
from workbench.session.selection import Selection
from workbench.session.session import Session
from workbench.session.words import plural, verbal_status
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.legend import Legend
from workbench.views.overlay_bar import OverlayBar
from workbench.views.overlays import (
    ENGINE_OVERLAYS,
    SOURCE_OVERLAYS,
    Facts,
    OverlayKind,
    TimeShares,
    asked_stripes,
    fate_badges,
    layer_badges,
    ran_stripes,
    reasons,
)
from workbench.views.theme import current
from workbench.views.widgets import Line, Words, empty_label

NO_ENGINE = (
    "No engine yet.\nChoose a backend and a precision above, then Build (Ctrl+B):\nthe graph after fusion appears here."
)
BUILDING = "The engine is being built.\nIts graph appears here as soon as it is on disk."
NO_ENGINE_OF_RUN = "This run has no engine graph."


class Pane(QWidget):
    """A canvas with its header and legend. Shows an empty sentence while there is no graph."""

    def __init__(self, title: str, overlays: Mapping[str, OverlayKind], remembered: object, empty: str) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.overlays = OverlayBar(overlays, remembered)
        self.legend = Legend()
        self.canvas = GraphCanvas()
        self.canvas.setAccessibleName(f"{title} graph")
        self.empty = empty_label(empty)
        self._title = Line(Words(title, bold=True))
        self._title.setMinimumWidth(64)
        self.canvas.marks_changed.connect(lambda: self.legend.show_marks(self.canvas.marks))
        head = QHBoxLayout()
        head.setContentsMargins(14, 6, 12, 6)
        head.setSpacing(6)
        head.addWidget(self._title, 1)
        head.addWidget(self.overlays, 2)
        graphs = QWidget()
        self._stack = QStackedLayout(graphs)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.canvas)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(graphs, 1)
        column.addWidget(self.legend)

    def set_graph(self, graph: Graph | None, title: Words, empty: str = "") -> None:
        self._title.set_words(title)
        if empty:
            self.empty.setText(empty)
        self.canvas.set_graph(graph)
        self._stack.setCurrentWidget(self.canvas if graph is not None else self.empty)

    def export(self, path: Path) -> None:
        """The whole graph as PNG or PDF by the path's suffix, else as SVG. Raises WorkbenchError."""
        exports = {".png": self.canvas.export_png, ".pdf": self.canvas.export_pdf}
        exports.get(path.suffix.lower(), self.canvas.export_svg)(path)


class Panes(QSplitter):
    """Source and engine. Follows the session; a click in either selects in both."""

    def __init__(self, session: Session) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self._session = session
        self._shares = TimeShares(session.links)
        overlays = session.settings.get("overlays")
        self.source = Pane("Source", SOURCE_OVERLAYS, overlays.get("source"), "Open a model to see its graph.")
        self.engine = Pane("Engine", ENGINE_OVERLAYS, overlays.get("engine"), NO_ENGINE)
        for pane in (self.source, self.engine):
            pane.setMinimumWidth(220)
            self.addWidget(pane)
        self.setSizes([500, 500])
        self.source.canvas.selection_changed.connect(session.select_nodes)
        self.engine.canvas.selection_changed.connect(session.select_layers)
        for pane in (self.source, self.engine):
            pane.overlays.chosen.connect(self._overlay_chosen)
        session.model_changed.connect(self._show_model)
        session.engine_changed.connect(self._show_engine)
        session.selection_changed.connect(self._show_selection)
        session.choices_changed.connect(self.refresh_source_overlay)
        self.set_theme(current())
        self._show_model()
        self._show_engine()

    def set_theme(self, theme: Theme) -> None:
        for pane in (self.source, self.engine):
            pane.canvas.set_theme(theme)
        self.refresh_overlays()

    def refresh_overlays(self, _news: object = None) -> None:
        """Times have changed."""
        self.refresh_source_overlay()
        self.refresh_engine_overlay()

    def refresh_source_overlay(self, _news: object = None) -> None:
        session, pane = self._session, self.source
        if session.model is None:
            return
        facts = self.facts(of_run=pane.overlays.current != "precision")
        pane.overlays.set_reasons(reasons(SOURCE_OVERLAYS.values(), facts, is_engine=False))
        make = SOURCE_OVERLAYS[pane.overlays.current].source
        pane.canvas.set_colors(asked_stripes(facts))
        pane.canvas.set_badges(fate_badges(facts))
        pane.canvas.set_overlay(make(facts) if make else None)

    def refresh_engine_overlay(self, _news: object = None) -> None:
        pane, facts = self.engine, self.facts()
        pane.overlays.set_reasons(reasons(ENGINE_OVERLAYS.values(), facts, is_engine=True))
        make = ENGINE_OVERLAYS[pane.overlays.current].engine
        pane.canvas.set_colors(ran_stripes(facts))
        pane.canvas.set_badges(layer_badges(facts))
        pane.canvas.set_overlay(make(facts) if make and facts.engine is not None else None)

    def facts(self, *, of_run: bool = True) -> Facts:
        """What overlays are made of. `of_run`: what the current run's own plan asked, not the plan of now."""
        session, run = self._session, self._session.current
        if self._shares.links is not session.links:
            self._shares = TimeShares(session.links)
        return Facts(
            links=session.links,
            theme=current(),
            engine=session.engine,
            asked=session.asked_of_run if of_run else session.asked,
            layer_ms=session.runs.layer_ms(run.id) if run else {},
            shares=self._shares,
        )

    def _overlay_chosen(self, _key: str) -> None:
        chosen = {"source": self.source.overlays.current, "engine": self.engine.overlays.current}
        self._session.settings.set("overlays", chosen)
        self.refresh_overlays()

    def _show_model(self, _model: object = None) -> None:
        model = self._session.model
        if model is None:
            self.source.set_graph(None, Words("Source", bold=True))
            return
        extra = model.all_nodes - model.top_level_nodes
        soft = plural(model.top_level_nodes, "node") + (f" + {extra:,} in bodies" if extra else "")
        self.source.set_graph(model.graph, Words("Source", soft, bold=True))
        self.refresh_source_overlay()

    def _show_engine(self, _engine: object = None) -> None:
        session = self._session
        engine, run = session.engine, session.current
        if engine is None or run is None:
            self.engine.set_graph(None, Words("Engine", bold=True), why_no_engine(run))
        else:
            soft = f"{run.config.plan.default.label} · {plural(len(engine.graph.layers), 'layer')}"
            self.engine.set_graph(engine.graph, Words("Engine", soft, bold=True))
        self.refresh_overlays()

    def _show_selection(self, selection: Selection) -> None:
        self.source.canvas.set_selection(selection.nodes, reveal=selection.by_layer)
        self.engine.canvas.set_selection(selection.layers, reveal=not selection.by_layer)

    # search

    def search(self, text: str) -> tuple[list[str], list[str]]:
        """Ids that match, in both graphs; all others step back."""
        found = []
        for pane in (self.source, self.engine):
            ids = pane.canvas.find(text) if text.strip() else []
            pane.canvas.set_dimmed(self._others(pane, ids) if ids else None)
            found.append(ids)
        return found[0], found[1]

    def _others(self, pane: Pane, ids: list[str]) -> frozenset[str]:
        known = self._session.links.nodes if pane is self.source else self._session.links.layers
        return frozenset(known) - frozenset(ids)

    def fly_to_selection(self) -> None:
        selection = self._session.selection
        for pane, ids in ((self.source, selection.nodes), (self.engine, selection.layers)):
            if ids:
                pane.canvas.fly_to(min(ids, key=_index))

    def fit(self) -> None:
        self.source.canvas.fit()
        self.engine.canvas.fit()


def why_no_engine(run: Run | None) -> str:
    """What stands in the place of an engine's graph: what would fill it, or why it stays empty."""
    if run is None:
        return NO_ENGINE
    if not run.status.is_final:
        return BUILDING
    if run.error is None:
        return f"{NO_ENGINE_OF_RUN}\nIt was {verbal_status(run) or 'made without one'}."
    return f"{NO_ENGINE_OF_RUN}\n{run.error.message}\n{run.error.hint}".strip()


def _index(item: str) -> tuple[int, str]:
    digits = "".join(ch for ch in item.split(".")[0] if ch.isdigit())
    return (int(digits) if digits else 0, item)
