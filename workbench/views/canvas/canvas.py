"""GraphCanvas: the widget. It is given a graph and what to say about its layers; it never asks anybody for anything."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from workbench.core.graph import Graph
from workbench.core.scopes import Scope
from workbench.core.theme import LIGHT, Theme
from workbench.core.words import plural
from workbench.views.canvas import keys
from workbench.views.canvas.body import NODE
from workbench.views.canvas.breadcrumb import Breadcrumb
from workbench.views.canvas.camera import Camera
from workbench.views.canvas.controls import ZoomControls
from workbench.views.canvas.folding import EMPTY, Folding
from workbench.views.canvas.fonts import face, ruler
from workbench.views.canvas.guard import draw_banner, guarded
from workbench.views.canvas.heat import Heat, Kinds
from workbench.views.canvas.marks import Saying, make_marks
from workbench.views.canvas.menu import make_actions
from workbench.views.canvas.minimap import Minimap
from workbench.views.canvas.nest import Nest
from workbench.views.canvas.paint import paint_band, paint_note, paint_touched
from workbench.views.canvas.palette import make_palette
from workbench.views.canvas.picture import paint_picture
from workbench.views.canvas.pointer import Pointer, Tool, band_boxes
from workbench.views.canvas.voice import tell_current, words_at
from workbench.views.canvas.words import tooltip


class GraphCanvas(Folding):
    """A graph, layered from top to bottom, that can be walked, searched, coloured and opened.

    Ids are those of `Layer.id`; unknown ones are ignored. `selection_changed` carries a frozenset of ids and is sent
    for the user's own doing only. `activated` carries the id of a layer that was double-clicked or entered and has no
    body to open. `painted` carries the frozenset of layers that one stroke of a brush or rectangle touched;
    `context_menu_requested` the layers a right click is about and where it was, in global pixels.
    """

    selection_changed = Signal(object)
    activated = Signal(str)
    tool_changed = Signal(object)
    painted = Signal(object)
    context_menu_requested = Signal(object, object)
    picture_asked = Signal()  # to be saved
    marks_changed = Signal()  # what `marks` says is new
    camera_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._saying = Saying()
        self._pointer = Pointer(self)
        self.noun = NODE  # what the boxes of the next graph are called
        self.living_body: Callable[[Sequence[str]], str] = lambda bodies: bodies[0]  # which of these to open first
        self.tell_more: Callable[[Sequence[str]], str] = lambda ids: ""  # ends the tooltip of a box with these layers
        self._menu_group = ""
        self._actions: list[QAction] = []
        self._minimap = Minimap(self)
        self._controls = ZoomControls(self)
        self._breadcrumb = Breadcrumb(self)
        self._breadcrumb.chosen.connect(self._open_path)
        self._set_up()

    def _set_up(self) -> None:
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 80)
        self.setAccessibleName("Graph")
        self.set_theme(LIGHT)
        self._after_scene()

    # -- what the window says ---------------------------------------------------------------------------------------

    def set_graph(self, graph: Graph | None, scopes: Mapping[str, Scope] | None = None) -> None:
        """Show this graph. An equal one keeps camera, selection and overlays; another one clears them all.

        `scopes` are the groups of its layers, by the key of the body they are in ("" is the graph itself). A graph that
        was shown before has the same groups open, and the same camera.
        """
        graph = EMPTY if graph is None else graph
        is_same = graph is self._nest.graph or graph == self._nest.graph
        if is_same and (scopes is None or scopes == self._nest.scopes):
            return
        self._saying, self.error_text = self._saying if is_same else Saying(), ""
        self._change_nest(Nest(graph, ruler(), scopes, self.noun))

    def set_theme(self, theme: Theme) -> None:
        self._palette = make_palette(theme)
        for part in (self._controls, self._breadcrumb, self._minimap):
            part.set_theme(theme)
        self._say()

    def set_selection(self, ids: Iterable[str], reveal: bool = False) -> None:
        """Select these; `reveal` brings the first into view, opening what it is in. Sends no signal."""
        known = self._nest.known(ids)
        if known == self._saying.selection and not reveal:
            return
        if not known:
            self.current = -1  # else its ring would look like an answer
        self._select(known)
        if reveal and known:
            whole = np.flatnonzero(self._marks.selected).tolist()
            if whole:
                self._reveal(whole)
            else:
                self.fly_to(next(i for i in self._nest.ids() if i in known))

    def set_overlay(self, overlay: Heat | Kinds | None) -> None:
        """A number or a kind per layer id, as colour and text. None takes it away."""
        self._say(overlay=overlay)
        tell_current(self, aloud=False)

    def set_colors(self, colors: Mapping[str, str]) -> None:
        """A colour (`#rrggbb`) at the left side of layers, such as their precision's."""
        self._say(colors=dict(colors))

    def set_badges(self, badges: Mapping[str, str], sorts: Mapping[str, str] | None = None) -> None:
        """A few words above the right corner of layers, such as their fate; closed groups count `sorts`."""
        self._say(badges=dict(badges), sorts=dict(sorts or {}))
        tell_current(self, aloud=False)

    def set_matches(self, ids: Collection[str], match: str = "") -> None:
        """Ring what a search found, and stronger the one it is at."""
        self._say(matches=ids, match=match)

    def set_kept(self, ids: Collection[str] | None) -> None:
        """Draw all layers but these faintly; None: no layer."""
        self._say(kept=ids)

    @property
    def selection(self) -> frozenset[str]:
        return self._saying.selection

    def _stand_on(self, box: int) -> None:
        super()._stand_on(box)
        tell_current(self)

    def _set_camera(self, camera: Camera) -> None:
        super()._set_camera(camera)
        self._minimap.follow()
        self.camera_changed.emit()

    # -- tools ------------------------------------------------------------------------------------------------------

    @property
    def tool(self) -> Tool:
        return self._pointer.tool

    def set_tool(self, tool: Tool) -> None:
        """What the left button does: select, or paint strokes that `painted` tells of."""
        if tool is not self._pointer.tool:
            self._pointer.set_tool(tool)
            self.tool_changed.emit(tool)

    def context_actions(self) -> list[QAction]:
        """The canvas's own entries for a menu where the last right click was; owned by the canvas, until the next."""
        for action in self._actions:
            action.deleteLater()
        self._actions = make_actions(self, self._menu_group)
        return self._actions

    # -- selection --------------------------------------------------------------------------------------------------

    def select_box(self, box: int, *, adds: bool) -> None:
        """By the user. Pills become current, but no layer is selected by them."""
        self.current, self.current_group = box, ""
        self._choose(frozenset(self._scene.members(box)), adds)

    def select_group(self, group: int, *, adds: bool) -> None:
        """An open group by its header: all layers inside."""
        self.current, self.current_group = -1, self._scene.groups.ids[group]
        self._choose(frozenset(self._scene.group_members(group)), adds)

    def _choose(self, clicked: frozenset[str], adds: bool) -> None:
        selection = self._saying.selection
        if adds:
            clicked = selection - clicked if clicked <= selection else selection | clicked
        self._select_by_user(clicked)

    def paint_boxes(self, boxes: Iterable[int]) -> None:
        """A stroke of a painting tool is done."""
        ids = frozenset(self._layer_ids(boxes))
        if ids:
            self.painted.emit(ids)

    def select_band(self, band: QRectF, *, adds: bool) -> None:
        ids = frozenset(self._layer_ids(band_boxes(self, band)))
        self._select_by_user(self._saying.selection | ids if adds else ids)

    def select_all(self) -> None:
        self._select_by_user(frozenset(self._layer_ids(range(self._scene.count))))

    def clear_selection(self) -> None:
        self.current, self.current_group = -1, ""
        self._select_by_user(frozenset())

    def activate_box(self, box: int, *, alone: bool = False) -> None:
        """Open its group or body, or tell that it was activated; the open group that is current closes."""
        if not 0 <= box < self._scene.count:
            self.toggle_group(self.current_group, alone=alone)
        elif box in self._scene.closed:
            self.toggle_group(self._scene.closed[box], alone=alone)
        elif box in self._scene.opens:
            self._open_path((*self._path, self.living_body(self._scene.opens[box])))
        elif self._scene.layers[box] is not None:
            self.activated.emit(self._scene.ids[box])

    def step_back(self) -> None:
        """Esc: the tool is laid down; then from what is current to the group around it; then the body closes."""
        around = self._around_current()
        if self.tool is not Tool.SELECT:
            self.set_tool(Tool.SELECT)
        elif around >= 0:
            self.select_group(around, adds=False)
        elif self._saying.selection or self.current >= 0:
            self.clear_selection()
        elif self._path:
            self._open_path(self._path[:-1])

    def _around_current(self) -> int:
        """The open group around the current box or group, or -1."""
        groups = self._scene.groups
        if self.current_group in groups.ids:
            return int(groups.parent[groups.ids.index(self.current_group)])
        return int(self._scene.inside[self.current]) if 0 <= self.current < self._scene.count else -1

    def _layer_ids(self, boxes: Iterable[int]) -> list[str]:
        return [layer_id for box in boxes for layer_id in self._scene.members(box)]

    def _select_by_user(self, ids: frozenset[str]) -> None:
        has_changed = ids != self._saying.selection
        self._select(ids)
        if has_changed:
            self.selection_changed.emit(ids)

    def _select(self, ids: frozenset[str]) -> None:
        if self.current >= 0 and ids and not ids.issuperset(self._scene.members(self.current)):
            self.current = -1
        if self.current < 0 and len(ids) == 1:
            self.current = self._scene.index.get(next(iter(ids)), -1)
        self._say(selection=ids)
        tell_current(self)

    def _after_scene(self) -> None:
        self._breadcrumb.show_path(self._path, self._nest)
        self._say()
        self._place_parts()
        tell_current(self)

    # -- drawing ----------------------------------------------------------------------------------------------------

    def _say(self, **changes: object) -> None:
        self._saying = replace(self._saying, **changes)  # type: ignore[arg-type]
        self._saying = replace(self._saying, holders=self._nest.holders(self._saying.selection, self._path))
        self._marks = make_marks(self._scene, self._saying, self._palette, self._marks)
        self.marks_changed.emit()
        self._minimap.refresh()
        self.update()

    @guarded()
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._palette.color("canvas"))
            if self._scene.count:
                paint_picture(painter, self.frame())
            if self.is_laying_out:
                self._paint_waiting(painter)
            paint_touched(painter, self.frame(), self._pointer.stroke)
            paint_band(painter, self.frame(), self._pointer.band)
            draw_banner(painter, self)

    def _paint_waiting(self, painter: QPainter) -> None:
        """Over the picture before, or in place of one."""
        if self._scene.count:
            paint_note(painter, self.frame(), "Laying out …")
            return
        painter.setFont(face(13))
        painter.setPen(self._palette.color("soft"))
        text = f"Laying out {plural(self._nest.size(self._path), self.noun)} …"
        painter.drawText(QRectF(self.rect()), int(Qt.AlignmentFlag.AlignCenter), text)

    # -- events -----------------------------------------------------------------------------------------------------

    @guarded()
    def resizeEvent(self, event: QResizeEvent) -> None:
        old, new = event.oldSize(), event.size()
        if self._is_home or old.isEmpty():
            self._set_camera(self._home() if self._is_home else self._camera)
        else:  # what was in the middle stays there
            self._set_camera(self._camera.moved((new.width() - old.width()) / 2, (new.height() - old.height()) / 2))
        self._place_parts()

    def _place_parts(self) -> None:
        has_room = self.map_room() > 0  # a narrow pane has none beside its boxes
        self._controls.setVisible(self._scene.count > 0 and has_room)
        self._controls.move(self.width() - self._controls.width() - 8, self.height() - self._controls.height() - 10)
        self._breadcrumb.setGeometry(0, 0, self.width(), self._breadcrumb.sizeHint().height())
        self._minimap.place()

    @guarded()
    def wheelEvent(self, event: QWheelEvent) -> None:
        self._pointer.wheel(event)

    @guarded()
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pointer.press(event)

    @guarded()
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.move(event)

    @guarded()
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointer.release(event)

    @guarded()
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pointer.double_click(event)

    @guarded()
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        is_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        box = self.current if is_key else self.box_under(QPointF(event.pos()))
        at_keys = self._scene.closed.get(box, self.current_group)
        self._menu_group = at_keys if is_key else self.group_under(QPointF(event.pos()))
        ids = frozenset(self._layer_ids([box])) if box >= 0 else frozenset()
        about = self._saying.selection if not ids or ids <= self._saying.selection else ids
        self.context_menu_requested.emit(about, event.globalPos())

    @guarded()
    def leaveEvent(self, event: QEvent) -> None:
        self.set_hover(None)

    @guarded()
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not keys.press(self, event):
            event.ignore()

    @guarded(default=False)
    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            if text := words_at(self, QPointF(event.pos())):
                QToolTip.showText(event.globalPos(), tooltip(text), self)
            else:
                QToolTip.hideText()
            return True
        if keys.is_own(event):
            event.accept()
            return True
        return bool(super().event(event))

    def set_hover(self, place: QPointF | None) -> None:
        box = -1 if place is None else self.box_under(place)
        header = -1 if place is None or box >= 0 else self.header_under(place)
        if (box, header) != (self._hover, self._hover_group):
            self._hover, self._hover_group = box, header
            self.setCursor(self._pointer.cursor(box >= 0 or header >= 0))
            self.update()
