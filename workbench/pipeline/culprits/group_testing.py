"""Group testing: which members of a set make the noise, by measuring subsets, the worst first.

A tree of groups is refined from the top: the group with the most noise is halved, by suspicion and not by number, and
one half measured; the other is taken for the rest until it is the worst itself. So every measurement goes where most
noise is not yet explained, a few culprits among n members are found with about 2 k log2(n / k) of them (Hwang,
J. Am. Stat. Assoc. 67 (1972), 605-608, for yes and no), and at any time every member has a figure.

It rests on noise powers of single members adding up. Where they do not (they cancel, or work together) the figures
are still those of measured sets, and nothing is concluded from them but an order.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.core.sensitivity import Evaluation

BROKEN = 1e15
"""Noise beyond which a set counts as broken (NaN, infinity): nothing else in it can be seen."""
WORTH = 0.002
"""Groups with less than this share of the noise are not looked into."""
DOUBT = 0.1
"""A half that was not measured has at least this part of what is suspected of it, whatever the other half left."""
Measure = Callable[[frozenset[int]], Evaluation]


@dataclass
class Group:
    """Members (by suspicion, the most first) and their noise together: measured, or what is thought of it."""

    members: tuple[int, ...]
    noise: float
    evaluation: Evaluation | None = None
    most: float = float("inf")  # that it can have: the noise of the smallest measured set that holds it
    depth: int = 0  # measured sets that it was told apart by

    @property
    def is_open(self) -> bool:
        return self.evaluation is None or len(self.members) > 1


@dataclass(frozen=True)
class Estimate:
    """Of one member. `evaluation` where it was measured alone."""

    noise: float
    most: float
    evaluation: Evaluation | None
    depth: int


class GroupTest:
    """`step` measures one more set. Reading `estimates` is always possible."""

    def __init__(self, suspicions: Sequence[float], whole: Evaluation, measure: Measure) -> None:
        """`suspicions` say how much of the noise each member may make (at least 0, of any scale).

        `whole` is the set of all members, measured; `measure` measures others.
        """
        self._measure = measure
        self._weights = _weights(suspicions)
        order = sorted(range(len(suspicions)), key=lambda i: -self._weights[i])
        self._leaves = [Group(tuple(order), whole.noise, whole, whole.noise, 1)]

    def step(self) -> bool:
        """One measurement, in the group with the most noise; False, and none, where nothing is worth one."""
        found = self._next()
        if found is None:
            return False
        if found.evaluation is not None:
            left, right = self._halves(found)
            self._take(left)
            _believe_the_rest(found, left, right, self._weight(right) / self._weight(found))
            self._leaves.remove(found)
            self._leaves += [left, right]
        else:
            self._take(found)
        return True

    def estimates(self) -> list[Estimate]:
        """By member. What a group has is dealt out by suspicion."""
        found: dict[int, Estimate] = {}
        for leaf in self._leaves:
            alone = leaf.evaluation if len(leaf.members) == 1 else None
            for member in leaf.members:
                share = self._weights[member] / self._weight(leaf)
                found[member] = Estimate(leaf.noise * share, leaf.most, alone, leaf.depth)
        return [found[member] for member in range(len(found))]

    @property
    def settled(self) -> float:
        """Share of the noise that is pinned to single members; nothing while broken sets hide what is in them."""
        if any(leaf.is_open and leaf.noise >= BROKEN for leaf in self._leaves):
            return 0.0
        whole = [leaf for leaf in self._leaves if leaf.noise < BROKEN]
        total = sum(leaf.noise for leaf in whole)
        return sum(leaf.noise for leaf in whole if not leaf.is_open) / total if total else 1.0

    def _next(self) -> Group | None:
        """The open group with the most noise, where it has enough of it to matter."""
        worst = max((leaf for leaf in self._leaves if leaf.is_open), key=lambda leaf: leaf.noise, default=None)
        if worst is None or worst.noise >= BROKEN:
            return worst
        total = sum(leaf.noise for leaf in self._leaves if leaf.noise < BROKEN)
        return worst if worst.noise > WORTH * total else None

    def _take(self, group: Group) -> None:
        group.evaluation = self._measure(frozenset(group.members))
        group.noise = group.most = group.evaluation.noise
        group.depth += 1

    def _halves(self, group: Group) -> tuple[Group, Group]:
        """Two groups of about equal suspicion, the more suspected members in the first."""
        sums = list(itertools.accumulate(self._weights[member] for member in group.members[:-1]))
        cut = min(bisect_left(sums, self._weight(group) / 2) + 1, len(sums))
        parts = group.members[:cut], group.members[cut:]
        left, right = (Group(part, 0.0, None, group.most, group.depth) for part in parts)
        return left, right

    def _weight(self, group: Group) -> float:
        return sum(self._weights[member] for member in group.members)


def _weights(suspicions: Sequence[float]) -> list[float]:
    """Shares that sum to one: half of it by suspicion, half equal, for suspicion may be wrong."""
    total, count = sum(suspicions), len(suspicions)
    return [(0.5 * one / total if total else 0.5 / count) + 0.5 / count for one in suspicions]


def _believe_the_rest(whole: Group, left: Group, right: Group, share: float) -> None:
    """What is thought of `right`, a share of the suspicion of `whole`, once `left` is measured.

    Noise powers add up but for what their errors have in common; a broken half hides the other.
    """
    if whole.noise < BROKEN:
        right.noise = max(whole.noise - left.noise, DOUBT * share * whole.noise)
    elif left.noise < BROKEN:
        right.noise = whole.noise
    else:
        right.noise = share  # of a signal's power: looked at once the broken ones are found
