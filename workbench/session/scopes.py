"""The scopes of what is open: found once for each graph, and kept for the few that are looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from workbench.core.graph import Graph
from workbench.core.model import Model
from workbench.core.scopes import Scope
from workbench.model import engine_scopes, find_all_scopes

KEPT = 8  # graphs: a model and the engines compared

ScopesByGraph = dict[str, Scope]
"""Trees of groups: of the graph itself by "", of each body by its key in `Graph.subgraphs`."""


class Scopes:
    def __init__(self) -> None:
        self._found: OrderedDict[int, tuple[Graph, ScopesByGraph]] = OrderedDict()

    def of_model(self, model: Model) -> ScopesByGraph:
        return self._kept(model.graph, lambda: find_all_scopes(model.graph))

    def of_engine(self, model: Model, engine: Graph) -> ScopesByGraph:
        """The engine's layers in the groups of the model that it was built from, under the same ids."""
        source = self.of_model(model)[""]
        return self._kept(engine, lambda: {**_of_bodies(engine), "": engine_scopes(engine, source)})

    def _kept(self, graph: Graph, find: Callable[[], ScopesByGraph]) -> ScopesByGraph:
        """By identity: graphs are frozen, and comparing large ones takes as long as finding."""
        if id(graph) not in self._found:
            self._found[id(graph)] = (graph, find())
        self._found.move_to_end(id(graph))
        while len(self._found) > KEPT:
            self._found.popitem(last=False)
        return self._found[id(graph)][1]


def _of_bodies(engine: Graph) -> ScopesByGraph:
    return find_all_scopes(engine) if engine.subgraphs else {}
