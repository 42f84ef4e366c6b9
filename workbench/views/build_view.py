"""The build theatre: what is being built, where it is, how long still; its log; and what waits."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QMenu, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from workbench.session.session import Session
from workbench.views.build_head import BuildHead
from workbench.views.guard import guarded
from workbench.views.log_view import LogView
from workbench.views.queue_rows import QueueRows
from workbench.views.stage_list import StageScroll
from workbench.views.widgets import connect_all, empty_label, menu_item

EMPTY = (
    "Nothing has been built yet.\nBuild (Ctrl+B) shows here what the engine is doing, phase by phase, "
    "how long it is likely to take, its memory and its log."
)


class BuildView(QWidget):
    """Drawn by the window's tick while something runs, and only where it can be seen."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.head = BuildHead(session)
        self.queue = QueueRows(session)
        self.stages = StageScroll()
        self.log = LogView(session)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.stages.setMinimumWidth(150)
        self.splitter.addWidget(self.stages)
        self.splitter.addWidget(self.log)
        self.stages.setViewportMargins(0, 0, 8, 0)
        self.log.setContentsMargins(10, 0, 0, 0)
        self.splitter.setSizes([300, 420])
        self.splitter.setStretchFactor(1, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 4, 0)
        column.setSpacing(6)
        column.addWidget(self.head)
        column.addWidget(self.queue)
        column.addWidget(self.splitter, 1)
        self.menu = QMenu(self)
        menu_item(self.menu, "Copy log", self.log.copy)
        menu_item(self.menu, "Copy phases", lambda: QGuiApplication.clipboard().setText(self.stages.list.text()))
        self._stack = QStackedLayout(self)
        self._stack.addWidget(empty_label(EMPTY))
        self._stack.addWidget(whole)
        news = (session.theatre.changed, session.runs.busy_changed, session.runs.finished, session.runs.changed)
        connect_all(news, self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        if not self.isVisible():
            return
        scene = self._session.theatre.scene()
        self._stack.setCurrentIndex(1 if scene.job else 0)
        self.head.show_scene(scene)
        self.queue.refresh()
        self.stages.set_stages(scene.stages, scene.at)
        self.log.refresh()

    @guarded
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
