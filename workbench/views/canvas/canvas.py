"""GraphCanvas: the widget. It is given a graph and what to say about its layers; it never asks anybody for anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path as FilePath

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from workbench.core.graph import Graph
from workbench.core.theme import LIGHT, Theme
from workbench.views.canvas import export, keys, walk
from workbench.views.canvas.breadcrumb import Breadcrumb
from workbench.views.canvas.camera import Camera, fitted
from workbench.views.canvas.controls import ZoomControls
from workbench.views.canvas.flight import Flight
from workbench.views.canvas.fonts import face, measure
from workbench.views.canvas.guard import draw_banner, guarded
from workbench.views.canvas.legend import paint_legend
from workbench.views.canvas.marks import Marks, Saying, make_marks
from workbench.views.canvas.minimap import Minimap
from workbench.views.canvas.nest import Nest, Path
from workbench.views.canvas.paint import Frame
from workbench.views.canvas.palette import make_palette
from workbench.views.canvas.picture import paint_picture
from workbench.views.canvas.pointer import Pointer, band_boxes
from workbench.views.canvas.scene import HEIGHT, Scene
from workbench.views.canvas.words import describe, tooltip

MARGIN = 28.0
READABLE = 0.34  # a fit below this zoom says nothing: a new graph then shows its top at START_ZOOM
START_ZOOM = 0.92
EMPTY = Graph("")


class GraphCanvas(QWidget):
    """A graph, layered from top to bottom, that can be walked, searched, coloured and opened.

    Ids are those of `Layer.id`; unknown ones are ignored. `selection_changed` carries a frozenset of ids and is sent
    for the user's own doing only. `activated` carries the id of a layer that was double-clicked or entered and has no
    body to open.
    """

    selection_changed = Signal(object)
    activated = Signal(str)
    body_changed = Signal(object)  # tuple of subgraph keys from the outermost inwards; () at the top

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.error_text = ""
        self._placeholder = ""
        self._nest = Nest(EMPTY, measure)
        self._path: Path = ()
        self._saying = Saying()
        self._palette = make_palette(LIGHT)
        self._scene = self._nest.scene(())
        self._marks = self._make_marks()
        self._camera = Camera()
        self._cameras: dict[Path, Camera] = {}
        self._is_home = True  # nobody moved the camera yet: it follows the pane's size
        self.current = -1
        self._hover = -1
        self._flight = Flight(self, self._on_flight)
        self._pointer = Pointer(self)
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
        self._after_graph()

    def sizeHint(self) -> QSize:
        return QSize(480, 560)

    # -- what the window says ---------------------------------------------------------------------------------------

    def set_graph(self, graph: Graph | None) -> None:
        """Show this graph. An equal one keeps camera, selection and overlays; another one clears them all."""
        graph = EMPTY if graph is None else graph
        if graph is self._nest.graph or graph == self._nest.graph:
            return
        self._flight.stop()
        self._nest = Nest(graph, measure)
        self._saying, self._cameras, self.error_text = Saying(), {}, ""
        self._show_path(())
        self.body_changed.emit(())

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

    def set_overlay(self, values: Mapping[str, float] | None, unit: str = "") -> None:
        """Heat: a value per layer id. None takes it away."""
        self._say(values=values, unit=unit)

    def set_colors(self, colors: Mapping[str, str]) -> None:
        """A colour (`#rrggbb`) at the left side of layers, such as their precision's."""
        self._say(colors=dict(colors))

    def set_badges(self, badges: Mapping[str, str]) -> None:
        """A few words above the right corner of layers, such as their fate."""
        self._say(badges=dict(badges))

    def set_dimmed(self, ids: Iterable[str] | None) -> None:
        """Draw these layers faintly; None: no layer."""
        self._say(dimmed=frozenset(ids or ()))

    def find(self, text: str) -> list[str]:
        """Ids of layers whose id, name, op, tensors or attributes have every word of `text`, the best first."""
        return self._nest.find(text)

    # -- camera -----------------------------------------------------------------------------------------------------

    @property
    def camera(self) -> Camera:
        return self._camera

    @property
    def scene(self) -> Scene:
        """What is drawn now: the graph, or the body that is open."""
        return self._scene

    @property
    def marks(self) -> Marks:
        return self._marks

    @property
    def path(self) -> Path:
        """Keys of the open bodies (`n3.then_branch`), from the outermost inwards."""
        return self._path

    @property
    def selection(self) -> frozenset[str]:
        return self._saying.selection

    @property
    def is_animated(self) -> bool:
        return self._flight.is_animated

    @is_animated.setter
    def is_animated(self, value: bool) -> None:
        self._flight.is_animated = value

    def fit(self) -> None:
        """The whole graph."""
        self._is_home = False
        self._fly(self._fitted())

    def home(self) -> None:
        """The view of a graph just opened: all of it, or where that would be unreadable its top."""
        self._is_home = True
        self._flight.stop()
        self._set_camera(self._home())

    def fly_to(self, layer_id: str) -> None:
        """Bring a layer into the middle, opening the body it is in."""
        path = self._nest.path_of(layer_id)
        if path is None:
            return
        if path != self._path:
            self._show_path(path)
        box = self._scene.index.get(layer_id)
        if box is not None:
            self.current = box
            self._fly_to_box(box)

    def zoom_by(self, factor: float) -> None:
        """About the middle of the pane."""
        goal = self._flight.goal or self._camera
        self._is_home = False
        self._fly(goal.zoomed(factor, self.width() / 2, self.height() / 2))

    def zoom_about(self, factor: float, x: float, y: float) -> None:
        """At once, about a point of the pane."""
        self._flight.stop()
        self._is_home = False
        self._set_camera(self._camera.zoomed(factor, x, y))

    def pan(self, dx: float, dy: float) -> None:
        self._is_home = False
        self._set_camera(self._camera.moved(dx, dy))

    def centre_on(self, x: float, y: float) -> None:
        """A world point to the middle, at once."""
        self._flight.stop()
        self._is_home = False
        self._set_camera(self._camera.centred(x, y, self.width(), self.height()))

    def stop_flight(self) -> None:
        self._flight.stop()

    def _fly(self, goal: Camera) -> None:
        self._flight.fly(self._camera, goal, self._pane())

    def _on_flight(self, camera: Camera) -> None:
        self._set_camera(camera)

    def _set_camera(self, camera: Camera) -> None:
        self._camera = camera
        self._minimap.follow()
        self.update()

    def _pane(self) -> tuple[float, float]:
        return float(self.width()), float(self.height())

    def _fitted(self) -> Camera:
        placed = self._scene.placed
        return fitted(placed.width, placed.height, self._pane(), MARGIN)

    def _home(self) -> Camera:
        camera = self._fitted()
        if camera.zoom >= READABLE or not self._scene.count:
            return camera
        top = walk.first(self._scene)
        x = float(self._scene.placed.x[top])
        return Camera(START_ZOOM, self.width() / 2 - x * START_ZOOM, MARGIN + 8)

    def _fly_to_box(self, box: int) -> None:
        placed = self._scene.placed
        zoom = max(self._camera.zoom, START_ZOOM) if self._camera.zoom < 0.5 else self._camera.zoom
        goal = Camera(zoom).centred(float(placed.x[box]), float(placed.y[box]), *self._pane())
        self._is_home = False
        self._fly(goal)

    def show_box(self, box: int) -> None:
        """Into view with the least movement."""
        camera, placed = self._flight.goal or self._camera, self._scene.placed
        x, y = camera.to_device(float(placed.x[box]), float(placed.y[box]))
        half_x, half_y = float(self._scene.widths[box]) / 2 * camera.zoom + 24, HEIGHT / 2 * camera.zoom + 40
        dx = max(half_x - x, 0.0) or min(self.width() - half_x - x, 0.0)
        dy = max(half_y - y, 0.0) or min(self.height() - half_y - y, 0.0)
        if dx or dy:
            self._is_home = False
            self._fly(camera.moved(dx, dy))

    def _reveal(self, boxes: list[int]) -> None:
        """Boxes selected elsewhere: nothing moves if one is in view, at a zoom at which it can be read."""
        placed = self._scene.placed
        left, top = self._camera.to_world(0, 0)
        right, bottom = self._camera.to_world(self.width(), self.height())
        x, y = placed.x[boxes], placed.y[boxes]
        seen = (x > left) & (x < right) & (y > top) & (y < bottom)
        if not bool(seen.any()) or self._camera.zoom < READABLE:
            self._fly_to_box(boxes[0])

    # -- selection --------------------------------------------------------------------------------------------------

    def select_box(self, box: int, *, adds: bool) -> None:
        """By the user. Pills become current, but no layer is selected by them."""
        self.current = box
        clicked = frozenset([self._scene.ids[box]]) if self._scene.layers[box] is not None else frozenset()
        chosen = self._saying.selection ^ clicked if adds else clicked
        self._select_by_user(chosen)
        self._tell_accessibility()

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
        """Esc: first the selection goes, then the body closes."""
        if self._saying.selection or self.current >= 0:
            self.clear_selection()
        elif self._path:
            self._open_path(self._path[:-1])

    def _layer_ids(self, boxes: Iterable[int]) -> list[str]:
        return [self._scene.ids[box] for box in boxes if self._scene.layers[box] is not None]

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
        self._show_path(path)
        if left[: len(path)] == path and len(left) > len(path):  # climbed: stand on what was open
            self.current = self._scene.index.get(left[len(path)].rpartition(".")[0], -1)
            self._tell_current()
        self.body_changed.emit(path)

    def _show_path(self, path: Path) -> None:
        self._cameras[self._path] = self._camera
        scene = self._nest.scene(path)
        self._path, self._scene = path, scene
        self.current = self._hover = -1
        self._after_graph()
        if path in self._cameras and scene.count:
            self._set_camera(self._cameras[path])
        else:
            self.home()

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
        self._marks = self._make_marks()
        if hasattr(self, "_minimap"):
            self._minimap.refresh()
        self.update()

    def _make_marks(self) -> Marks:
        return make_marks(self._scene, self._saying, self._palette)

    def frame(self, camera: Camera | None = None, size: tuple[float, float] | None = None) -> Frame:
        """Everything the picture is made of, for this pane or for another size and camera."""
        size = size or self._pane()
        return Frame(self._scene, self._marks, self._palette, camera or self._camera, *size, self._hover, self.current)

    @guarded()
    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), self._palette.color("canvas"))
            if self._scene.count:
                paint_picture(painter, self.frame())
                paint_legend(painter, self.frame())
            else:
                self._paint_placeholder(painter)
            self._paint_band(painter)
            draw_banner(painter, self)

    def _paint_placeholder(self, painter: QPainter) -> None:
        painter.setFont(face(13))
        painter.setPen(self._palette.color("soft"))
        area = QRectF(self.rect()).adjusted(32, 16, -32, -16)
        painter.drawText(area, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), self._placeholder)

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

    def box_under(self, place: QPointF) -> int:
        """The box at a point of the pane, or -1; small boxes are given a few pixels around them."""
        slack = 2.0 / self._camera.zoom
        return walk.box_at(self._scene, *self._camera.to_world(place.x(), place.y()), slack)

    def set_hover(self, place: QPointF | None) -> None:
        box = -1 if place is None else self.box_under(place)
        if box != self._hover:
            self._hover = box
            self.setCursor(Qt.CursorShape.PointingHandCursor if box >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def _tell_current(self) -> None:
        text = describe(self._scene, self._marks, self.current) if self.current >= 0 else ""
        count = sum(layer is not None for layer in self._scene.layers)
        self.setAccessibleDescription(text or f"{count} layers, none current")

    def _tell_accessibility(self) -> None:
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    # -- pictures ---------------------------------------------------------------------------------------------------

    def export_svg(self, path: FilePath | str, whole: bool = True) -> None:
        """The whole graph, or the view as it is. Raises WorkbenchError where the file cannot be written."""
        export.to_svg(self._export_frame(whole), FilePath(path))

    def export_png(self, path: FilePath | str, whole: bool = True) -> None:
        export.to_png(self._export_frame(whole), FilePath(path))

    def export_pdf(self, path: FilePath | str, whole: bool = True) -> None:
        export.to_pdf(self._export_frame(whole), FilePath(path))

    def picture(self, whole: bool = False) -> QImage:
        return export.to_image(self._export_frame(whole))

    def copy_picture(self, whole: bool = False) -> None:
        QGuiApplication.clipboard().setImage(self.picture(whole))

    def _export_frame(self, whole: bool) -> Frame:
        if not whole:
            return replace(self.frame(), hover=-1)
        placed = self._scene.placed
        size = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
        return replace(self.frame(Camera(1.0, MARGIN, MARGIN), size), hover=-1, current=-1)
