"""A graph with the bodies inside it: which body a layer is in, what a search finds, and a scene of each, made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workbench.core.graph import Graph, Layer
from workbench.core.scopes import Scope
from workbench.views.canvas.body import Body
from workbench.views.canvas.boxes import Measure, outer_tensors
from workbench.views.canvas.grouping import first_opened
from workbench.views.canvas.layout import Memo
from workbench.views.canvas.scene import Scene, build_scene

Path = tuple[str, ...]  # keys of subgraphs from the outermost inwards; () is the graph itself


class Nest:
    """`scopes` are the groups of each body, by its key; "" is the graph itself. Layouts are made once and kept."""

    def __init__(self, graph: Graph, measure: Measure, scopes: Mapping[str, Scope] | None = None) -> None:
        self.graph = graph
        self.scopes = dict(scopes or {})
        self._measure = measure
        self._memo = Memo()
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
            outer = outer_tensors([self._graphs[path[:depth]] for depth in range(len(path))])
            scope = self.scopes.get(path[-1] if path else "")
            self._bodies[path] = Body(self._graphs[path], outer, scope, self._measure)
        return self._bodies[path]

    def opened(self, path: Path) -> frozenset[str]:
        """Ids of the groups that stand open, those inside closed ones too."""
        if path not in self._opened:
            self._opened[path] = first_opened(self.body(path))
        return self._opened[path]

    def opened_by_path(self) -> dict[Path, frozenset[str]]:
        return dict(self._opened)

    def remember(self, opened: Mapping[Path, frozenset[str]]) -> None:
        """What stood open when this graph was shown before; groups that are no more are passed over."""
        for path, groups in opened.items():
            self._opened[path] = groups & self.body(path).number.keys()

    def open_groups(self, path: Path, opened: frozenset[str]) -> None:
        if opened != self.opened(path):
            self._opened[path] = opened
            self._scenes.pop(path, None)

    def scene(self, path: Path) -> Scene:
        if path not in self._scenes:
            self._scenes[path] = build_scene(self.body(path), self.opened(path), self._memo)
        return self._scenes[path]

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
