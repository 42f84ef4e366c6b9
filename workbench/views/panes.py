"""The graphs side by side: source and engine, or two engines; one selection for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSizePolicy, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from workbench.core.graph import FateKind
from workbench.core.run import EngineGraph, Run
from workbench.core.theme import Theme
from workbench.core.titles import Titles
from workbench.core.words import plural
from workbench.session.search import Hit
from workbench.session.selection import Selection, Side
from workbench.session.session import Message, Session
from workbench.session.telling import selection_answer
from workbench.views.build_stage import BuildStage
from workbench.views.following import CameraFollow
from workbench.views.overlays import ENGINE_OVERLAYS, SOURCE_OVERLAYS
from workbench.views.pane import Pane
from workbench.views.pane_bar import TWO, PaneBar
from workbench.views.pane_overlays import PaneOverlays
from workbench.views.picture_dialog import PictureDialog
from workbench.views.run_picker import NO_ENGINE, RunPicker, engine_words, why_no_engine
from workbench.views.theme import current
from workbench.views.widgets import Line, Words, connect_all, tab_before


class Panes(QWidget):
    """`source` or `first` stands at the left, `engine` at the right. A click in any of them selects in all."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._found: dict[Side, Collection[str]] = {}
        self._build()
        self._connect()
        self.set_theme(current())
        self._show_model()
        self._show_engines()

    def _build(self) -> None:
        session, pair = self._session, self._session.pair
        overlays = session.settings.get("overlays")
        self.title = Line(Words("Source", bold=True))
        self.title.setMinimumWidth(64)
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.run_of_first = RunPicker("engine A", pair.candidates, self._titles, pair.set_run)
        self.run_of_engine = RunPicker("the engine", pair.candidates, self._titles, session.set_current)
        engine = overlays.get("engine")
        self.source = Pane("Source", self.title, SOURCE_OVERLAYS, overlays.get("source"), "Open a model to see it.")
        self.first = Pane("First engine", self.run_of_first, ENGINE_OVERLAYS, engine, NO_ENGINE)
        self.engine = Pane("Engine", self.run_of_engine, ENGINE_OVERLAYS, engine, NO_ENGINE)
        self.stage = BuildStage(session)
        self.engine.set_stage(self.stage)
        self.by_side = {Side.SOURCE: self.source, Side.FIRST: self.first, Side.ENGINE: self.engine}
        self.left = QStackedWidget()
        self.left.addWidget(self.source)
        self.left.addWidget(self.first)
        self.bar = PaneBar(session)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for part in (self.left, self.engine):
            self.splitter.addWidget(part)
        self.splitter.setSizes([500, 500])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.splitter, 1)
        self.laid = PaneOverlays(session, self.by_side, self.shown)
        self.following = CameraFollow(self)
        self._fates: dict[str, str] = {}  # what became of each node, in a badge
        for pane in self.by_side.values():
            self.following.watch(pane.canvas)
        self.first.canvas.noun = self.engine.canvas.noun = "layer"
        tab_before(self.engine.canvas, [self.source.canvas, self.first.canvas])  # Tab goes from graph to graph

    def _connect(self) -> None:
        session, pair = self._session, self._session.pair
        self.source.canvas.selection_changed.connect(session.select_nodes)
        self.source.canvas.living_body = self._living_body
        self.first.canvas.selection_changed.connect(pair.select)
        self.engine.canvas.selection_changed.connect(session.select_layers)
        for side, pane in self.by_side.items():
            pane.canvas.picture_asked.connect(self.save_left if side is not Side.ENGINE else self.save_right)
        self.bar.mode_chosen.connect(lambda mode: pair.set_on(mode == TWO))
        self.bar.dim_toggled.connect(self.toggle_dim)
        self.bar.follow_toggled.connect(self.toggle_follow)
        session.model_changed.connect(self._show_model)
        connect_all((session.engine_changed, pair.changed, session.runs.changed), self._show_engines)
        session.selection_changed.connect(self._show_selection)

    def set_theme(self, theme: Theme) -> None:
        for pane in self.by_side.values():
            pane.canvas.set_theme(theme)
        self.laid.show_links()
        self.laid.refresh()

    # which graphs

    def _show_model(self, _model: object = None) -> None:
        model = self._session.model
        if model is None:
            self.title.set_words(Words("Source", bold=True))
        else:
            extra = model.all_nodes - model.top_level_nodes
            soft = plural(model.top_level_nodes, "node") + (f" + {extra:,} in bodies" if extra else "")
            self.title.set_words(Words("Source", soft, bold=True))
        self.source.set_graph(model.graph if model else None, self._session.scopes.of_model(model) if model else None)
        self.laid.show_links()
        self.laid.refresh()

    def _show_engines(self, _news: object = None) -> None:
        session, pair = self._session, self._session.pair
        name = "B" if pair.is_on else "Engine"
        self._name(self.run_of_engine, name, session.current, session.engine)
        self._name(self.run_of_first, "A", pair.run, pair.engine)
        self._set_engine(self.engine, session.engine, session.current)
        self._set_engine(self.first, pair.engine, pair.run)
        self._show_left(self.first if pair.is_on else self.source)
        self._pair_cameras()
        self._refresh_bar()
        self.laid.show_links()
        self.laid.refresh()

    def _name(self, picker: RunPicker, name: str, run: Run | None, engine: EngineGraph | None) -> None:
        pair = self._session.pair
        beside = [other for other in (self._session.current, pair.run) if pair.is_on and other is not None]
        picker.show_run(run, engine_words(name, self._titles().short(run, beside) if run is not None else "", engine))

    def _titles(self) -> Titles:
        return self._session.runs.titles

    def _living_body(self, bodies: Sequence[str]) -> str:
        """Of the bodies of a node the one of which the engine kept most; the first where there is no engine."""
        fates = self._session.links.fates
        alive = Counter(
            key
            for node, fate in fates.items()
            if fate.kind is not FateKind.REMOVED
            for key in bodies
            if node.startswith(f"{key}.")
        )
        return max(bodies, key=lambda key: alive[key])

    def _set_engine(self, pane: Pane, engine: EngineGraph | None, run: Run | None) -> None:
        model = self._session.model
        if engine is None or model is None:
            is_here = run is not None and self._session.is_of_model(run)
            is_coming = is_here and run is not None and not run.status.is_final
            pane.set_graph(None, empty=why_no_engine(run, is_of_model=is_here), is_on_its_way=is_coming)
        else:
            pane.set_graph(engine.graph, self._session.scopes.of_engine(model, engine.graph))

    def _show_left(self, pane: Pane) -> None:
        if self.left.currentWidget() is not pane:
            self.left.setCurrentWidget(pane)
            pane.canvas.setFocus()

    def _pair_cameras(self) -> None:
        session, pair = self._session, self._session.pair
        if not pair.is_on:
            links = session.links
            self.following.set_pair(self.source.canvas, self.engine.canvas, links.layers_of, links.nodes_of)
            return
        a, b = pair.links, session.links
        self.following.set_pair(
            self.first.canvas,
            self.engine.canvas,
            lambda ids: b.layers_of(a.nodes_of(ids)),
            lambda ids: a.layers_of(b.nodes_of(ids)),
        )

    # the selection

    def _show_selection(self, selection: Selection) -> None:
        for side, ids in _by_side(selection).items():
            self.by_side[side].canvas.set_selection(ids, reveal=side is not selection.chosen)
        self.bar.say(*selection_answer(self._session))
        self._dim()

    def _dim(self) -> None:
        """Others than what a search found, or else than what is linked to the selection, step back."""
        selection, dims = self._session.selection, self._session.settings.get("dim_rest")
        for side, ids in _by_side(selection).items():
            kept = self._found.get(side) or (ids if dims and selection else None)
            self.by_side[side].canvas.set_kept(kept)

    def show_found(self, found: Mapping[Side, Collection[str]], at: Hit | None) -> None:
        """Rings what a search found in each graph, and the one it is at; all others step back."""
        self._found = dict(found)
        for side, ids in found.items():
            self.by_side[side].canvas.set_matches(ids, at.id if at is not None and at.side is side else "")
        self._dim()

    def fly_to_selection(self) -> None:
        for side, ids in _by_side(self._session.selection).items():
            if ids:
                self.by_side[side].canvas.fly_to(min(ids, key=_index))

    def fit(self) -> None:
        for pane in self.shown():
            pane.canvas.fit()

    def open_groups(self) -> None:
        for pane in self.shown():
            pane.canvas.expand_all()

    def close_groups(self) -> None:
        for pane in self.shown():
            pane.canvas.collapse_all()

    def shown(self) -> tuple[Pane, Pane]:
        """The two that stand side by side."""
        return (self.first if self._session.pair.is_on else self.source), self.engine

    # actions

    def toggle_two(self) -> None:
        self._session.pair.toggle()

    def toggle_dim(self) -> None:
        self._toggle("dim_rest")
        self._dim()

    def toggle_follow(self) -> None:
        self._toggle("follow")

    def _toggle(self, setting: str) -> None:
        self._session.settings.set(setting, not self._session.settings.get(setting))
        self._refresh_bar()

    def _refresh_bar(self) -> None:
        settings = self._session.settings
        self.bar.refresh(dims=settings.get("dim_rest"), follows=settings.get("follow"))
        if self.following.is_on != settings.get("follow"):
            self.following.set_on(settings.get("follow"))

    def save_left(self) -> None:
        left, _ = self.shown()
        self._save(left, "engine-a" if left is self.first else "source-graph")

    def save_right(self) -> None:
        self._save(self.engine, "engine-graph")

    def focused(self) -> Pane:
        """The pane that has the keyboard, else the left one."""
        left, right = self.shown()
        return right if right.isAncestorOf(self.focusWidget() or left) else left

    def choose_overlay(self) -> None:
        self.focused().overlays.popup()

    def copy_picture(self) -> None:
        remark = self.focused().canvas.copy_picture()
        self._session.show(Message("The picture is in the clipboard.", remark, is_error=False))

    def _save(self, pane: Pane, name: str) -> None:
        dialog = PictureDialog(pane.canvas, self._session, name, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()


def _by_side(selection: Selection) -> dict[Side, frozenset[str]]:
    return {Side.SOURCE: selection.nodes, Side.FIRST: selection.first, Side.ENGINE: selection.layers}


def _index(item: str) -> tuple[int, str]:
    digits = "".join(ch for ch in item.split(".")[0] if ch.isdigit())
    return (int(digits) if digits else 0, item)
