"""What became of every source node: one function for all backends, so that the words mean the same everywhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from workbench.backends._branches import with_branches
from workbench.backends._closure import PROLOGUE_OPS, VIEW_OPS, Owners, Scope, close
from workbench.backends._gaps import adopt, fill_gaps
from workbench.backends._names import title
from workbench.backends._proof import proven_views
from workbench.core.graph import Fate, FateKind, Graph, Layer, LayerKind
from workbench.core.model import Model
from workbench.model.kinds import CONTROL

_REMOVED = {kind.value: kind for kind in (FateKind.FOLDED, FateKind.ABSORBED, FateKind.REMOVED)}


def resolve_fates(
    model: Model,
    layers: Sequence[Layer],
    removed: Mapping[str, str] | None = None,
    op_hints: Mapping[str, frozenset[str]] | None = None,
) -> tuple[tuple[Layer, ...], dict[str, Fate]]:
    """`layers` with their sources completed, and the fate of every node of `model.graph.walk()`.

    `layers` are the engine's in execution order; each has in `sources` the node ids which the engine itself named
    (unknown ids are dropped), and edges by tensor name, which must connect. `removed` is `TypedModel.removed`.
    `op_hints` says which source ops an engine's layer type may stand for (`RNNSeq` -> LSTM, GRU); it helps to place
    layers that name nobody.

    Rules, in order: what the engine named is exact; nodes of `removed` have that fate; constants (and shapes of
    tensors, which a build fixes) are FOLDED; what no output depends on is REMOVED; a compute layer without sources
    takes the unnamed nodes between its neighbours; every other node goes to the layer that its consumers, or else
    its producers, share, as FUSED, or ABSORBED if it only changes a view (exact in `proven_views`); a compute layer
    that is still without sources shares those of a neighbour. A control-flow node of which an engine shows only the
    body goes to the nameless control layers beside that body, or else to the body's layers, and a call of a
    function to those of its nodes. Nodes in bodies inherit the fate of the node that holds them unless the engine
    shows them; those of a branch that was decided before the build stand in the graph around it. UNKNOWN is left
    only where no layer is near.

    Ensures: `layer.id in fates[node].layers` exactly if `node in layer.sources`, but for nodes which inherit.
    """
    removed = removed or {}
    graph = with_branches(model.graph, removed)
    owners, helpers = _said(model, layers)
    plain = {node: Fate(FateKind.REMOVED) for node, why in removed.items() if why == FateKind.REMOVED}
    rank = {layer.id: index for index, layer in enumerate(layers)}
    scopes = list(_scopes(graph))
    for scope in [*(s for s in reversed(scopes) if s.call), *(s for s in scopes if not s.call)]:
        plain |= _without_layers(scope, owners, removed)
        fill_gaps(scope, layers, owners, set(plain), op_hints or {})
        close(scope, owners, set(plain), rank)
        _give_call(scope, owners, plain)
    proven = {node for scope in scopes for node in proven_views(scope, layers, owners, set(plain))}
    adopt(Scope(graph), layers, owners, op_hints or {})
    _give_holders(graph, layers, owners, plain)
    for node, where in helpers.items():
        if node not in plain:
            owners[node] = owners.get(node, {}) | where
    done = _with_sources(model, layers, owners)
    fates = _named_fates(model, done, owners, plain, removed, proven)
    return done, _inherit(model.graph, fates)


def _said(model: Model, layers: Sequence[Layer]) -> tuple[Owners, Owners]:
    """What the engine named: owners, and the layers that only reformat for a node which computes.

    The latter do not say where the node itself went: a quantization of its input, a change of layout of its output.
    """
    ops = {node.id: node.op for node in model.graph.walk()}
    owners: Owners = {}
    helpers: Owners = {}
    for layer in layers:
        for node in layer.sources:
            if node in ops:
                helps = layer.kind is LayerKind.REFORMAT and ops[node] not in VIEW_OPS | PROLOGUE_OPS
                (helpers if helps else owners).setdefault(node, {})[layer.id] = layer.sources_exact
    return owners, helpers


def _scopes(graph: Graph, outer: frozenset[str] = frozenset(), call: str = "") -> Iterator[Scope]:
    scope = Scope(graph, outer, call)
    yield scope
    for key, body in graph.subgraphs.items():
        holder = key.rpartition(".")[0]
        is_call = scope.nodes[holder].op not in CONTROL
        yield from _scopes(body, scope.constant_tensors, holder if is_call else "")


def _give_call(scope: Scope, owners: Owners, plain: dict[str, Fate]) -> None:
    """A call of a function went where the nodes of the function went."""
    if not scope.call or scope.call in owners or scope.call in plain:
        return
    where: dict[str, bool] = {}
    for node in scope.nodes:
        for layer, exact in owners.get(node, {}).items():
            where[layer] = where.get(layer, True) and exact
    if where:
        owners[scope.call] = where
    elif scope.nodes and all(node in plain for node in scope.nodes):
        plain[scope.call] = plain[next(reversed(scope.nodes))]


def _without_layers(scope: Scope, owners: Owners, removed: Mapping[str, str]) -> dict[str, Fate]:
    """Fates of unnamed nodes that need no layer: taken out before the build, constant, or dead."""
    constants, live = scope.constants(), scope.live()
    fates: dict[str, Fate] = {}
    for node in scope.nodes:
        if node in owners:
            continue
        if removed.get(node, FateKind.ABSORBED) != FateKind.ABSORBED:
            fates[node] = Fate(_REMOVED.get(removed[node], FateKind.REMOVED))
        elif node not in live:
            fates[node] = Fate(FateKind.REMOVED)
        elif node in constants:
            fates[node] = Fate(FateKind.FOLDED)
    return fates


def _give_holders(graph: Graph, layers: Sequence[Layer], owners: Owners, plain: Mapping[str, Fate]) -> None:
    """Layers for nodes whose bodies alone the engine shows: the jumps of a loop, with nothing said of the Loop."""
    place = {layer.id: index for index, layer in enumerate(layers)}
    for key, body in graph.subgraphs.items():
        _give_holders(body, layers, owners, plain)
        holder = key.rpartition(".")[0]
        inside = sorted({place[layer] for node in body.walk() for layer in owners.get(node.id, ())})
        if holder in owners or holder in plain or not inside:
            continue
        around = layers[max(0, inside[0] - 1) : inside[-1] + 2]
        said = {layer for where in owners.values() for layer in where}
        jumps = [layer.id for layer in around if layer.kind is LayerKind.CONTROL and layer.id not in said]
        owners[holder] = dict.fromkeys(jumps or [layers[index].id for index in inside], False)


def _with_sources(model: Model, layers: Sequence[Layer], owners: Owners) -> tuple[Layer, ...]:
    """Each layer with all its nodes, in file order, and its title; exact if it named all but the absorbed ones."""
    taken: dict[str, list[Layer]] = {layer.id: [] for layer in layers}
    for node in model.graph.walk():
        for owner in owners.get(node.id, ()):
            taken[owner].append(node)
    return tuple(
        msgspec.structs.replace(
            layer,
            sources=tuple(node.id for node in taken[layer.id]),
            sources_exact=all(owners[node.id][layer.id] or node.op in VIEW_OPS for node in taken[layer.id]),
            title="" if layer.kind is LayerKind.REFORMAT else title(taken[layer.id]),
        )
        for layer in layers
    )


def _named_fates(
    model: Model,
    layers: Sequence[Layer],
    owners: Owners,
    plain: dict[str, Fate],
    removed: Mapping[str, str],
    proven: Collection[str],
) -> dict[str, Fate]:
    by_id = {layer.id: layer for layer in layers}
    place = {layer.id: index for index, layer in enumerate(layers)}
    ops = {node.id: node.op for node in model.graph.walk()}
    absorbed = {
        node
        for node, where in owners.items()
        if not any(where.values()) and (ops[node] in VIEW_OPS or removed.get(node) == FateKind.ABSORBED)
    }
    fates = dict(plain)
    for node, where in owners.items():
        went = [by_id[layer] for layer in sorted(where, key=place.__getitem__)]
        kind = FateKind.ABSORBED if node in absorbed else _kind(node, went, absorbed)
        is_exact = all(where.values()) or node in removed or node in proven
        fates[node] = Fate(kind, tuple(layer.id for layer in went), exact=is_exact)
    return fates


def _kind(node: str, layers: Sequence[Layer], absorbed: set[str]) -> FateKind:
    """Layers that only reformat do not count beside one that computes."""
    working = [layer for layer in layers if layer.kind is not LayerKind.REFORMAT] or layers
    if len(working) > 1:
        return FateKind.SPLIT
    others = set(working[0].sources) - absorbed - {node}
    return FateKind.FUSED if others else FateKind.ALONE


def _inherit(graph: Graph, fates: dict[str, Fate], holder: Fate | None = None) -> dict[str, Fate]:
    """Total over `graph.walk()`: nodes in bodies have the fate of their holder unless they have their own."""
    total: dict[str, Fate] = {}
    for layer in graph.layers:
        total[layer.id] = fates.get(layer.id) or _inherited(layer, holder)
    for key, body in graph.subgraphs.items():
        total |= _inherit(body, fates, total[key.rpartition(".")[0]])
    return total


def _inherited(layer: Layer, holder: Fate | None) -> Fate:
    if holder is None:  # no layer is near: an engine that only copies, or only constants
        return Fate(FateKind.ABSORBED if layer.op in VIEW_OPS else FateKind.UNKNOWN, exact=False)
    kind = FateKind.FUSED if holder.layers else holder.kind
    return Fate(kind, holder.layers, exact=holder.exact)
