"""Where a layer stands by its path: the exporter's metadata, or a name like `/model/layers.0/attn/MatMul`."""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Sequence

from workbench.core.graph import Layer
from workbench.core.scopes import ScopeOrigin
from workbench.model.scopes.groups import Group
from workbench.model.scopes.wiring import Wiring

DEPTH_MOST = 24  # deeper paths end there: files come from strangers
PART_MOST = 80  # characters
ID_MOST = 240
LEAST_SHARE = 0.2  # of layers that have a path: with fewer, paths say nothing of the whole

Path = tuple[str, ...]


def paths_of(layers: Sequence[Layer]) -> tuple[ScopeOrigin, list[Path | None]]:
    """The better source of paths, and the path of each layer by it: () stands at the root, None is not known."""
    written: list[Path | None] = [_bounded(layer.scope) if layer.scope else None for layer in layers]
    if _says_enough(written):
        return ScopeOrigin.METADATA, written
    named = _name_paths(layers)
    if _says_enough(named):
        return ScopeOrigin.NAMES, named
    return ScopeOrigin.INFERRED, [None] * len(layers)


def _says_enough(paths: Sequence[Path | None]) -> bool:
    return sum(1 for path in paths if path) > LEAST_SHARE * len(paths)


def _name_paths(layers: Sequence[Layer]) -> list[Path | None]:
    """All but the last part of names. Converters join the names of what they fused with `;`: the first counts."""
    known: dict[str, Path | None] = {}
    found = []
    for layer in layers:
        head, slash, _ = layer.name.partition(";")[0].rpartition("/")
        if head not in known:
            known[head] = _bounded(head.split("/")) if head else None
        found.append(() if slash and not head else known[head])
    return found


def _bounded(parts: Sequence[str]) -> Path:
    named = list(itertools.islice(filter(None, parts), DEPTH_MOST))
    return tuple([part[:PART_MOST].replace("/", "|") for part in named])


class Paths:
    """Groups by their paths, made when first asked for."""

    def __init__(self, root: Group, origin: ScopeOrigin) -> None:
        self._origin = origin
        self._groups: dict[Path, Group] = {(): root}

    def group(self, path: Path) -> Group:
        found = self._groups.get(path)
        if found is None:
            around = self.group(path[:-1])
            found = Group(bounded_id("/".join(path)), path[-1], self._origin, around, depth=around.depth + 1)
            self._groups[path] = found
        return found


def bounded_id(path: str) -> str:
    """Of a very long path the beginning and a hash: an id is kept by many."""
    if len(path) <= ID_MOST:
        return path
    return f"{path[:ID_MOST]}~{hashlib.blake2b(path.encode(errors='replace'), digest_size=8).hexdigest()}"


def fill(homes: Sequence[Group | None], root: Group, wiring: Wiring) -> list[Group]:
    """A home for every layer. One without a path stands in the deepest group that holds what is before and behind it.

    What depends on constants alone stands with its readers.
    """
    before = _nearest(homes, wiring.producers, range(len(homes)))
    behind = _nearest(homes, wiring.consumers, range(len(homes) - 1, -1, -1))
    done = [home or _between(before[i], behind[i], root) for i, home in enumerate(homes)]
    for place in reversed(range(len(done))):
        if homes[place] is None and wiring.fixed[place]:
            done[place] = common_of([done[reader] for reader in wiring.consumers[place]]) or root
    return done


def _between(before: Group | None, behind: Group | None, root: Group) -> Group:
    return root if before is None or behind is None else common(before, behind)


def _nearest(
    homes: Sequence[Group | None], neighbours: Sequence[Sequence[int]], order: Sequence[int]
) -> list[Group | None]:
    """For each layer the home of the nearest on one side that has one; its own if it has one."""
    found: list[Group | None] = list(homes)
    for place in order:
        if found[place] is None:
            found[place] = next((group for other in neighbours[place] if (group := found[other]) is not None), None)
    return found


def common_of(groups: Sequence[Group]) -> Group | None:
    """The deepest group that holds all of these."""
    return functools.reduce(common, groups) if groups else None


def common(one: Group, other: Group) -> Group:
    """The deepest group that holds both."""
    while one is not other:
        if one.depth >= other.depth:
            assert one.parent is not None
            one = one.parent
        else:
            assert other.parent is not None
            other = other.parent
    return one
