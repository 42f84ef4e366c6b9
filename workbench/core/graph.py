"""Graphs before and after fusion: one type for both, and the fate that links them."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from workbench.core.precision import Precision


class LayerKind(StrEnum):
    """What a layer is there for."""

    COMPUTE = "compute"
    REFORMAT = "reformat"  # a layout change, cast, quantize or copy
    CONSTANT = "constant"
    SHAPE = "shape"  # computes shapes, not data
    CONTROL = "control"  # If, Loop, Scan, calls of functions of the file, and jumps
    SYNC = "sync"


class Tensor(msgspec.Struct, frozen=True):
    """A value on an edge. `shape` has an int, or the name of a free dimension, per axis; None: unknown rank.

    `dtype` is numpy's name (`float32`, `bfloat16`, `int8`); `size_bytes` is 0 where a dimension is free.
    """

    name: str
    shape: tuple[int | str, ...] | None = None
    dtype: str = ""
    size_bytes: int = 0
    constant: bool = False


class Layer(msgspec.Struct, frozen=True):
    """One node of a source graph, or one layer of an engine graph.

    `id` is unique in its model: `n17` is the 18th node of the ONNX file, `n3.then_branch.n0` a node in a body
    of it; engine layers are `l0`, `l1` ... in execution order. `name` is the user's or the engine's own, which may
    be empty or doubled and is never used as a link. `sources` are ids of nodes of the user's model; a source node
    has itself. `sources_exact` is False where the engine did not say them and they were inferred. `title` is what
    a person calls an engine layer: the ops it was fused from (`Conv+BatchNormalization+Add+Relu`). `scope` is the
    module path that an exporter wrote beside a node (`("layers.0", "attn")`), outermost first; () where it wrote none.
    """

    id: str
    name: str
    op: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    precision: Precision | None = None
    sources: tuple[str, ...] = ()
    sources_exact: bool = True
    kind: LayerKind = LayerKind.COMPUTE
    tactic: str = ""
    attributes: dict[str, str] = {}
    title: str = ""
    scope: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The title, or the op where a layer stands for nothing of the user's model."""
        return self.title or self.op or self.name


class Graph(msgspec.Struct, frozen=True):
    """Layers in execution order, the tensors between them, and the bodies of control-flow layers.

    `subgraphs` maps `<layer id>.<attribute>` (`n3.then_branch`) to the body.
    """

    name: str
    layers: tuple[Layer, ...] = ()
    tensors: dict[str, Tensor] = {}
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    subgraphs: dict[str, Graph] = {}

    def walk(self) -> Iterator[Layer]:
        """Every layer, those of bodies directly after the layer that holds them."""
        bodies: dict[str, list[Graph]] = {}
        for key, body in self.subgraphs.items():
            bodies.setdefault(key.rpartition(".")[0], []).append(body)
        for layer in self.layers:
            yield layer
            for body in bodies.get(layer.id, ()):
                yield from body.walk()


class FateKind(StrEnum):
    """What became of a source node."""

    FUSED = "fused"  # shares its one layer with other nodes
    ALONE = "alone"  # is a layer of its own
    SPLIT = "split"  # went to several layers
    FOLDED = "folded"  # computed at build time
    ABSORBED = "absorbed"  # became a change of view: no kernel of its own (Reshape, Dropout, in-place Concat)
    REMOVED = "removed"  # nothing depends on it
    UNKNOWN = "unknown"


class Fate(msgspec.Struct, frozen=True):
    """Where a source node went: `layers` are engine layer ids; `exact` is False where this was inferred."""

    kind: FateKind
    layers: tuple[str, ...] = ()
    exact: bool = True
