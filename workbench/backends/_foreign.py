"""Engines that were built elsewhere: the names they have for the user's nodes, led back to ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from workbench.core.graph import Graph, Layer
from workbench.core.model import Model
from workbench.model import sources_of

NO_MODEL = Model(
    path="",
    graph=Graph("imported"),
    opset=0,
    ir_version=0,
    producer="",
    size_bytes=0,
    weights_bytes=0,
    parameters=0,
    sha256="",
    inputs=(),
    outputs=(),
    shapes={},
)
"""Stands in where the ONNX file of an engine is not at hand: no layer has sources then."""

_CLONE = re.compile(r"_clone_\d+$")
_UNNAMED = "node_of_"  # TensorRT's parser, for a node without a name: followed by its first output


class Names:
    """The user's own names of nodes -> ids. A name that several nodes have leads nowhere, and counts in `doubled`.

    A file that was exported with a plan has ids for names already (`n10+n11`, `n17:quantize_x`): they stay.
    """

    def __init__(self, model: Model) -> None:
        nodes = list(model.graph.walk())
        counts = Counter(node.name for node in nodes if node.name)
        self.doubled = sum(count for count in counts.values() if count > 1)
        self._ids = {node.name: node.id for node in nodes if counts[node.name] == 1}
        self._makers = {name: node.id for node in nodes for name in node.outputs if name}
        self._known = {node.id for node in nodes}

    def find(self, name: str) -> str:
        """A node name in the form of a typed file (`n17`, `n17:quantize_x`), or "" for what is no node here."""
        plain = _CLONE.sub("", name)
        found = self._ids.get(name) or self._ids.get(plain)
        if not found and plain.startswith(_UNNAMED):
            found = self._makers.get(plain.removeprefix(_UNNAMED))
        if not found and (ids := sources_of(name)) and self._known.issuperset(ids):
            return name
        return found or ""

    def maker(self, tensor: str) -> str:
        """The node that gives a tensor, or ""."""
        return self._makers.get(tensor, "")

    def find_all(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(found for name in names if (found := self.find(name))))


def with_edges(model: Model, layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """`layers`, those without tensors given the ones that enter and leave their source nodes."""
    nodes = {node.id: node for node in model.graph.walk()}
    readers: dict[str, set[str]] = {}
    for node in nodes.values():
        for name in node.inputs:
            readers.setdefault(name, set()).add(node.id)
    tensors, ends = model.graph.tensors, set(model.graph.outputs)

    def complete(layer: Layer) -> Layer:
        own = [nodes[source] for source in layer.sources if source in nodes]
        if layer.inputs or layer.outputs or not own:
            return layer
        made = [name for node in own for name in node.outputs if name]
        read = [name for node in own for name in node.inputs if name and name not in made]
        inside = {node.id for node in own}
        return msgspec.structs.replace(
            layer,
            inputs=tuple(dict.fromkeys(n for n in read if n not in tensors or not tensors[n].constant)),
            outputs=tuple(n for n in made if n in ends or readers.get(n, set()) - inside),
        )

    return tuple(complete(layer) for layer in layers)
