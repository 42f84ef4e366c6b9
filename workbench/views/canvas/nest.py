"""A graph with the bodies inside it: which body a layer is in, what a search finds, and a scene of each, made once."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workbench.core.collector import quiet_collector
from workbench.core.graph import Graph, Layer
from workbench.core.scopes import Scope
from workbench.views.canvas.body import NODE, Body
from workbench.views.canvas.boxes import Measure, outer_tensors
from workbench.views.canvas.grouping import first_choices, seen_boxes
from workbench.views.canvas.layout import Check, Memo, no_check
from workbench.views.canvas.scene import Scene, build_scene

WIDE = 960.0  # world units: of wider pictures half a window shows a part only, at a zoom at which ops can be read

Path = tuple[str, ...]  # keys of subgraphs from the outermost inwards; () is the graph itself


@dataclass(frozen=True)
class Draft:
    """A picture of a body, with what stands open in it."""

    body: Body
    opened: frozenset[str]
    scene: Scene


class Nest:
    """`scopes` are the groups of each body, by its key; "" is the graph itself. Layouts are made once and kept."""

    def __init__(
        self, graph: Graph, measure: Measure, scopes: Mapping[str, Scope] | None = None, noun: str = NODE
    ) -> None:
        self.graph, self._noun = graph, noun
        self.scopes = dict(scopes or {})
        self._measure = measure
        self._memo = Memo()
        self._lock = threading.Lock()  # around `_memo`
        self._bodies: dict[Path, Body] = {}
        self._opened: dict[Path, frozenset[str]] = {}
        self._scenes: dict[Path, Scene] = {}
        self._graphs: dict[Path, Graph] = {(): graph}
        self._paths: dict[str, Path] = {}
        self._layers: dict[str, Layer] = {}
        self._collect((), graph)

    def _collect(self, path: Path, graph: Graph) -> None:
        for layer in graph.layers:
            self._paths[layer.id] = path
            self._layers[layer.id] = layer
        for key, body in graph.subgraphs.items():
            self._graphs[*path, key] = body
            self._collect((*path, key), body)

    def path_of(self, layer_id: str) -> Path | None:
        """The body a layer is drawn in, or None for an unknown id."""
        return self._paths.get(layer_id)

    def paths(self) -> Iterable[Path]:
        """The graph itself and all bodies, outer ones first."""
        return self._graphs.keys()

    def body(self, path: Path) -> Body:
        if path not in self._bodies:
            self._bodies[path] = self._new_body(path)
        return self._bodies[path]

    def _new_body(self, path: Path) -> Body:
        outer = outer_tensors([self._graphs[path[:depth]] for depth in range(len(path))])
        scope = self.scopes.get(path[-1] if path else "")
        return Body(self._graphs[path], outer, scope, self._measure, self._noun)

    def opened(self, path: Path) -> frozenset[str]:
        """Ids of the groups that stand open, those inside closed ones too; none before the first picture."""
        return self._opened.get(path, frozenset())

    def opened_by_path(self) -> dict[Path, frozenset[str]]:
        return dict(self._opened)

    def remember(self, opened: Mapping[Path, frozenset[str]]) -> None:
        """What stood open when this graph was shown before."""
        self._opened.update(opened)

    def size(self, path: Path, opened: frozenset[str] | None = None) -> int:
        """About how many boxes there are to handle for a picture with these groups open; None: those that are."""
        body = self._bodies.get(path)
        if body is None:
            return len(self._graphs[path].layers)
        wanted = self.opened(path) if opened is None else opened
        return 0 if self._is_made(path, wanted) else seen_boxes(body, wanted)

    def draft(self, path: Path, opened: frozenset[str] | None = None, check: Check = no_check) -> Draft:
        """A picture with these groups open; None: those that are. It may be made in a thread: nothing else changes."""
        with self._lock, quiet_collector():  # looking for garbage, of which there is none, took a third of the time
            body = self._bodies.get(path) or self._new_body(path)
            wanted = opened if opened is not None else self._opened.get(path)
            if wanted is None:
                return self._first_draft(body, check)
            wanted &= body.number.keys()
            if self._is_made(path, wanted):
                return Draft(body, wanted, self._scenes[path])
            return Draft(body, wanted, build_scene(body, wanted, self._memo, check))

    def _first_draft(self, body: Body, check: Check) -> Draft:
        """As much open as is not too wide; else the narrowest."""
        drafts = []
        for opened in first_choices(body):
            drafts.append(Draft(body, opened, build_scene(body, opened, self._memo, check)))
            if drafts[-1].scene.placed.width <= WIDE:
                return drafts[-1]
        return min(drafts, key=lambda draft: draft.scene.placed.width)

    def keep(self, path: Path, draft: Draft) -> None:
        """From now on this is the picture of a body."""
        self._bodies[path], self._opened[path], self._scenes[path] = draft.body, draft.opened, draft.scene

    def scene(self, path: Path) -> Scene:
        """The picture of a body, made now where it is not yet."""
        if path not in self._scenes:
            self.keep(path, self.draft(path))
        return self._scenes[path]

    def _is_made(self, path: Path, opened: frozenset[str]) -> bool:
        return path in self._scenes and self._opened.get(path) == opened

    def siblings(self, path: Path) -> list[Path]:
        """All bodies of the layer that holds this one, itself among them, in the file's order."""
        holder = path[-1].rpartition(".")[0]
        return [(*path[:-1], key) for key in self._graphs[path[:-1]].subgraphs if key.rpartition(".")[0] == holder]

    def holders(self, ids: Iterable[str], path: Path) -> frozenset[str]:
        """Layers of the graph at `path` in whose bodies some of these layers are."""
        depth = len(path)
        paths = (self._paths.get(layer_id, ()) for layer_id in ids)
        inner = {found[depth] for found in paths if len(found) > depth and found[:depth] == path}
        return frozenset(key.rpartition(".")[0] for key in inner)

    def ids(self) -> Iterable[str]:
        """All layers, bodies included."""
        return self._layers.keys()

    def known(self, ids: Iterable[str]) -> frozenset[str]:
        return frozenset(layer_id for layer_id in ids if layer_id in self._layers)

    def layer(self, layer_id: str) -> Layer | None:
        return self._layers.get(layer_id)
