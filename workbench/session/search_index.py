"""Search in one graph: every word must stand somewhere in a node's id, name, op, tensors or attributes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice

import msgspec

from workbench.core.graph import Graph, Layer

BREAK = "\n"  # around the parts of a text: no word of a query holds it
RANKED = 2000  # of more hits the first are put into order


def _op(layer: Layer) -> str:
    return f"{layer.op}{BREAK}{layer.title}"


def _name(layer: Layer) -> str:
    return f"{layer.name}{BREAK}{'/'.join(layer.scope)}"


def _tensors(layer: Layer) -> str:
    return BREAK.join((*layer.inputs, *layer.outputs))


def _attributes(layer: Layer) -> str:
    precision = layer.precision.label if layer.precision else ""
    return BREAK.join((*(f"{key}={value}" for key, value in layer.attributes.items()), layer.tactic, precision))


def _everything(layer: Layer) -> str:
    return BREAK.join(("", layer.id, _op(layer), _name(layer), _tensors(layer), _attributes(layer), ""))


FIELDS: dict[str, Callable[[Layer], str]] = {
    "op": _op,
    "name": _name,
    "tensor": _tensors,
    "attribute": _attributes,
    "id": lambda layer: layer.id,
    "": _everything,
}
HELP = "Words are looked for in names, ops, tensors, attributes and ids; op:, name: and tensor: narrow a word down."


class Word(msgspec.Struct, frozen=True):
    """A part of a query, in lower case; `field` is a key of FIELDS."""

    text: str
    field: str = ""


def parse(text: str) -> list[Word]:
    """`op:Conv stem` -> two words. A prefix nobody knows is a part of the word, as tensor names have colons."""
    words = []
    for part in text.casefold().split():
        field, colon, rest = part.partition(":")
        known = bool(colon) and field in FIELDS and field != ""
        words.append(Word(rest, field) if known else Word(part))
    return [word for word in words if word.text]


class SearchIndex:
    """Of one graph, bodies included. The texts are made piece by piece by `prepare`, or at the first search."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._texts: dict[str, list[str]] = {}

    @cached_property
    def layers(self) -> list[Layer]:
        return list(self.graph.walk())

    def prepare(self, count: int) -> bool:
        """Makes texts of so many layers more; False when all are made."""
        return len(self._field("", count)) < len(self.layers)

    def find(self, text: str) -> list[str]:
        """Ids of all layers that have every word, in the graph's order; none for an empty text."""
        words = parse(text)
        return [self.layers[place].id for place in self._places(words)] if words else []

    def best(self, text: str, most: int) -> list[Layer]:
        """The first so many: those that are called so, before parts of names and ops, before all others."""
        words = parse(text)
        if not words:
            return self.layers[:most]
        places, texts = self._places(words), self._field("")
        called = f"{BREAK}{' '.join(text.casefold().split())}{BREAK}"
        exact = [place for place in places if called in texts[place]]
        few = list(islice(dict.fromkeys([*exact, *places]), RANKED))
        ranked = sorted(few, key=lambda place: (called not in texts[place], self._rank(place, words), place))
        return [self.layers[place] for place in ranked[:most]]

    def _places(self, words: Sequence[Word]) -> Sequence[int]:
        places: Sequence[int] = range(len(self.layers))
        for word in words:
            texts = self._field(word.field)
            places = [place for place in places if word.text in texts[place]]
        return places

    def _field(self, field: str, most: int = 1 << 40) -> list[str]:
        """Texts of one field in lower case, at most so many more than there were."""
        texts, text = self._texts.setdefault(field, []), FIELDS[field]
        if len(texts) < len(self.layers):
            texts += [text(layer).casefold() for layer in self.layers[len(texts) : len(texts) + most]]
        return texts

    def _rank(self, place: int, words: Sequence[Word]) -> int:
        layer = self.layers[place]
        heads = BREAK.join((layer.id, layer.name, layer.op, layer.title)).casefold()
        return 0 if all(word.text in heads for word in words) else 1
