"""Groups of one structure: the same ops, joined in the same way. Names, weights and sizes of tensors do not count."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain

from workbench.core.graph import Layer
from workbench.model.scopes.groups import Group, Item, bottom_up
from workbench.model.scopes.wiring import Wiring

COUNTING = ("kernel_shape", "strides", "dilations", "axis", "axes", "perm", "direction", "to")
"""Attributes that make one node another kind of node."""

FIXED = -1  # a weight
PORTS = 1 << 20  # more than a layer has

Ports = dict[str, int]  # tensor -> how many layers inside read it


def mark_alike(root: Group, wiring: Wiring) -> None:
    """Gives groups whose structure occurs more than once in the graph its hash, in place.

    Alike groups have their layers and inner groups in the same order, joined alike: one layout serves them all.
    """
    marker = _Marker(wiring)
    groups = [group for group in bottom_up(root) if group is not root]
    forms = [marker.form(group) for group in groups]
    times = Counter(forms)
    for group, form in zip(groups, forms, strict=True):
        group.alike = form if times[form] > 1 else ""


class _Marker:
    """References to tensors are numbers: the member that gives it, or one below zero for what comes from outside."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._uses = Counter(chain(chain.from_iterable(wiring.reads), wiring.outputs))
        self._kinds = [_kind(layer) for layer in wiring.layers]
        self._hashes: dict[tuple[str | int, ...], str] = {}
        self._forms: dict[Group, str] = {}
        self._reads: dict[Group, Ports] = {}
        self._gives: dict[Group, Sequence[str]] = {}

    def form(self, group: Group) -> str:
        """Inner groups must have been given theirs before."""
        made = self._made(group)
        outer: dict[str, int] = {}
        reads: Ports = {}
        form: list[str | int] = []
        for item in group.items:
            form.append(self._forms[item] if isinstance(item, Group) else self._kinds[item])
            for name in self._read(item, reads):
                place = made.get(name)
                if place is None:
                    place = outer.get(name)
                if place is None:
                    place = outer[name] = FIXED if name in self._wiring.constants else FIXED - 1 - len(outer)
                form.append(place)
        gives = [name for name in made if self._uses[name] > reads.get(name, 0)]
        form += [made[name] for name in gives]
        self._reads[group] = {name: reads[name] for name in outer}
        self._gives[group] = gives
        self._forms[group] = self._hash(tuple(form))
        return self._forms[group]

    def _hash(self, form: tuple[str | int, ...]) -> str:
        if form not in self._hashes:
            text = repr(form).encode(errors="replace")
            self._hashes[form] = hashlib.blake2b(text, digest_size=12).hexdigest()
        return self._hashes[form]

    def _made(self, group: Group) -> dict[str, int]:
        """Tensors that members give: a number from the member and its port."""
        made: dict[str, int] = {}
        for number, item in enumerate(group.items):
            names = self._gives[item] if isinstance(item, Group) else self._wiring.layers[item].outputs
            for port, name in enumerate(names):
                made[name] = number * PORTS + port
        return made

    def _read(self, item: Item, reads: Ports) -> Iterable[str]:
        """What a member reads, which is counted in `reads` too."""
        if isinstance(item, Group):
            inner = self._reads.pop(item)
            for name, times in inner.items():
                reads[name] = reads.get(name, 0) + times
            return inner
        names = self._wiring.reads[item]
        for name in names:
            reads[name] = reads.get(name, 0) + 1
        return names


def _kind(layer: Layer) -> str:
    kind = layer.title or layer.op
    if layer.attributes:
        kind += "".join([f" {key}={layer.attributes[key]}" for key in COUNTING if key in layer.attributes])
    return kind
