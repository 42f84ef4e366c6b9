"""The dock: the source model and the engine in Netron, one selection with the graphs. Loaded when first opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from workbench.core.errors import WorkbenchError
from workbench.core.theme import Theme
from workbench.session.netron import engine_bytes, save_engine, source_bytes
from workbench.session.selection import Selection
from workbench.session.session import Session
from workbench.views.controls import HeadTab
from workbench.views.files import ask_where_to_save
from workbench.views.netron.files import NetronFiles, netron_folder
from workbench.views.netron.missing import Missing, what_is_missing
from workbench.views.saving import saved
from workbench.views.widgets import connect_all, empty_label

if TYPE_CHECKING:
    from workbench.views.netron.page import NetronEngine, NetronView

SOURCE, ENGINE = "source", "engine"
TITLES = {SOURCE: "Source model", ENGINE: "Engine"}
NOTHING = {SOURCE: "Open a model to see it in Netron.", ENGINE: "No engine yet: build one to see it in Netron."}
LEAST, WIDTH = 320, 560

Get = Callable[[Session], bytes | None]
CONTENT: dict[str, Get] = {SOURCE: source_bytes, ENGINE: engine_bytes}


class NetronDock(QDockWidget):
    """Closed and empty until the user opens it; then a tab for each graph, loaded when it is first looked at."""

    def __init__(self, session: Session, window: QMainWindow) -> None:
        super().__init__("Netron", window)
        self.setObjectName("netron")
        self._session = session
        self._files: NetronFiles | None = None
        self.engine: NetronEngine | None = None
        self.views: dict[str, NetronView] = {}
        self._stale = {SOURCE, ENGINE}
        self._is_dark = False
        self.missing: Missing | None = None
        self.setMinimumWidth(LEAST)
        self.hide()
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self)
        self.visibilityChanged.connect(self._shown)
        connect_all((session.model_changed,), lambda _news: self._outdate(SOURCE))
        connect_all((session.engine_changed, session.current_changed), lambda _news: self._outdate(ENGINE))
        session.selection_changed.connect(self._select)

    # what actions call

    def toggle(self) -> None:
        self.setVisible(not self.isVisible())

    def save_engine(self) -> None:
        """Asks where to write the engine as a file that Netron opens."""

        def save(path: str) -> None:
            saved(self._session, lambda: save_engine(self._session, Path(path)), f"The engine is written to {path}.")

        ask_where_to_save(self, "Save engine for Netron", "engine.onnx", "ONNX for Netron (*.onnx)", save)

    def set_theme(self, theme: Theme) -> None:
        """Netron's page is loaded again where it shows the other one."""
        self._is_dark = theme.name == "dark"
        if self._files is not None and self._files.is_dark != self._is_dark:
            self._files.is_dark = self._is_dark
            self._stale = {SOURCE, ENGINE}
            self._refresh()

    def show_graph(self, name: str) -> None:
        """`source` or `engine` comes to the front."""
        for key, tab in self.tabs.items():
            tab.setChecked(key == name)
        self._name = name
        self._refresh()

    # loading

    def _shown(self, is_visible: bool) -> None:
        if not is_visible:
            return
        if self._files is None and self.missing is None:
            reason = what_is_missing()
            if reason:
                self.missing = Missing(reason)
                self.setWidget(self.missing)
            else:
                self._build()
        if self._files is not None:
            self._refresh()

    def _build(self) -> None:
        """The profile of the pages is deleted after them: children go in the order in which they came."""
        from workbench.views.netron.page import NetronEngine

        folder = netron_folder()
        assert folder is not None
        self._files = NetronFiles(folder)
        self._files.is_dark = self._is_dark
        self.engine = NetronEngine(self._files)
        inner = QWidget()
        inner.setObjectName("panel")
        inner.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._pages = QStackedWidget()
        self._empty = empty_label("")
        self._pages.addWidget(self._empty)
        self.tabs = {name: HeadTab(title) for name, title in TITLES.items()}
        head = QHBoxLayout()
        head.setContentsMargins(14, 4, 8, 2)
        head.setSpacing(14)
        for name, tab in self.tabs.items():
            tab.setProperty("several", True)
            tab.clicked.connect(lambda _on=False, n=name: self.show_graph(n))
            head.addWidget(tab)
            view = self.views[name] = self.engine.view(self._pages)
            view.selected.connect(self._chosen(name))
            view.ready.connect(lambda _count: self._select(self._session.selection))
            self._pages.addWidget(view)
        head.addStretch(1)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._pages, 1)
        self.setWidget(inner)
        self.engine.setParent(self)
        self._name = SOURCE
        self.tabs[SOURCE].setChecked(True)
        window = self.parent()
        if isinstance(window, QMainWindow) and not self.isFloating():
            window.resizeDocks([self], [WIDTH], Qt.Orientation.Horizontal)

    def _outdate(self, name: str) -> None:
        self._stale.add(name)
        self._refresh()

    def _refresh(self) -> None:
        """Loads the graph in front if what it shows is of before."""
        if self._files is None or not self.isVisible():
            return
        name = self._name
        if name in self._stale:
            self._stale.discard(name)
            self._load(name)
        has_graph = self._files.answer(name, "/index.html") is not None
        self._empty.setText(NOTHING[name])
        self._pages.setCurrentWidget(self.views[name] if has_graph else self._empty)

    def _load(self, name: str) -> None:
        assert self._files is not None
        try:
            data = CONTENT[name](self._session)
        except WorkbenchError as error:
            self._session.show_error(error)
            data = None
        if data is None:
            self._files.drop_graph(name)
            return
        model = self._session.model
        file = Path(model.path).name if model is not None else ""
        self._files.set_graph(name, file if name == SOURCE else f"Engine of {file}", data)
        self.views[name].show_graph(name)

    # selection

    def _chosen(self, name: str) -> Callable[[object], None]:
        choose = self._session.select_nodes if name == SOURCE else self._session.select_layers

        def take(ids: object) -> None:
            assert isinstance(ids, tuple)
            choose(ids)

        return take

    def _select(self, selection: Selection) -> None:
        """Only the tab in front: the other is told when it is loaded or comes to the front."""
        if self._files is None or not self.isVisible():
            return
        ids = selection.nodes if self._name == SOURCE else selection.layers
        self.views[self._name].select(tuple(sorted(ids)))
