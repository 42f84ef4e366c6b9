"""Surface: a widget with a scene and a camera. It knows where to look; what things mean is the canvas's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from workbench.core.graph import Graph
from workbench.core.theme import LIGHT
from workbench.views.canvas import export, walk
from workbench.views.canvas.camera import Camera, fitted
from workbench.views.canvas.flight import Flight
from workbench.views.canvas.fonts import ruler
from workbench.views.canvas.marks import Marks, Saying, make_marks
from workbench.views.canvas.nest import Nest
from workbench.views.canvas.paint import Frame
from workbench.views.canvas.palette import make_palette
from workbench.views.canvas.scene import HEIGHT, Scene

MARGIN = 28.0
READABLE = 0.5  # below it ops cannot be read: a new graph then shows its top at START_ZOOM
COMFORTABLE = 0.7  # a flight to one box below it ends at START_ZOOM
START_ZOOM = 0.92
START_ZOOMS = (START_ZOOM, 0.8, 0.7, 0.6, READABLE)  # the first at which the width of the top is seen
MAP_LEAST_PANE = 320  # pixels
MAP_ROOM = 92.0  # the minimap stands at the right of a graph that is not seen whole


class Surface(QWidget):
    """Camera, flights and pictures of one scene. `error_text` is shown as a banner until another graph comes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.error_text = ""
        self.current: int = -1  # the box that the keyboard is at
        self.current_group = ""  # the open group that it is at
        self._hover = self._hover_group = -1
        self._palette = make_palette(LIGHT)
        self._scene = Nest(Graph(""), ruler()).scene(())
        self._marks = make_marks(self._scene, Saying(), self._palette)
        self._camera = Camera()
        self._is_home = True  # nobody moved the camera yet: it follows the pane's size
        self._flight = Flight(self, self._set_camera)

    def sizeHint(self) -> QSize:
        return QSize(480, 560)

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

    def frame(self, camera: Camera | None = None, size: tuple[float, float] | None = None) -> Frame:
        """Everything the picture is made of, for this pane or for another size and camera."""
        size = size or self._pane()
        return Frame(
            self._scene,
            self._marks,
            self._palette,
            camera or self._camera,
            *size,
            self._hover,
            self.current,
            self._hover_group,
            self.current_group,
        )

    def box_under(self, place: QPointF) -> int:
        """The box at a point of the pane, or -1; small boxes are given a few pixels around them."""
        slack = 2.0 / self._camera.zoom
        return walk.box_at(self._scene, *self._camera.to_world(place.x(), place.y()), slack)

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

    def fit_selection(self) -> None:
        """What is selected, in the middle of what the minimap leaves of the pane; the whole where nothing is."""
        boxes = np.flatnonzero(self._marks.selected)
        if not len(boxes):
            self.fit()
            return
        placed, half, (width, height) = self._scene.placed, self._scene.widths[boxes] / 2, self._pane()
        left, right = float((placed.x[boxes] - half).min()), float((placed.x[boxes] + half).max())
        top, bottom = float(placed.y[boxes].min()) - HEIGHT / 2, float(placed.y[boxes].max()) + HEIGHT / 2
        room = width - self.map_room(), height
        zoom = fitted(right - left, bottom - top, room, MARGIN + HEIGHT).zoom
        self._is_home = False
        self._fly(Camera(zoom).centred((left + right) / 2, (top + bottom) / 2, *room))

    def home(self) -> None:
        """The view of a graph just opened: all of it, or where that would be unreadable its top."""
        self._is_home = True
        self._flight.stop()
        self._set_camera(self._home())

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

    def look(self, camera: Camera) -> None:
        """At once through this camera."""
        self._flight.stop()
        self._is_home = False
        self._set_camera(camera)

    def stop_flight(self) -> None:
        self._flight.stop()

    def _fly(self, goal: Camera) -> None:
        self._flight.fly(self._camera, goal, self._pane())

    def _set_camera(self, camera: Camera) -> None:
        self._camera = camera
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
        zoom, middle = self._top_view()
        return Camera(zoom, (self.width() - self.map_room()) / 2 - middle * zoom, MARGIN + 8)

    def map_room(self) -> float:
        """What the minimap takes at the right; nothing in a narrow pane, where it would stand on the graph."""
        return MAP_ROOM if self.width() >= MAP_LEAST_PANE else 0.0

    def _top_view(self) -> tuple[float, float]:
        """Zoom, and the world x in the middle: of all that is seen of the top, else near its first box."""
        room = self.width() - self.map_room() - MARGIN
        for zoom in START_ZOOMS:
            left, right = self._reach(self.height() / zoom)
            if (right - left) * zoom <= room:
                return zoom, (left + right) / 2
        half = room / zoom / 2
        first = float(self._scene.placed.x[walk.first(self._scene)])
        return zoom, min(max(first, left + half), right - half)

    def _reach(self, bottom: float) -> tuple[float, float]:
        """From where to where boxes and open groups reach in the part of the drawing above `bottom`."""
        placed, half = self._scene.placed, self._scene.widths / 2
        seen, frames = placed.y < bottom, placed.frames[placed.frames[:, 1] < bottom]
        lefts = np.concatenate([(placed.x - half)[seen], frames[:, 0]])
        rights = np.concatenate([(placed.x + half)[seen], frames[:, 0] + frames[:, 2]])
        return float(lefts.min()), float(rights.max())

    def _fly_to_box(self, box: int) -> None:
        placed = self._scene.placed
        zoom = self._camera.zoom if self._camera.zoom >= COMFORTABLE else START_ZOOM
        width, height = self._pane()
        goal = Camera(zoom).centred(float(placed.x[box]), float(placed.y[box]), width - self.map_room(), height)
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

    # -- pictures ---------------------------------------------------------------------------------------------------

    def export(self, path: Path | str, whole: bool = True, sharpness: float = 2.0) -> str:
        """The whole graph, or the view as it is, as SVG, PNG or PDF by the suffix; what was left out, in a sentence.

        Raises WorkbenchError where the file cannot be written.
        """
        return export.write(self.export_frame(whole), Path(path), sharpness)

    def copy_picture(self, whole: bool = False, sharpness: float = 2.0) -> str:
        """Into the clipboard; what was left out, in a sentence."""
        frame = self.export_frame(whole)
        QGuiApplication.clipboard().setImage(export.to_image(frame, sharpness))
        return export.image_remark(frame, sharpness)

    def export_frame(self, whole: bool) -> Frame:
        """What a picture of the whole graph or of the view is made of."""
        if not whole:
            return replace(self.frame(), hover=-1, hover_group=-1)
        placed = self._scene.placed
        size = placed.width + 2 * MARGIN, placed.height + 2 * MARGIN
        return replace(
            self.frame(Camera(1.0, MARGIN, MARGIN), size), hover=-1, current=-1, hover_group=-1, current_group=""
        )
