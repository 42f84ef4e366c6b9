"""Folding: which body is shown and which of its groups stand open. What the eye is on stays where it is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QWidget

from workbench.core.graph import Graph
from workbench.core.scopes import Scope
from workbench.views.canvas import grouping
from workbench.views.canvas.camera import Camera
from workbench.views.canvas.fonts import ruler
from workbench.views.canvas.loading import Loader
from workbench.views.canvas.nest import Draft, Nest, Path
from workbench.views.canvas.scene import HEADER, Scene
from workbench.views.canvas.surface import Surface

EMPTY = Graph("")
AT_ONCE = 1500  # boxes; a layout of more is made in a thread, unless nothing is animated
REMEMBERED = 8  # graphs whose open groups and cameras are kept while others are shown


@dataclass(frozen=True)
class _Left:
    """A graph that was shown before, and how."""

    graph: Graph
    scopes: dict[str, Scope]
    opened: dict[Path, frozenset[str]]
    cameras: dict[Path, Camera]


@dataclass(frozen=True)
class View:
    """What is seen of a graph: to come back to."""

    graph: Graph
    path: Path
    opened: frozenset[str]
    camera: Camera
    is_home: bool


class Folding(Surface):
    """A surface over a graph with bodies and groups. Groups are named by `Scope.id`; unknown ones are ignored."""

    body_changed = Signal(object)  # tuple of subgraph keys from the outermost inwards; () at the top
    groups_changed = Signal()  # some were opened or closed

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._nest = Nest(EMPTY, ruler())
        self._path: Path = ()
        self._cameras: dict[Path, Camera] = {}
        self._left: list[_Left] = []
        self._loader: Loader[Draft] = Loader(self)
        self._nothing = self._scene  # of a graph without layers
        self._wanted = ""  # the layer to fly to

    @property
    def path(self) -> Path:
        """Keys of the open bodies (`n3.then_branch`), from the outermost inwards."""
        return self._path

    def _after_scene(self) -> None:
        """What is drawn is new."""
        raise NotImplementedError

    def _stand_on(self, box: int) -> None:
        """The keyboard is at this box now, or at none (-1)."""
        self.current = box

    def _change_nest(self, nest: Nest) -> None:
        """Another graph. What was open in it when it was last shown, and where one looked, is so again."""
        self._flight.stop()
        if self._scene.count:
            cameras = self._cameras if self._is_home else {**self._cameras, self._path: self._camera}
            this = _Left(self._nest.graph, self._nest.scopes, self._nest.opened_by_path(), cameras)
            self._left = [this, *self._left][:REMEMBERED]
        before = next((left for left in self._left if left.graph == nest.graph and left.scopes == nest.scopes), None)
        if before is not None:
            self._left.remove(before)
            nest.remember(before.opened)
        self._nest, self._cameras, self._wanted = nest, before.cameras if before is not None else {}, ""
        self._show_path(())

    def view(self) -> View:
        """Where one looks now: the body, its open groups, the camera."""
        nest, path = self._nest, self._path
        return View(nest.graph, path, nest.opened(path), self._camera, self._is_home)

    def show_view(self, view: View) -> None:
        """Looks there again; nothing happens where another graph is shown by now."""
        if view.graph is not self._nest.graph:
            return
        self._flight.stop()
        self._wanted, self._is_home = "", view.is_home
        if (view.path, view.opened) == (self._path, self._nest.opened(self._path)):
            self._stand_on(self.current if self._marks.selected.any() else -1)
            self._set_camera(view.camera)
            return
        self._path, self._cameras[view.path] = view.path, view.camera
        self._lay_out(view.opened, lambda: self._arrive(""))

    # -- groups -----------------------------------------------------------------------------------------------------

    def is_open(self, group: str) -> bool:
        """True if the group shows what is inside, or would if those around it did."""
        return group in self._nest.opened(self._path)

    def toggle_group(self, group: str, *, alone: bool = False, place: QPointF | None = None) -> None:
        """Open a closed one, close an open one, and all alike with it unless `alone`.

        Its header stays where it was; `place` is a point of the pane that the closed box comes to.
        """
        body = self._scene.body
        number = body.number.get(group)
        if number is None:
            return
        together = {body.groups[i].id for i in ([number] if alone else body.alike(number))}
        opened = self._nest.opened(self._path)
        self._regroup(opened - together if group in opened else opened | together, group, place)

    def expand_all(self) -> None:
        self._regroup(grouping.everything(self._scene.body))

    def collapse_all(self) -> None:
        self._regroup(frozenset())

    def expand_to_depth(self, depth: int) -> None:
        """The outermost `depth` levels stand open, all others are closed."""
        self._regroup(grouping.to_depth(self._scene.body, depth))

    def open_only(self, group: str) -> None:
        """This group and those around it stand open, all others are closed."""
        body = self._scene.body
        if group in body.number:
            number = body.number[group]
            self._regroup(frozenset(body.groups[i].id for i in (number, *grouping.around(body, number))), group)

    def uncover(self, layer_ids: Iterable[str]) -> None:
        """Open the groups around these layers of the body that is shown."""
        body = self._scene.body
        homes = {int(body.home[body.place[i]]) for i in layer_ids if i in body.place} - {-1}
        needed = {body.groups[i].id for home in homes for i in (home, *grouping.around(body, home))}
        self._regroup(self._nest.opened(self._path) | needed)

    def header_under(self, place: QPointF) -> int:
        """The open group whose header is at a point of the pane, or -1."""
        x, y = self._camera.to_world(place.x(), place.y())
        return self._scene.header_at(x, y)

    def group_under(self, place: QPointF) -> str:
        """The closed group whose box is at a point of the pane, or the innermost open one around it; "" for none."""
        box = self.box_under(place)
        if box in self._scene.closed:
            return self._scene.closed[box]
        group = self._scene.group_at(*self._camera.to_world(place.x(), place.y()))
        return self._scene.groups.ids[group] if group >= 0 else ""

    def _regroup(self, opened: Collection[str], eye: str = "", place: QPointF | None = None) -> None:
        """`eye` is the group that is looked at; without one, what is under the cursor, current or in the middle."""
        if self._scene is not self._nothing and frozenset(opened) != self._nest.opened(self._path):
            self._lay_out(frozenset(opened), lambda: self._swap(eye, place))

    def _swap(self, eye: str, place: QPointF | None) -> None:
        """The new picture for the old one, so that what is looked at does not move."""
        self._flight.stop()
        leaf, stood = self._watched(), self._standing(eye)
        spot = self._camera.to_device(*_spot(self._scene, eye, leaf))
        before = spot if place is None else (place.x(), place.y())
        self._scene = self._nest.scene(self._path)
        self.current = int(self._scene.box_of[stood]) if stood >= 0 else -1
        self._hover = self._hover_group = -1
        self.current_group = self._still_open(self.current_group)
        after = self._camera.to_device(*_spot(self._scene, eye, leaf))
        self._is_home = False
        self._after_scene()
        self._set_camera(self._camera.moved(before[0] - after[0], before[1] - after[1]))
        self.groups_changed.emit()
        self._fly_on()

    def _standing(self, eye: str) -> int:
        """The leaf that the keyboard will be at: where it is, or the first of the group that it closes."""
        if 0 <= self.current < self._scene.count:
            return int(self._scene.first_leaf[self.current])
        body = self._scene.body
        return body.groups[body.number[eye]].first if eye and eye == self.current_group else -1

    def _still_open(self, group: str) -> str:
        return group if group in self._scene.groups.ids else ""

    def _watched(self) -> int:
        """The leaf that stays in place: of the box under the cursor, the current one, or the one nearest the middle."""
        box = self._hover if self._hover >= 0 else self.current
        if not 0 <= box < self._scene.count:
            box = self._scene.nearest(*self._camera.to_world(self.width() / 2, self.height() / 2))
        return int(self._scene.first_leaf[box]) if box >= 0 else -1

    # -- bodies -----------------------------------------------------------------------------------------------------

    def _open_path(self, path: Path) -> None:
        left = self._path
        self._cameras[left] = self._camera
        has_climbed = left[: len(path)] == path and len(left) > len(path)
        self._show_path(path, stand_on=left[len(path)].rpartition(".")[0] if has_climbed else "")

    def _show_path(self, path: Path, stand_on: str = "") -> None:
        """`stand_on` is the layer that becomes current."""
        self._path = path
        self._lay_out(None, lambda: self._arrive(stand_on))
        if self._loader.is_busy:
            self._scene = self._nothing
            self.current = self._hover = self._hover_group = -1
            self.current_group = ""
            self._after_scene()

    def _arrive(self, stand_on: str) -> None:
        path = self._path
        self._scene = self._nest.scene(path)
        self.current, self.current_group = self._scene.homes.get(stand_on, -1) if stand_on else -1, ""
        self._hover = self._hover_group = -1
        self._after_scene()
        if path in self._cameras:
            self._set_camera(self._cameras[path])
        else:
            self.home()
        self.body_changed.emit(path)
        self._fly_on()

    def fly_to(self, layer_id: str) -> None:
        """Bring a layer into the middle, opening the body and the groups it is in."""
        self._wanted = layer_id
        self._fly_on()

    def _fly_on(self) -> None:
        """Each layout on the way to the layer that is wanted ends here."""
        path = self._nest.path_of(self._wanted)
        if path is None or self._loader.is_busy:
            return
        if path != self._path:
            self._cameras[self._path] = self._camera
            self._show_path(path)
            return
        box = self._scene.index.get(self._wanted)
        if box is None and self._wanted in self._scene.body.place:
            self.uncover([self._wanted])
            return
        self._wanted = ""
        if box is not None:
            self._stand_on(box)
            self._fly_to_box(box)

    # -- layouts ----------------------------------------------------------------------------------------------------

    @property
    def is_laying_out(self) -> bool:
        """A large layout is under way: what is seen is the picture before it, or none."""
        return self._loader.is_busy

    def _lay_out(self, opened: frozenset[str] | None, then: Callable[[], None]) -> None:
        """Make the picture of the body that is shown: now, or beside this thread where that takes long."""
        nest, path = self._nest, self._path

        def deliver(draft: Draft) -> None:
            nest.keep(path, draft)
            then()

        if self.is_animated and nest.size(path, opened) > AT_ONCE:
            self._loader.start(lambda check: nest.draft(path, opened, check), deliver)
        else:
            self._loader.cancel()
            deliver(nest.draft(path, opened))


def _spot(scene: Scene, group: str, leaf: int) -> tuple[float, float]:
    """Where a group's header, or the box that shows a leaf, is in the world."""
    if group in scene.groups.ids:
        x, y, width, _ = scene.placed.frames[scene.groups.ids.index(group)].tolist()
        return x + width / 2, y + HEADER / 2
    if group:
        leaf = scene.body.groups[scene.body.number[group]].first
    if leaf < 0:
        return 0.0, 0.0
    box = int(scene.box_of[leaf])
    return float(scene.placed.x[box]), float(scene.placed.y[box])
