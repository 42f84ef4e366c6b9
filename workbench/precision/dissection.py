"""Source graph and typed graph cut at the tensors that both make, so that each layer can be looked at alone.

A layer here is what lies between such tensors: a source node with the casts and Q/DQ pairs that the plan put around
it, or several nodes that a pass merged.

Rules
1. The cuts are tensors that both graphs make at their top level under one name, as numbers. What only one of them
   makes (inside of merged nodes, `x:equalized`, folded constants) lies inside of a layer.
2. Layers come in chunks in execution order, bounded by the bytes of their tensors and weights: whoever runs a chunk
   holds these, and what later chunks read.
3. A chunk has each graph's part twice: in sequence, where its layers feed each other, and alone, where every layer is
   fed from outside.
4. Only layers that compute have figures: shape arithmetic has none; bodies of If, Loop and Scan lie inside of the
   node that holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

from onnx import ModelProto, TensorProto, helper

from workbench.core.graph import Layer, LayerKind
from workbench.core.layer_errors import CheckedTensor
from workbench.core.model import Model, TypedModel
from workbench.model.ids import sources_of
from workbench.model.kinds import RANDOM, op_name
from workbench.precision.aside import WeightsAside
from workbench.precision.base import Fixed, copy_with_branches
from workbench.precision.parts import Part, Parts, Type
from workbench.precision.simulation import exact_copy

CHUNK_BYTES = 16 * 2**20
"""Of the tensors of one chunk in one graph; four sets of them are held at once."""
WEIGHT_BYTES = 32 * 2**20
CHUNK_TENSORS = 64
FIRST_TENSORS = 8  # the first chunk is small: it is on the chart at once
UNKNOWN_BYTES = 2**20  # of a tensor whose shape is known only when it runs
_T = TensorProto
_FLOATS = (_T.FLOAT, _T.DOUBLE, _T.FLOAT16)
_NUMBERS = frozenset(
    (*_FLOATS, _T.INT8, _T.UINT8, _T.INT16, _T.UINT16, _T.INT32, _T.UINT32, _T.INT64, _T.UINT64, _T.BOOL)
)
"""Types that go into and out of ONNX Runtime as numpy arrays."""


class Chunk(NamedTuple):
    """The four models of a chunk (rule 3); `kept` are cuts that later chunks read."""

    cuts: tuple[str, ...]
    reference: Part
    typed: Part
    reference_alone: Part
    typed_alone: Part
    kept: frozenset[str]


class Dissection:
    """`tensors` have figures, in execution order. `carried_bytes`: the most that is held between two chunks, one graph.

    `layers` are the source nodes by id. `limits` are bytes of tensors and of weights in a chunk.
    """

    def __init__(
        self,
        reference: ModelProto,
        typed: ModelProto,
        layers: Mapping[str, Layer],
        limits: tuple[int, int] = (CHUNK_BYTES, WEIGHT_BYTES),
    ) -> None:
        self._reference, self._typed, self._limits = Parts(reference), Parts(typed), limits
        self._cuts = [name for name in self._reference.producers if self._is_cut(name)]
        self._all = frozenset(self._cuts)
        self._layers = layers
        self.tensors = tuple(self._checked(name) for name in self._cuts if self._is_layer(name))
        self.chunks = self._chunks()
        self._last_use = self._uses()
        self.carried_bytes = max((self._carried(i) for i in range(len(self.chunks))), default=0)

    def chunk(self, index: int) -> Chunk:
        """Made when asked for: all of them together would be the whole model once more."""
        cuts = self.chunks[index]
        before = frozenset(name for chunk in self.chunks[:index] for name in chunk)
        return Chunk(
            cuts,
            self._reference.part(cuts, before),
            self._typed.part(cuts, before),
            self._reference.part(cuts, self._all),
            self._typed.part(cuts, self._all),
            self._kept(index),
        )

    def _is_cut(self, name: str) -> bool:
        if name not in self._typed.producers:
            return False
        return all(graph.types.get(name, (0, None))[0] in _NUMBERS for graph in (self._reference, self._typed))

    def _is_layer(self, name: str) -> bool:
        node = self._reference.nodes[self._reference.producers[name]]
        kind = self._layers[node.name].kind if node.name in self._layers else LayerKind.COMPUTE
        return kind in (LayerKind.COMPUTE, LayerKind.CONTROL) and node.op_type not in RANDOM

    def _checked(self, name: str) -> CheckedTensor:
        node = self._reference.nodes[self._reference.producers[name]]
        typed = self._typed.nodes[self._typed.producers[name]]
        nodes = dict.fromkeys((*sources_of(typed.name), node.name))
        title = self._layers[node.name].name if node.name in self._layers else ""
        return CheckedTensor(name, node.name, tuple(nodes), op_name(node), title or name)

    def _chunks(self) -> list[tuple[str, ...]]:
        chunks: list[tuple[str, ...]] = []
        now: list[str] = []
        size = weights = 0
        for name in self._cuts:
            more, heavy = self._bytes(name), self._weights(name)
            limit = CHUNK_TENSORS if chunks else FIRST_TENSORS
            is_full = len(now) >= limit or size + more > self._limits[0] or weights + heavy > self._limits[1]
            if now and is_full:
                chunks.append(tuple(now))
                now, size, weights = [], 0, 0
            now.append(name)
            size, weights = size + more, weights + heavy
        return [*chunks, tuple(now)] if now else chunks

    def _bytes(self, name: str) -> int:
        return tensor_bytes(self._reference.types.get(name))

    def _weights(self, name: str) -> int:
        """Of the layer that makes `name`: the more of both graphs."""
        return max(graph.weight_bytes([name], self._all) for graph in (self._reference, self._typed))

    def _uses(self) -> dict[str, int]:
        """Cut -> the last chunk that reads it, alone or in sequence."""
        last: dict[str, int] = {}
        before: set[str] = set()
        for index, cuts in enumerate(self.chunks):
            for graph in (self._reference, self._typed):
                for given in (before, self._all):
                    last |= dict.fromkeys(graph.reads(cuts, given), index)
            before |= set(cuts)
        return last

    def _kept(self, index: int) -> frozenset[str]:
        made = (name for chunk in self.chunks[: index + 1] for name in chunk)
        return frozenset(name for name in made if self._last_use.get(name, -1) > index)

    def _carried(self, index: int) -> int:
        return sum(self._bytes(name) for name in self._kept(index))


def dissect(model: Model, typed: TypedModel, fixed: Fixed, aside: WeightsAside) -> Dissection:
    """Takes the source graph and `typed` apart, both as the exact simulator runs them; `aside` gets the weights.

    `fixed` are the inputs whose branches the typed graph was built for. Raises WorkbenchError.
    """
    layers = {layer.id: layer for layer in model.graph.walk()}
    reference = aside.take(copy_with_branches(model, typed.shapes, fixed)[0])
    exact = aside.take(exact_copy(typed.path))
    return Dissection(reference, exact, layers)


def tensor_bytes(kind: Type | None) -> int:
    """What a tensor of this type takes; a guess where its shape is not known."""
    if kind is None or kind[1] is None or not all(isinstance(size, int) for size in kind[1]):
        return UNKNOWN_BYTES
    width: int = helper.tensor_dtype_to_np_dtype(kind[0]).itemsize
    return width * prod(size for size in kind[1] if isinstance(size, int))
