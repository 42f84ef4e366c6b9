"""The scopes of an engine's graph: its layers stand where the nodes stood that they were made of."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.core.graph import Graph, Layer
from workbench.core.scopes import Scope, ScopeOrigin
from workbench.model.scopes.alike import mark_alike
from workbench.model.scopes.groups import Group, freeze, plant, root_group, tidy
from workbench.model.scopes.paths import common_of, fill
from workbench.model.scopes.wiring import Wiring


def engine_scopes(graph: Graph, source: Scope) -> Scope:
    """The tree of groups of an engine's layers; groups have the ids of those of the model's graph, `source`.

    A layer stands in the deepest group that holds all its sources. One without sources (a reformat) stands between its
    neighbours. A node in a body counts as the node that holds it.
    """
    root, wiring = root_group(), Wiring(graph)
    where = _homes_of_nodes(source, root)
    homes = [_home(layer, where) for layer in wiring.layers]
    plant(root, fill(homes, root, wiring))
    tidy(root, wiring.producers)
    mark_alike(root, wiring)
    return freeze(root, wiring.layers)


def _homes_of_nodes(source: Scope, root: Group) -> dict[str, Group]:
    """A group for each scope of the model, by the nodes directly inside."""
    homes: dict[str, Group] = {}
    waiting = [(source, root)]
    while waiting:
        scope, group = waiting.pop()
        homes |= dict.fromkeys(scope.layers, group)
        waiting += [
            (child, Group(child.id, child.name, ScopeOrigin.SOURCES, group, depth=group.depth + 1))
            for child in scope.children
        ]
    return homes


def _home(layer: Layer, where: Mapping[str, Group]) -> Group | None:
    return common_of([group for node in layer.sources if (group := _known(node, where)) is not None])


def _known(node: str, where: Mapping[str, Group]) -> Group | None:
    """Of `n3.then_branch.n0` the home of n3."""
    while node not in where and "." in node:
        node = node.rpartition(".")[0]
    return where.get(node)
