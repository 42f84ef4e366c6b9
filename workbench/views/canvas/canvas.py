"""GraphCanvas: the widget. It is given a graph and what to say about its layers; it never asks anybody for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
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
from workbench.views.canvas import keys
from workbench.views.canvas.breadcrumb import Breadcrumb
from workbench.views.canvas.camera import Camera
from workbench.views.canvas.controls import ZoomControls
from workbench.views.canvas.fonts import face, measure
from workbench.views.canvas.guard import draw_banner, guarded
from workbench.views.canvas.heat import Heat, Kinds
from workbench.views.canvas.marks import Saying, make_marks
from workbench.views.canvas.minimap import Minimap
from workbench.views.canvas.nest import Nest, Path
from workbench.views.canvas.paint import paint_touched
from workbench.views.canvas.palette import make_palette
from workbench.views.canvas.picture import paint_picture
from workbench.views.canvas.pointer import Pointer, Tool, band_boxes
from workbench.views.canvas.surface import Surface
from workbench.views.canvas.words import describe, tooltip

EMPTY = Graph("")


class GraphCanvas(Surface):
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
    marks_changed = Signal()  # what `marks` says is new
    camera_changed = Signal()
    body_changed = Signal(object)  # tuple of subgraph keys from the outermost inwards; () at the top

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._placeholder = ""
        self._nest = Nest(EMPTY, measure)
        self._path: Path = ()
        self._saying = Saying()
        self._cameras: dict[Path, Camera] = {}
        self._pointer = Pointer(self)
        self._actions = [self._action("Fit the whole graph", self.fit), self._action("Select all", self.select_all)]
        self._minimap = Minimap(self)
        self._controls = ZoomControls(self)
        self._breadcrumb = Breadcrumb(self)
        self._breadcrumb.chosen.connect(self._open_path)
        self._set_up()

    def _action(self, text: str, act: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.triggered.connect(lambda _on=False: act())
        return action

    def _set_up(self) -> None:
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 80)
        self.setAccessibleName("Graph")
        self.set_theme(LIGHT)
        self._after_graph()

    # -- what the window says ---------------------------------------------------------------------------------------

    def set_graph(self, graph: Graph | None, scopes: Mapping[str, Scope] | None = None) -> None:
        """Show this graph. An equal one keeps camera, selection and overlays; another one clears them all.

        `scopes` are the groups of its layers, by the key of the body they are in ("" is the graph itself).
        """
        graph = EMPTY if graph is None else graph
        if graph is self._nest.graph or graph == self._nest.graph:
            return
        self._flight.stop()
        self._nest = Nest(graph, measure, scopes)
        self._saying, self._cameras, self.error_text = Saying(), {}, ""
        self._show_path(())

    def set_theme(self, theme: Theme) -> None:
        self._palette = make_palette(theme)
        for part in (self._controls, self._breadcrumb, self._minimap):
            part.set_theme(theme)
        self._say()

    def set_placeholder(self, text: str) -> None:
        """A sentence for the middle of an empty canvas."""
        self._placeholder = text
        self.update()

    def set_selection(self, ids: Iterable[str], reveal: bool = False) -> None:
        """Select these; `reveal` brings the first into view, opening the body it is in. Sends no signal."""
        known = self._nest.known(ids)
        if known == self._saying.selection and not reveal:
            return
        self._select(known)
        if reveal and known:
            here = [i for i in self._scene.ids if i in known]
            if here:
                self._reveal([self._scene.index[i] for i in here])
            else:
                self.fly_to(next(i for i in self._nest.ids() if i in known))

    def set_overlay(self, overlay: Heat | Kinds | None) -> None:
        """A number or a kind per layer id, as colour and text. None takes it away."""
        self._say(overlay=overlay)

    def set_colors(self, colors: Mapping[str, str]) -> None:
        """A colour (`#rrggbb`) at the left side of layers, such as their precision's."""
        self._say(colors=dict(colors))

    def set_badges(self, badges: Mapping[str, str]) -> None:
        """A few words above the right corner of layers, such as their fate."""
        self._say(badges=dict(badges))

    def set_dimmed(self, ids: Iterable[str] | None) -> None:
        """Draw these layers faintly; None: no layer."""
        self._say(dimmed=frozenset(ids or ()))

    def find(self, text: str) -> list[str]:  # type: ignore[override]  # QWidget.find is for native window ids
        """Ids of layers whose id, name, op, tensors or attributes have every word of `text`, the best first."""
        return self._nest.find(text)

    @property
    def path(self) -> Path:
        """Keys of the open bodies (`n3.then_branch`), from the outermost inwards."""
        return self._path

    @property
    def selection(self) -> frozenset[str]:
        return self._saying.selection

    def fly_to(self, layer_id: str) -> None:
        """Bring a layer into the middle, opening the body it is in."""
        path = self._nest.path_of(layer_id)
        if path is None:
            return
        if path != self._path:
            self._cameras[self._path] = self._camera
            self._show_path(path)
        box = self._scene.index.get(layer_id)
        if box is not None:
            self.current = box
            self._fly_to_box(box)

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
        """The canvas's own entries for a context menu; owned by the canvas."""
        return self._actions

    # -- selection --------------------------------------------------------------------------------------------------

    def select_box(self, box: int, *, adds: bool) -> None:
        """By the user. Pills become current, but no layer is selected by them."""
        self.current = box
        clicked = frozenset([self._scene.ids[box]]) if self._scene.layers[box] is not None else frozenset()
        chosen = self._saying.selection ^ clicked if adds else clicked
        self._select_by_user(chosen)
        self._tell_accessibility()

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
        self.current = -1
        self._select_by_user(frozenset())

    def activate_box(self, box: int) -> None:
        """Open its body, or tell that it was activated."""
        if not 0 <= box < self._scene.count:
            return
        if box in self._scene.opens:
            self._open_path((*self._path, self._scene.opens[box][0]))
        elif self._scene.layers[box] is not None:
            self.activated.emit(self._scene.ids[box])

    def step_back(self) -> None:
        """Esc: first the tool is laid down, then the selection goes, then the body closes."""
        if self.tool is not Tool.SELECT:
            self.set_tool(Tool.SELECT)
        elif self._saying.selection or self.current >= 0:
            self.clear_selection()
        elif self._path:
            self._open_path(self._path[:-1])

    def _layer_ids(self, boxes: Iterable[int]) -> list[str]:
        return [layer_id for box in boxes for layer_id in self._scene.members(box)]

    def _select_by_user(self, ids: frozenset[str]) -> None:
        has_changed = ids != self._saying.selection
        self._select(ids)
        if has_changed:
            self.selection_changed.emit(ids)

    def _select(self, ids: frozenset[str]) -> None:
        if self.current >= 0 and self._scene.ids[self.current] not in ids and ids:
            self.current = -1
        if self.current < 0 and len(ids) == 1:
            self.current = self._scene.index.get(next(iter(ids)), -1)
        self._say(selection=ids)
        self._tell_current()

    # -- bodies -----------------------------------------------------------------------------------------------------

    def _open_path(self, path: Path) -> None:
        left = self._path
        self._cameras[left] = self._camera
        self._show_path(path)
        if left[: len(path)] == path and len(left) > len(path):  # climbed: stand on what was open
            self.current = self._scene.index.get(left[len(path)].rpartition(".")[0], -1)
            self._tell_current()

    def _show_path(self, path: Path) -> None:
        self._path, self._scene = path, self._nest.scene(path)
        self.current = self._hover = -1
        self._after_graph()
        if path in self._cameras:
            self._set_camera(self._cameras[path])
        else:
            self.home()
        self.body_changed.emit(path)

    def _after_graph(self) -> None:
        self._breadcrumb.show_path(self._path, self._nest)
        self._say()
        has_graph = self._scene.count > 0
        self._controls.setVisible(has_graph)
        self._place_parts()
        self._tell_current()

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
            else:
                self._paint_placeholder(painter)
            self._paint_stroke(painter)
            self._paint_band(painter)
            draw_banner(painter, self)

    def _paint_placeholder(self, painter: QPainter) -> None:
        painter.setFont(face(13))
        painter.setPen(self._palette.color("soft"))
        area = QRectF(self.rect()).adjusted(32, 16, -32, -16)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self._placeholder)

    def _paint_stroke(self, painter: QPainter) -> None:
        if self._pointer.stroke:
            paint_touched(painter, self.frame(), self._pointer.stroke)

    def _paint_band(self, painter: QPainter) -> None:
        if self._pointer.band is not None:
            accent = self._palette.color("accent")
            painter.setPen(accent)
            accent.setAlphaF(0.1)
            painter.setBrush(accent)
            painter.drawRect(self._pointer.band)

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
        self._controls.move(self.width() - self._controls.width() - 10, self.height() - self._controls.height() - 10)
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
        box = self.box_under(QPointF(event.pos()))
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
            box = self.box_under(QPointF(event.pos()))
            if box < 0:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), tooltip(describe(self._scene, self._marks, box)), self)
            return True
        return bool(super().event(event))

    def set_hover(self, place: QPointF | None) -> None:
        box = -1 if place is None else self.box_under(place)
        if box != self._hover:
            self._hover = box
            self.setCursor(self._pointer.cursor(box >= 0))
            self.update()

    def _tell_current(self) -> None:
        text = describe(self._scene, self._marks, self.current) if self.current >= 0 else ""
        count = sum(layer is not None for layer in self._scene.layers)
        self.setAccessibleDescription(text or f"{count} layers, none current")

    def _tell_accessibility(self) -> None:
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
