"""Scopes: the tree of groups that a graph's layers stand in, as the user's code has its modules."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec


class ScopeOrigin(StrEnum):
    """Where a group is known from."""

    ROOT = "root"
    METADATA = "metadata"  # the exporter wrote the module path beside the node
    NAMES = "names"  # node names are paths (`/model/layers.0/attn/MatMul`)
    INFERRED = "inferred"  # cut nodes and repeated structure, where names say nothing
    SOURCES = "sources"  # of an engine graph: where the nodes stand that a layer was made of


class Scope(msgspec.Struct, frozen=True):
    """A group of layers. The root of a graph has the id and the name "".

    `id` is unique in its graph and the same at every opening (`layers.0/attn`); `name` is what a header says (`attn`).
    `layers` are ids of those directly inside, in the graph's order, but constants before their first reader; those of
    `children` are not among them. `alike` is equal for groups of one structure, whose layers and children correspond
    one by one and can share one layout; "" where there is no second one.
    """

    id: str
    name: str
    origin: ScopeOrigin = ScopeOrigin.ROOT
    layers: tuple[str, ...] = ()
    children: tuple[Scope, ...] = ()
    alike: str = ""

    def walk(self) -> Iterator[Scope]:
        """This scope, then all below it, parents first."""
        waiting = [self]
        while waiting:
            scope = waiting.pop()
            yield scope
            waiting.extend(reversed(scope.children))

    def all_layers(self) -> Iterator[str]:
        """Ids of every layer inside, those of inner groups too."""
        for scope in self.walk():
            yield from scope.layers
