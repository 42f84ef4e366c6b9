"""The camera's flight from where it is to where it should be."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEasingCurve, QObject, QVariantAnimation

from workbench.views.canvas.camera import Camera

DURATION_MS = 250


class Flight(QObject):
    """Calls `move` with each camera on the way. Not `is_animated`: the first is the last."""

    def __init__(self, parent: QObject, move: Callable[[Camera], None]) -> None:
        super().__init__(parent)
        self.is_animated = True
        self._move = move
        self._start = self._goal = Camera()
        self._pane = (1.0, 1.0)
        self._animation = QVariantAnimation(self)
        self._animation.setDuration(DURATION_MS)
        self._animation.setStartValue(0.0)
        self._animation.setEndValue(1.0)
        self._animation.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._animation.valueChanged.connect(self._on_step)

    @property
    def goal(self) -> Camera | None:
        """Where a flight under way ends."""
        is_flying = self._animation.state() == QVariantAnimation.State.Running
        return self._goal if is_flying else None

    def fly(self, start: Camera, goal: Camera, pane: tuple[float, float]) -> None:
        self.stop()
        self._start, self._goal, self._pane = start, goal, pane
        if self.is_animated:
            self._animation.start()
        else:
            self._move(goal)

    def stop(self) -> None:
        self._animation.stop()

    def _on_step(self, share: object) -> None:
        self._move(self._start.towards(self._goal, float(share), *self._pane))  # type: ignore[arg-type]
