"""Which nodes of a model a rule selects: each selector is one mask over all nodes, so that 50,000 cost milliseconds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from fnmatch import translate
from functools import cached_property
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.core.graph import Graph, LayerKind
from workbench.core.model import Model
from workbench.core.precision import Precision, Rule
from workbench.core.scopes import Scope, ScopeOrigin

Mask: TypeAlias = NDArray[np.bool_]
KEPT = 512  # masks that are remembered
GROUP_LEAST = 4  # nodes; fewer are named one by one

_WEIGHTED = """
Conv ConvInteger ConvTranspose DeformConv Einsum Gemm GRU LSTM MatMul MatMulInteger QLinearConv QLinearMatMul RNN
com.microsoft.FusedConv com.microsoft.FusedGemm com.microsoft.FusedMatMul com.microsoft.MatMulNBits
"""
WEIGHTED_OPS = frozenset(_WEIGHTED.split())
"""What people call a layer where they say "first and last layer": these, with a constant operand."""


class Matcher:
    """The nodes of one model, ready to be asked for again and again. `ids` are in execution order, bodies included."""

    def __init__(self, model: Model) -> None:
        self._graph = model.graph
        self._layers = list(model.graph.walk())
        self.ids = tuple(layer.id for layer in self._layers)
        self._masks: dict[Rule, Mask] = {}

    def mask(self, rule: Rule) -> Mask:
        """True for the nodes a rule selects by itself; for none where it is switched off."""
        selector = msgspec.structs.replace(rule, precision=Precision.FP32, note="")
        if selector not in self._masks:
            if len(self._masks) >= KEPT:
                self._masks.pop(next(iter(self._masks)))
            self._masks[selector] = self._select(selector)
        return self._masks[selector]

    def nodes(self, rule: Rule) -> tuple[str, ...]:
        """Ids of the nodes a rule selects, in execution order."""
        return tuple(self.ids[at] for at in np.flatnonzero(self.mask(rule)))

    def find(self, reference: str) -> tuple[int, ...]:
        """Places of the nodes that an entry of `Rule.nodes` means: the node of this id, else all of this name."""
        at = self._places.get(reference)
        return (at,) if at is not None else tuple(self._named.get(reference, ()))

    def reference(self, node: str) -> str:
        """What a plan calls a node: its name where no other node has it, so that the plan outlives a new export."""
        name = self._layers[self._places[node]].name
        return name if name and len(self._named[name]) == 1 and not _looks_like_id(name) else node

    def references(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """`reference` of each known node, in execution order."""
        places = sorted(self._places[node] for node in nodes if node in self._places)
        return tuple(self.reference(self.ids[at]) for at in places)

    @cached_property
    def scopes(self) -> Scope:
        """The tree of groups of the model's graph."""
        from workbench.model import find_scopes

        return find_scopes(self._graph)

    @cached_property
    def ops(self) -> dict[str, int]:
        """How many nodes there are of each op, the most frequent first."""
        counts: dict[str, int] = defaultdict(int)
        for layer in self._layers:
            counts[layer.op] += 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def inside(self, scope: str) -> NDArray[np.int64]:
        """Places of the nodes in a group; in the root ("") all of them."""
        return np.asarray(self._scoped[scope] if scope else range(len(self.ids)), dtype=np.int64)

    def group_of(self, nodes: Collection[str]) -> str:
        """The innermost group that holds these nodes and no others but constants; "" where there is none."""
        wanted = {self._places[node] for node in nodes if node in self._places}
        fits = (scope for scope, held in reversed(self._running.items()) if wanted.issuperset(held))
        return next((scope for scope in fits if wanted and wanted.issubset(self._scoped[scope])), "")

    def whole_groups(self, nodes: Collection[str]) -> tuple[list[str], list[str]]:
        """The largest groups with a name all of whose nodes are among these, and the nodes in none of them.

        Constants need not be among them: they run in nothing, and a graph does not show them.
        """
        wanted = {self._places[node] for node in nodes if node in self._places}
        groups: list[str] = []
        for scope, held in self._running.items():  # outer ones come first
            if len(held) >= GROUP_LEAST and scope not in self.inferred and wanted.issuperset(held):
                groups.append(scope)
                wanted.difference_update(self._scoped[scope])
        return groups, [self.ids[at] for at in sorted(wanted)]

    @cached_property
    def runs(self) -> Mask:
        """True for the nodes that run: all but constants."""
        return np.array([layer.kind is not LayerKind.CONSTANT for layer in self._layers], np.bool_)

    @cached_property
    def _running(self) -> dict[str, list[int]]:
        """Group -> places of its nodes that run; of all where none does."""
        runs = self.runs.tolist()
        return {scope: [at for at in held if runs[at]] or list(held) for scope, held in self._scoped.items()}

    @cached_property
    def inferred(self) -> frozenset[str]:
        """Groups that nobody named: their ids (`~3`) mean nothing to people, and nothing in another model."""
        return frozenset(scope.id for scope in self.scopes.walk() if scope.origin is ScopeOrigin.INFERRED)

    # selectors

    def _select(self, rule: Rule) -> Mask:
        mask = np.full(len(self.ids), not rule.off)
        if rule.nodes:
            mask &= self._at(at for entry in rule.nodes for at in self.find(entry))
        if rule.op:
            mask &= self._codes == self._code.get(rule.op, -1)
        if rule.name:
            match = re.compile(translate(rule.name)).match
            mask &= np.fromiter((match(layer.name) is not None for layer in self._layers), np.bool_, len(self.ids))
        if rule.scope:
            mask &= self._in_scope(rule.scope)
        return self._ends(mask & self._weighted, rule) if rule.first or rule.last else mask

    def _in_scope(self, glob: str) -> Mask:
        match = re.compile(translate(glob)).match
        return self._at(at for scope, places in self._scoped.items() if match(scope) for at in places)

    def _ends(self, mask: Mask, rule: Rule) -> Mask:
        places = np.flatnonzero(mask)
        chosen = np.concatenate([places[: rule.first], places[max(len(places) - rule.last, 0) :]])
        return self._at(chosen.tolist())

    def _at(self, places: Iterable[int]) -> Mask:
        mask = np.zeros(len(self.ids), dtype=np.bool_)
        mask[list(places)] = True
        return mask

    # what is known of the nodes, found when first asked for

    @cached_property
    def _places(self) -> dict[str, int]:
        return {node: at for at, node in enumerate(self.ids)}

    @cached_property
    def _named(self) -> dict[str, list[int]]:
        named: dict[str, list[int]] = defaultdict(list)
        for at, layer in enumerate(self._layers):
            if layer.name:
                named[layer.name].append(at)
        return dict(named)

    @cached_property
    def _code(self) -> dict[str, int]:
        return {op: code for code, op in enumerate(self.ops)}

    @cached_property
    def _codes(self) -> NDArray[np.int64]:
        return np.asarray([self._code[layer.op] for layer in self._layers], dtype=np.int64)

    @cached_property
    def _scoped(self) -> dict[str, list[int]]:
        """Places by the id of each group but the root. Nodes in bodies stand where the node stands that holds them."""
        inside: dict[str, list[int]] = {}
        for scope in self.scopes.walk():
            if scope.id:
                held = (node for layer in scope.all_layers() for node in (layer, *self._bodies.get(layer, ())))
                inside[scope.id] = [self._places[node] for node in held if node in self._places]
        return inside

    @cached_property
    def _bodies(self) -> dict[str, list[str]]:
        """Ids of all nodes in bodies, by the node of the top level that holds them."""
        bodies: dict[str, list[str]] = defaultdict(list)
        for key, body in self._graph.subgraphs.items():
            bodies[key.rpartition(".")[0]] += [layer.id for layer in body.walk()]
        return bodies

    @cached_property
    def _weighted(self) -> Mask:
        weighted = frozenset(_weighted(self._graph, frozenset()))
        return np.fromiter((node in weighted for node in self.ids), np.bool_, len(self.ids))


def _weighted(graph: Graph, outer: frozenset[str]) -> Iterator[str]:
    """Ids of nodes of WEIGHTED_OPS with a constant operand; `outer` are constants of the graphs around."""
    constants = {*outer, *(name for name, tensor in graph.tensors.items() if tensor.constant)}
    for layer in graph.layers:
        inputs = [name for name in layer.inputs if name]
        if layer.kind is LayerKind.CONSTANT or (inputs and constants.issuperset(inputs)):
            constants.update(layer.outputs)  # weights through Transpose, Cast, DequantizeLinear ...
        elif layer.op in WEIGHTED_OPS and not constants.isdisjoint(inputs[:3]):
            yield layer.id
    for body in graph.subgraphs.values():
        yield from _weighted(body, frozenset(constants))


def _looks_like_id(name: str) -> bool:
    return re.fullmatch(r"n\d+(\..*)?", name) is not None
