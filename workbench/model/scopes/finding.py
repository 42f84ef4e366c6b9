"""The scopes of one graph: from paths where the file has them, from the structure where it has not."""

from __future__ import annotations

from workbench.core.graph import Graph
from workbench.core.scopes import Scope
from workbench.model.scopes.alike import mark_alike
from workbench.model.scopes.groups import freeze, plant, root_group, tidy
from workbench.model.scopes.inferring import infer_groups
from workbench.model.scopes.paths import Paths, fill, paths_of
from workbench.model.scopes.wiring import Wiring


def find_scopes(graph: Graph) -> Scope:
    """The tree of groups of `graph.layers`, each in exactly one; those of its bodies have trees of their own.

    What an exporter wrote beside the nodes comes first, then names that are paths; large flat groups are divided by
    their structure. Equal graphs give equal trees. Time grows with the number of layers and edges.
    """
    root, wiring = root_group(), Wiring(graph)
    origin, found = paths_of(wiring.layers)
    paths = Paths(root, origin)
    homes = [None if path is None else paths.group(path) for path in found]
    plant(root, fill(homes, root, wiring))
    tidy(root, wiring.producers)
    infer_groups(root, wiring)
    mark_alike(root, wiring)
    return freeze(root, wiring.layers)


def find_all_scopes(graph: Graph) -> dict[str, Scope]:
    """Scopes of the graph by "", and of every body in it by its key in `Graph.subgraphs`."""
    found = {"": find_scopes(graph)}
    waiting = list(graph.subgraphs.items())
    while waiting:
        key, body = waiting.pop(0)
        found[key] = find_scopes(body)
        waiting.extend(body.subgraphs.items())
    return found
