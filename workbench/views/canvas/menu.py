"""The canvas's own entries of a context menu: about the group under the pointer, about all groups, about the view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction

from workbench.views.canvas.grouping import deepest

if TYPE_CHECKING:
    from workbench.views.canvas.canvas import GraphCanvas

LEVELS_MOST = 4  # entries "Show 1 level" and so on

Entry = tuple[str, Callable[[], object]]


def make_actions(canvas: GraphCanvas, group: str) -> list[QAction]:
    """`group` is the id of the one that was clicked, or "". The actions belong to the canvas."""
    actions = []
    for text, act in (*_of_group(canvas, group), *_of_all(canvas), *_of_view(canvas)):
        action = QAction(text, canvas)
        action.triggered.connect(lambda _on=False, act=act: act())
        actions.append(action)
    return actions


def _of_group(canvas: GraphCanvas, group: str) -> Iterator[Entry]:
    body = canvas.scene.body
    if group not in body.number:
        return
    found = body.groups[body.number[group]]
    verb = "Close" if canvas.is_open(group) else "Open"
    yield f"{verb} {found.name}", lambda: canvas.toggle_group(group, alone=True)
    if found.repeats > 1:
        yield f"{verb} all {found.repeats} like {found.name}", lambda: canvas.toggle_group(group)
    if canvas.is_open(group):
        yield f"Open only {found.name}", lambda: canvas.open_only(group)


def _of_all(canvas: GraphCanvas) -> Iterator[Entry]:
    levels = deepest(canvas.scene.body) + 1
    if levels == 0:
        return
    yield "Open all groups", canvas.expand_all
    yield "Close all groups", canvas.collapse_all
    for depth in range(1, min(levels - 1, LEVELS_MOST) + 1):
        yield (
            f"Open {depth} level{'s' if depth > 1 else ''} of groups",
            partial(canvas.expand_to_depth, depth),
        )


def _of_view(canvas: GraphCanvas) -> Iterator[Entry]:
    yield "Fit the whole graph", canvas.fit
    yield "Select all", canvas.select_all
    yield "Copy picture", canvas.copy_picture
    yield "Save picture…", canvas.picture_asked.emit
