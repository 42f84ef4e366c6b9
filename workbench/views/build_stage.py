"""What stands in the engine's pane while there is no engine yet: its build, phase by phase."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from workbench.session.session import Session
from workbench.views.build_head import BuildHead
from workbench.views.guard import guarded
from workbench.views.stage_list import StageScroll

WIDTH = 420


class BuildStage(QWidget):
    """A column in the middle of the pane; drawn by the window's tick."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.head = BuildHead(session)
        self.stages = StageScroll()
        middle = QWidget()
        middle.setMaximumWidth(WIDTH)
        middle.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.head)
        column.addWidget(self.stages, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(20, 24, 20, 20)
        whole.addStretch(1)
        whole.addWidget(middle, 100)
        whole.addStretch(1)

    def refresh(self) -> None:
        run = self._session.current
        if self.isVisible() and run is not None:
            scene = self._session.theatre.scene(run.id)
            self.head.show_scene(scene)
            self.stages.set_stages(scene.stages, scene.at)

    @guarded
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()
