"""Keys: one table from a key to what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent

from workbench.views.canvas import walk
from workbench.views.canvas.scene import Scene

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

STEP = 1.25
CONTROL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
PLAIN = Qt.KeyboardModifier.NoModifier

Action = Callable[["GraphCanvas"], None]


def _walk(step: Callable[[Scene, int], int]) -> Action:
    def act(canvas: GraphCanvas) -> None:
        scene = canvas.scene
        here = canvas.current
        if not 0 <= here < scene.count:
            here = walk.entrance(scene, canvas.current_group)
            _go(canvas, here if here >= 0 else walk.first(scene))
        else:
            _go(canvas, step(scene, here))

    return act


def _go(canvas: GraphCanvas, goal: int) -> None:
    if goal >= 0:
        canvas.select_box(goal, adds=False)
        canvas.show_box(goal)


def _alone(canvas: GraphCanvas) -> None:
    canvas.activate_box(canvas.current, alone=True)


class Key(msgspec.Struct, frozen=True):
    """What one key does, in words for the page of keys. `label` is how that page writes it; "" leaves it out there."""

    key: Qt.Key
    act: Action
    label: str = ""
    words: str = ""
    modifiers: Qt.KeyboardModifier = PLAIN


TABLE = (
    Key(Qt.Key.Key_Down, _walk(walk.below), "↑  ↓", "along the edges"),
    Key(Qt.Key.Key_Up, _walk(walk.above)),
    Key(Qt.Key.Key_Left, _walk(lambda scene, box: walk.beside(scene, box, -1)), "←  →", "to the neighbours"),
    Key(Qt.Key.Key_Right, _walk(lambda scene, box: walk.beside(scene, box, 1))),
    Key(Qt.Key.Key_Home, lambda canvas: _go(canvas, walk.first(canvas.scene)), "Home  End", "to the first, the last"),
    Key(Qt.Key.Key_End, lambda canvas: _go(canvas, walk.last(canvas.scene))),
    Key(Qt.Key.Key_Return, lambda canvas: canvas.activate_box(canvas.current), "Enter", "open, close"),
    Key(Qt.Key.Key_Enter, lambda canvas: canvas.activate_box(canvas.current)),
    Key(Qt.Key.Key_Return, _alone, "Alt+Enter", "only this one of those alike", ALT),
    Key(Qt.Key.Key_Enter, _alone, modifiers=ALT),
    Key(Qt.Key.Key_Escape, lambda canvas: canvas.step_back(), "Esc", "climb: group, nothing, body"),
    Key(Qt.Key.Key_F, lambda canvas: canvas.fit_selection(), "F", "fit the selection, or all"),
    Key(Qt.Key.Key_0, lambda canvas: canvas.fit(), "Ctrl+0", "fit everything", CONTROL),
    Key(Qt.Key.Key_Plus, lambda canvas: canvas.zoom_by(STEP), "+  −", "zoom"),
    Key(Qt.Key.Key_Equal, lambda canvas: canvas.zoom_by(STEP)),
    Key(Qt.Key.Key_Minus, lambda canvas: canvas.zoom_by(1 / STEP)),
    Key(Qt.Key.Key_A, lambda canvas: canvas.select_all(), "Ctrl+A", "select all", CONTROL),
)
KEYS = {(entry.key, entry.modifiers): entry.act for entry in TABLE}

IGNORED = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier  # + is often Shift and =


def is_own(event: QEvent) -> bool:
    """Whether the canvas has this key before the window's shortcuts: Esc climbs, where the window selects nothing."""
    return (
        isinstance(event, QKeyEvent)
        and event.type() == QEvent.Type.ShortcutOverride
        and event.key() == Qt.Key.Key_Escape
        and event.modifiers() == PLAIN
    )


def press(canvas: GraphCanvas, event: QKeyEvent) -> bool:
    """Do what the key means; False if it means nothing here."""
    action = KEYS.get((Qt.Key(event.key()), event.modifiers() & ~IGNORED))
    if action is None:
        return False
    action(canvas)
    return True
