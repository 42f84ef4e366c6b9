"""Groups while they are being found: a tree that can still be changed, and the frozen Scope made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.core.graph import Layer
from workbench.core.scopes import Scope, ScopeOrigin


@dataclass(eq=False, slots=True)
class Group:
    """`items` are places of layers and inner groups, by the place of their first layer."""

    id: str
    name: str
    origin: ScopeOrigin
    parent: Group | None = None
    items: list[Item] = field(default_factory=list)
    first: int = 0  # place of its first layer
    depth: int = 0
    alike: str = ""

    def children(self) -> list[Group]:
        return [item for item in self.items if isinstance(item, Group)]

    def places(self) -> list[int]:
        """Places of all layers inside."""
        found: list[int] = []
        waiting: list[Item] = [self]
        while waiting:
            item = waiting.pop()
            if isinstance(item, Group):
                waiting.extend(item.items)
            else:
                found.append(item)
        return sorted(found)


Item = int | Group


def root_group() -> Group:
    return Group("", "", ScopeOrigin.ROOT)


def bottom_up(root: Group) -> list[Group]:
    """Every group, inner ones before those around them."""
    found, waiting = [], [root]
    while waiting:
        group = waiting.pop()
        found.append(group)
        waiting.extend(group.children())
    return found[::-1]


def plant(root: Group, homes: Sequence[Group]) -> None:
    """Puts each layer into its home, and every home into the one around it; groups without layers stay out."""
    planted = {root}
    for place, home in enumerate(homes):
        chain = []
        group = home
        while group not in planted:
            chain.append(group)
            group.first = place
            assert group.parent is not None
            group = group.parent
        for group in reversed(chain):
            assert group.parent is not None
            group.parent.items.append(group)
            planted.add(group)
        home.items.append(place)


def tidy(root: Group, producers: Sequence[Sequence[int]]) -> None:
    """Takes out groups that group nothing: those of one member, and those whose members do not read each other."""
    for group in bottom_up(root):
        items: list[Item] = []
        for item in group.items:
            items += _what_stays(item, producers) if isinstance(item, Group) else [item]
        group.items = sorted(items, key=first_place)
    while len(root.items) == 1 and isinstance(root.items[0], Group):
        root.items = root.items[0].items


def first_place(item: Item) -> int:
    return item.first if isinstance(item, Group) else item


def _what_stays(group: Group, producers: Sequence[Sequence[int]]) -> list[Item]:
    """The group itself, or what it held. A group that holds only one other lends it its name: `attn/self`."""
    only = group.items[0] if len(group.items) == 1 else None
    if isinstance(only, Group):
        only.name = f"{group.name}/{only.name}"
        return [only]
    if only is not None or _is_loose(group, producers):
        return group.items
    return [group]


def _is_loose(group: Group, producers: Sequence[Sequence[int]]) -> bool:
    """True where no member reads another: an activation that many places share, constants of one folder."""
    members = {item for item in group.items if not isinstance(item, Group)}
    if len(members) < len(group.items):
        return False
    return not any(maker in members for member in members for maker in producers[member])


def freeze(root: Group, layers: Sequence[Layer]) -> Scope:
    made: dict[Group, Scope] = {}
    for group in bottom_up(root):
        made[group] = Scope(
            id=group.id,
            name=group.name,
            origin=group.origin,
            layers=tuple([layers[item].id for item in group.items if not isinstance(item, Group)]),
            children=tuple([made.pop(item) for item in group.items if isinstance(item, Group)]),
            alike=group.alike,
        )
    return made[root]
