"""Groups of one structure: the same ops, joined in the same way. Names, weights and sizes of tensors do not count."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from workbench.core.graph import Layer
from workbench.model.scopes.groups import Group, Item, bottom_up
from workbench.model.scopes.wiring import Wiring

COUNTING = ("kernel_shape", "strides", "dilations", "axis", "axes", "perm", "direction", "to")
"""Attributes that make one node another kind of node."""

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
    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._uses = Counter(name for names in wiring.reads for name in names)
        self._uses.update(wiring.outputs)
        self._kinds = [_kind(layer) for layer in wiring.layers]
        self._forms: dict[Group, str] = {}
        self._reads: dict[Group, Ports] = {}
        self._gives: dict[Group, Sequence[str]] = {}

    def form(self, group: Group) -> str:
        """Inner groups must have been given theirs before."""
        made = {
            name: f"{i}.{port}" for i, item in enumerate(group.items) for port, name in enumerate(self._given(item))
        }
        outer: dict[str, str] = {}
        reads: Ports = {}
        text: list[str] = []
        for item in group.items:
            text.append(self._kind(item))
            for name, times in self._read(item).items():
                reads[name] = reads.get(name, 0) + times
                known = made.get(name) or outer.get(name)
                if known is None:
                    known = outer[name] = "c" if self._is_fixed(name) else f"o{len(outer)}"
                text.append(known)
        gives = [name for name in made if self._uses[name] > reads.get(name, 0)]
        text += [made[name] for name in gives]
        self._reads[group] = {name: times for name, times in reads.items() if name in outer}
        self._gives[group] = gives
        form = hashlib.blake2b("\0".join(text).encode(errors="replace"), digest_size=12).hexdigest()
        self._forms[group] = form
        return form

    def _kind(self, item: Item) -> str:
        return self._forms[item] if isinstance(item, Group) else self._kinds[item]

    def _read(self, item: Item) -> Ports:
        if isinstance(item, Group):
            return self._reads.pop(item)
        names = self._wiring.reads[item]
        return dict.fromkeys(names, 1) if len(set(names)) == len(names) else Counter(names)

    def _given(self, item: Item) -> Sequence[str]:
        return self._gives[item] if isinstance(item, Group) else self._wiring.layers[item].outputs

    def _is_fixed(self, name: str) -> bool:
        maker = self._wiring.maker.get(name)
        return name not in self._wiring.inputs if maker is None else self._wiring.fixed[maker]


def _kind(layer: Layer) -> str:
    counting: Iterable[str] = [f"{key}={layer.attributes[key]}" for key in COUNTING if key in layer.attributes]
    return " ".join((layer.title or layer.op, str(len(layer.inputs)), str(len(layer.outputs)), *counting))
