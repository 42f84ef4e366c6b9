"""What a screen reader hears of the canvas: the box or the group that the keyboard is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent

from workbench.core.words import plural
from workbench.views.canvas.words import describe, describe_group

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas


def current_words(canvas: GraphCanvas) -> str:
    """Of the current box or open group; "" where nothing is current."""
    scene, groups = canvas.scene, canvas.scene.groups
    if 0 <= canvas.current < scene.count:
        return describe(scene, canvas.marks, canvas.current)
    return describe_group(scene, groups.ids.index(canvas.current_group)) if canvas.current_group in groups.ids else ""


def words_at(canvas: GraphCanvas, place: QPointF) -> str:
    """Of the box at a point of the pane and what others know of it, or of the open group whose header is there."""
    box, header = canvas.box_under(place), canvas.header_under(place)
    if box >= 0:
        return describe(canvas.scene, canvas.marks, box) + canvas.tell_more(canvas.scene.members(box))
    return describe_group(canvas.scene, header) if header >= 0 else ""


def tell_current(canvas: GraphCanvas, *, aloud: bool = True) -> None:
    """The description of the widget is what is current; a change is told, and said `aloud` where one listens."""
    text = current_words(canvas)
    said = text or f"{plural(len(canvas.scene.leaves[0]), canvas.noun)}, none current. Arrow keys walk along the edges."
    if said == canvas.accessibleDescription():
        return
    canvas.setAccessibleDescription(said)
    QAccessible.updateAccessibility(QAccessibleEvent(canvas, QAccessible.Event.DescriptionChanged))
    if aloud and text and canvas.hasFocus():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(canvas, text.replace("\n", ", ")))
