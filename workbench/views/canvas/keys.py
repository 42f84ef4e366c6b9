"""Keys: one table from a key to what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from workbench.views.canvas import walk
from workbench.views.canvas.scene import Scene

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

STEP = 1.25
CONTROL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier

Action = Callable[["GraphCanvas"], None]


def _walk(step: Callable[[Scene, int], int]) -> Action:
    def act(canvas: GraphCanvas) -> None:
        scene = canvas.scene
        here = canvas.current
        goal = step(scene, here) if 0 <= here < scene.count else walk.first(scene)
        if goal >= 0:
            canvas.select_box(goal, adds=False)
            canvas.show_box(goal)

    return act


KEYS: dict[tuple[Qt.Key, Qt.KeyboardModifier], Action] = {
    (Qt.Key.Key_Down, PLAIN): _walk(walk.below),
    (Qt.Key.Key_Up, PLAIN): _walk(walk.above),
    (Qt.Key.Key_Right, PLAIN): _walk(lambda scene, box: walk.beside(scene, box, 1)),
    (Qt.Key.Key_Left, PLAIN): _walk(lambda scene, box: walk.beside(scene, box, -1)),
    (Qt.Key.Key_Return, PLAIN): lambda canvas: canvas.activate_box(canvas.current),
    (Qt.Key.Key_Enter, PLAIN): lambda canvas: canvas.activate_box(canvas.current),
    (Qt.Key.Key_Escape, PLAIN): lambda canvas: canvas.step_back(),
    (Qt.Key.Key_F, PLAIN): lambda canvas: canvas.fit(),
    (Qt.Key.Key_0, CONTROL): lambda canvas: canvas.fit(),
    (Qt.Key.Key_Plus, PLAIN): lambda canvas: canvas.zoom_by(STEP),
    (Qt.Key.Key_Equal, PLAIN): lambda canvas: canvas.zoom_by(STEP),
    (Qt.Key.Key_Minus, PLAIN): lambda canvas: canvas.zoom_by(1 / STEP),
    (Qt.Key.Key_A, CONTROL): lambda canvas: canvas.select_all(),
}

IGNORED = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier  # + is often Shift and =


def press(canvas: GraphCanvas, event: QKeyEvent) -> bool:
    """Do what the key means; False if it means nothing here."""
    action = KEYS.get((Qt.Key(event.key()), event.modifiers() & ~IGNORED))
    if action is None:
        return False
    action(canvas)
    return True
