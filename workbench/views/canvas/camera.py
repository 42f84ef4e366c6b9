"""The camera: what part of the world the pane shows. Plain numbers; device = world * zoom + shift."""

from __future__ import annotations

from dataclasses import dataclass, replace

ZOOM_LEAST, ZOOM_MOST = 0.0002, 4.0  # a transformer of 50,000 nodes is three million pixels high


@dataclass(frozen=True)
class Camera:
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def to_world(self, x: float, y: float) -> tuple[float, float]:
        return (x - self.shift_x) / self.zoom, (y - self.shift_y) / self.zoom

    def to_device(self, x: float, y: float) -> tuple[float, float]:
        return x * self.zoom + self.shift_x, y * self.zoom + self.shift_y

    def moved(self, dx: float, dy: float) -> Camera:
        return replace(self, shift_x=self.shift_x + dx, shift_y=self.shift_y + dy)

    def zoomed(self, factor: float, x: float, y: float) -> Camera:
        """Zoom so that the world point under device point (x, y) stays there."""
        zoom = min(max(self.zoom * factor, ZOOM_LEAST), ZOOM_MOST)
        world_x, world_y = self.to_world(x, y)
        return Camera(zoom, x - world_x * zoom, y - world_y * zoom)

    def centred(self, world_x: float, world_y: float, width: float, height: float) -> Camera:
        """The same zoom with a world point in the middle of a pane of this size."""
        return Camera(self.zoom, width / 2 - world_x * self.zoom, height / 2 - world_y * self.zoom)

    def towards(self, goal: Camera, share: float, width: float, height: float) -> Camera:
        """On the way to `goal`: 0 here, 1 there. The middle of the pane moves evenly, the zoom by its logarithm."""
        if share >= 1.0:
            return goal
        here, there = self.to_world(width / 2, height / 2), goal.to_world(width / 2, height / 2)
        x, y = (a + (b - a) * share for a, b in zip(here, there, strict=True))
        return Camera(self.zoom * (goal.zoom / self.zoom) ** share).centred(x, y, width, height)


def fitted(width: float, height: float, pane: tuple[float, float], margin: float, most: float = 1.25) -> Camera:
    """All of a drawing of this size, in the middle of the pane; never larger than `most`."""
    room_x, room_y = max(pane[0] - 2 * margin, 16.0), max(pane[1] - 2 * margin, 16.0)
    zoom = min(room_x / max(width, 1.0), room_y / max(height, 1.0), most)
    return Camera(max(zoom, ZOOM_LEAST)).centred(width / 2, height / 2, *pane)
