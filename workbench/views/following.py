"""The camera of one pane carries that of the other to what is linked: by what is in view, not by equal coordinates."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QWidget

from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.camera import ZOOM_LEAST, Camera

Floats = NDArray[np.float64]
Linked = Callable[[Iterable[str]], frozenset[str]]

SAMPLED = 256  # boxes in view that are asked for their links: a move costs the same at any size
MEMBERS = 16  # of a closed group
REACH = 1 / 3  # of the pane: what is further from its middle counts little
READABLE = 1.0  # a follower is never larger than this, unless the leader is
DEEDS = (QEvent.Type.MouseButtonPress, QEvent.Type.Wheel, QEvent.Type.KeyPress)


class CameraFollow(QObject):
    """The pane that the user acted in last leads, and no other: nothing can move it back. Off at first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_on = False
        self._leader: GraphCanvas | None = None
        self._follower: dict[GraphCanvas, tuple[GraphCanvas, Linked]] = {}
        self._canvas_of: dict[QObject, GraphCanvas] = {}

    def watch(self, canvas: GraphCanvas) -> None:
        """From now on this canvas can lead."""
        for part in (canvas, *canvas.findChildren(QWidget)):
            self._canvas_of[part] = canvas
            part.installEventFilter(self)
        canvas.camera_changed.connect(lambda: self._moved(canvas))

    def set_pair(self, a: GraphCanvas, b: GraphCanvas, a_to_b: Linked, b_to_a: Linked) -> None:
        """The two panes side by side, and the ids in one that ids in the other are linked to."""
        self._follower = {a: (b, a_to_b), b: (a, b_to_a)}

    @property
    def is_on(self) -> bool:
        return self._is_on

    def set_on(self, is_on: bool) -> None:
        """Turned on, it carries at once: the pane that the user was in, else the left one, stays."""
        self._is_on = is_on
        if is_on and self._follower:
            self._carry(self._leader if self._leader in self._follower else next(iter(self._follower)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in DEEDS and watched in self._canvas_of:
            self._leader = self._canvas_of[watched]
        return False

    def _moved(self, canvas: GraphCanvas) -> None:
        """What the program moves (a flight to a selection, a resize) carries only where the user is."""
        if self._is_on and canvas is self._leader and canvas in self._follower:
            self._carry(canvas)

    def _carry(self, leader: GraphCanvas) -> None:
        other, linked = self._follower[leader]
        camera = linked_camera(leader, other, linked)
        if camera is not None:
            other.look(camera)


def linked_camera(leader: GraphCanvas, other: GraphCanvas, linked: Linked) -> Camera | None:
    """Where `other` shows what is linked to what `leader` shows; None where nothing in view has a link.

    Boxes near the middle of the leader's pane count most. Where its middle lies among them the other's comes to lie
    too (on a straight line fitted through both sides), and the zoom is such that they take as much room.
    """
    here, there = _matches(leader, other, linked)
    if not len(here):
        return None
    width, height = float(leader.width()), float(leader.height())
    middle = np.asarray(leader.camera.to_world(width / 2, height / 2))
    reach = np.asarray([width, height]) * REACH / leader.camera.zoom
    weight = np.exp(-0.5 * np.clip(((here - middle) / reach) ** 2, 0, 60).sum(axis=1))
    weight /= weight.sum()
    mean_here, mean_there = weight @ here, weight @ there
    spread_here, spread_there = (np.sqrt(weight @ (p - m) ** 2) for p, m in ((here, mean_here), (there, mean_there)))
    slope = _slope(here - mean_here, there - mean_there, weight)
    x, y = (mean_there + slope * (middle - mean_here)).tolist()
    tall = float(spread_here[1] / spread_there[1]) if spread_there[1] > 1 and spread_here[1] > 1 else 1.0
    zoom = min(leader.camera.zoom * min(max(tall, 0.2), 5.0), max(leader.camera.zoom, READABLE))
    return Camera(max(zoom, ZOOM_LEAST)).centred(x, y, float(other.width()), float(other.height()))


def _slope(here: Floats, there: Floats, weight: Floats) -> Floats:
    """How far the other side moves for a step here, by axis; 1 where there is nothing to tell it from."""
    variance = weight @ here**2
    slope = np.divide(weight @ (here * there), variance, out=np.ones(2), where=variance > 1)
    return np.asarray(np.clip(slope, 0.0, 4.0), dtype=np.float64)


def _matches(leader: GraphCanvas, other: GraphCanvas, linked: Linked) -> tuple[Floats, Floats]:
    """World positions of boxes in the leader's view, and the middle of what each is linked to in the other."""
    boxes = leader.frame().visible()
    if len(boxes) > SAMPLED:
        boxes = boxes[np.linspace(0, len(boxes) - 1, SAMPLED).astype(np.int64)]
    here, there = [], []
    placed, homes = other.scene.placed, other.scene.homes
    for box in boxes.tolist():
        ids = linked(leader.scene.members(box)[:MEMBERS])
        targets = list({homes[key] for key in ids if key in homes})
        if targets:
            here.append((float(leader.scene.placed.x[box]), float(leader.scene.placed.y[box])))
            there.append((float(placed.x[targets].mean()), float(placed.y[targets].mean())))
    return np.asarray(here, dtype=np.float64).reshape(-1, 2), np.asarray(there, dtype=np.float64).reshape(-1, 2)
