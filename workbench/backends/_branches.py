"""The source graph as it was built: Ifs whose branch was decided beforehand are replaced by that branch.

An engine was given the nodes of the branch in the place of the If (`model.branches.take_branches`), so what it took
them for can only be found where they stand in one graph with their neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from workbench.core.graph import FateKind, Graph, Layer


def with_branches(graph: Graph, removed: Mapping[str, str]) -> Graph:
    """`graph` with the branches that were taken, all nodes under their own ids. `removed` is `TypedModel.removed`.

    A decided If stays as a node that gives nothing. Tensors of a branch get its key in front (`n2.then_branch:x`).
    """
    layers: list[Layer] = []
    tensors = dict(graph.tensors)
    bodies: dict[str, Graph] = {}
    names: dict[str, str] = {}  # outputs of decided Ifs -> what their branch gives
    for layer in graph.layers:
        held = {key: body for key, body in graph.subgraphs.items() if key.rpartition(".")[0] == layer.id}
        key = _taken(layer, held, removed)
        if key is None:
            layers.append(_renamed(layer, names))
            bodies |= {name: _renamed_graph(with_branches(body, removed), names) for name, body in held.items()}
            continue
        branch = _prefixed(with_branches(held[key], removed), key, names)
        layers += [msgspec.structs.replace(_renamed(layer, names), outputs=()), *branch.layers]
        tensors |= branch.tensors
        bodies |= branch.subgraphs
        names |= dict(zip(layer.outputs, branch.outputs, strict=False))
    outputs = tuple(names.get(name, name) for name in graph.outputs)
    return msgspec.structs.replace(graph, layers=tuple(layers), tensors=tensors, subgraphs=bodies, outputs=outputs)


def _taken(layer: Layer, held: Mapping[str, Graph], removed: Mapping[str, str]) -> str | None:
    """The body that stands in the place of a decided If; None for any other node."""
    if removed.get(layer.id) != FateKind.FOLDED or not held:
        return None
    left = [key for key, body in held.items() if not _is_gone(body, removed)]
    left = [key for key in left if held[key].layers] or left  # of an empty one nothing could be removed
    return left[0] if len(left) == 1 else None


def _is_gone(body: Graph, removed: Mapping[str, str]) -> bool:
    return bool(body.layers) and all(removed.get(node.id) == FateKind.REMOVED for node in body.walk())


def _prefixed(body: Graph, key: str, outer: Mapping[str, str]) -> Graph:
    """A branch whose own tensors cannot be taken for those around it."""
    own = {name for layer in body.layers for name in layer.outputs if name} | {*body.tensors}
    own -= {name for name in body.tensors if _is_captured(name, body)}
    names = {**outer, **{name: f"{key}:{name}" for name in own}}
    return _renamed_graph(body, names)


def _is_captured(name: str, body: Graph) -> bool:
    return not body.tensors[name].constant and all(name not in layer.outputs for layer in body.layers)


def _renamed_graph(graph: Graph, names: Mapping[str, str]) -> Graph:
    return msgspec.structs.replace(
        graph,
        layers=tuple(_renamed(layer, names) for layer in graph.layers),
        tensors={names.get(name, name): tensor for name, tensor in graph.tensors.items()},
        outputs=tuple(names.get(name, name) for name in graph.outputs),
        subgraphs={key: _renamed_graph(body, _unshadowed(body, names)) for key, body in graph.subgraphs.items()},
    )


def _unshadowed(body: Graph, names: Mapping[str, str]) -> dict[str, str]:
    """`names` without those that a body gives itself."""
    own = {*body.inputs, *(name for layer in body.layers for name in layer.outputs)}
    return {name: new for name, new in names.items() if name not in own}


def _renamed(layer: Layer, names: Mapping[str, str]) -> Layer:
    return msgspec.structs.replace(
        layer,
        inputs=tuple(names.get(name, name) for name in layer.inputs),
        outputs=tuple(names.get(name, name) for name in layer.outputs),
    )
