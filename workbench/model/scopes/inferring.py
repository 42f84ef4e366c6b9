"""Groups that no name tells of: large flat groups are divided by their structure, and named by what is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from workbench.core.graph import Layer
from workbench.core.scopes import ScopeOrigin
from workbench.model.scopes.dividing import LARGE, Part, divide
from workbench.model.scopes.groups import Group, Item, bottom_up, first_place
from workbench.model.scopes.paths import common_of
from workbench.model.scopes.wiring import Wiring

# What a group is known for, before all other ops.
TELLING = (
    "Conv",
    "ConvTranspose",
    "LSTM",
    "GRU",
    "RNN",
    "Attention",
    "MatMul",
    "Gemm",
    "Softmax",
    "Loop",
    "If",
    "Scan",
)
OPS_NAMED = 3


def infer_groups(root: Group, wiring: Wiring) -> None:
    """Divides every group of over `LARGE` layers of its own, in place. Constants divide nothing: they come last."""
    for group in bottom_up(root):
        own = [item for item in group.items if not isinstance(item, Group)]
        constants = [place for place in own if wiring.fixed[place]]
        if len(own) - len(constants) > LARGE:
            others = [item for item in group.items if isinstance(item, Group) or not wiring.fixed[item]]
            maker = _Maker(group, others, wiring)
            maker.fill(group, divide(_edges(others, wiring), _kinds(others, wiring.layers)))
            maker.add(constants)


def _places(item: Item) -> Sequence[int]:
    return item.places() if isinstance(item, Group) else (item,)


def _edges(items: Sequence[Item], wiring: Wiring) -> list[list[int]]:
    """Which items read which. Inner groups are one item each."""
    home = {place: number for number, item in enumerate(items) for place in _places(item)}
    edges: list[dict[int, None]] = [{} for _ in items]
    for place, number in home.items():
        for maker in wiring.producers[place]:
            other = home.get(maker, number)
            if other != number:
                edges[number][other] = None
    return [list(makers) for makers in edges]


def _kinds(items: Sequence[Item], layers: Sequence[Layer]) -> list[int]:
    """A number for each item, the same for items of the same ops."""
    numbers: dict[str, int] = {}
    ops = [",".join([layers[place].op for place in _places(item)]) for item in items]
    return [numbers.setdefault(found, len(numbers)) for found in ops]


class _Maker:
    """Turns parts into groups inside `around`, whose ids are told from those that names gave by their `~`."""

    def __init__(self, around: Group, items: Sequence[Item], wiring: Wiring) -> None:
        self._around = around
        self._items = items
        self._wiring = wiring
        self._homes: dict[int, Group] = {}
        self._prefix = f"{around.id}/~" if around.id else "~"
        self._count = 0

    def fill(self, group: Group, parts: Sequence[Part]) -> None:
        """`group` holds `parts` from now on."""
        items: list[Item] = []
        for part in parts:
            items.append(self._items[part] if isinstance(part, int) else self._group(group, part))
        for item in items:
            if not isinstance(item, Group):
                self._homes[item] = group
            elif item.origin is not ScopeOrigin.INFERRED:
                self._homes |= dict.fromkeys(item.places(), group)
        group.items = sorted(items, key=first_place)

    def _group(self, parent: Group, parts: Sequence[Part]) -> Group:
        self._count += 1
        made = Group(f"{self._prefix}{self._count}", "", ScopeOrigin.INFERRED, parent, depth=parent.depth + 1)
        self.fill(made, parts)
        made.first = first_place(made.items[0])
        made.name = group_name(self._wiring.layers[place] for place in made.places())
        return made

    def add(self, constants: Sequence[int]) -> None:
        """Each to the deepest group that holds all its readers."""
        for place in reversed(constants):
            homes = [self._homes[reader] for reader in self._wiring.consumers[place] if reader in self._homes]
            home = self._homes[place] = common_of(homes) or self._around
            home.items.append(place)
        for group in {self._around, *self._homes.values()}:
            group.items.sort(key=first_place)


def group_name(layers: Iterable[Layer]) -> str:
    """What stands out in a group: `Conv ×3, Add`; up to three ops, those that compute most first."""
    ops = Counter(layer.op for layer in layers)
    telling = [op for op in TELLING if op in ops]
    others = [op for op, _ in ops.most_common() if op not in TELLING]
    named = (telling + others)[:OPS_NAMED]
    return ", ".join(f"{op} ×{ops[op]}" if ops[op] > 1 else op for op in named)
