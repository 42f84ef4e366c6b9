"""Exempting: the set of members without which the rest does well, found by measuring sets and never by adding up.

Members whose errors cancel look bad alone and do harm when only one of them is exempted, so a ranking proposes and the
measurement decides: sets of the 1, 2, 4 ... worst are tried, then the best of them is made smaller as long as the rest
stays as good (delta debugging: Zeller and Hildebrandt, IEEE Trans. Softw. Eng. 28 (2002), 183-200).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

from workbench.core.sensitivity import Evaluation
from workbench.pipeline.culprits.group_testing import Measure

PRICE_DB = 3.0
"""What one more doubling of the exempted layers must gain: so much would exempting any half of equal layers."""
SLACK_DB = 1.0
"""A smaller set may be so much worse."""
GAIN_DB = 6.0
"""A set must be so much better than none to be climbed down from."""
MOST_DB = 200.0


def decibels(evaluation: Evaluation) -> float:
    """Signal over noise, also where outputs are no floats."""
    return -10.0 * math.log10(min(max(evaluation.noise, 10 ** (-MOST_DB / 10)), 10 ** (MOST_DB / 10)))


class Exempting:
    """`tried` are all sets that were measured, with nothing exempted among them."""

    def __init__(self, nothing: Evaluation, measure: Measure) -> None:
        self._measure = measure
        self.tried: dict[frozenset[int], Evaluation] = {frozenset(): nothing}

    def worth(self, members: frozenset[int]) -> float:
        """What a measured set is worth, in dB: its SQNR, less its price."""
        return decibels(self.tried[members]) - PRICE_DB * math.log2(1 + len(members))

    @property
    def best(self) -> frozenset[int]:
        """The measured set that is worth most; of equals the smaller. Empty: no set beats exempting none."""
        return max(self.tried, key=lambda members: (self.worth(members), -len(members)))

    def climb(self, ranking: Sequence[int]) -> None:
        """Tries the 1, 2, 4 ... first of the ranking, until more of them are clearly not worth their price."""
        count = 1
        while count < len(ranking):
            members = frozenset(ranking[:count])
            self.tries(members)
            if self.worth(members) < self.worth(self.best) - PRICE_DB and self._gain(self.best) > GAIN_DB:
                return
            count *= 2

    def grow(self, ranking: Sequence[int]) -> None:
        """Adds one after the other of the ranking to the best set, where that is worth it."""
        for member in ranking:
            self.tries(self.best | {member})

    def gains(self) -> list[int]:
        """Members that were exempted alone, and by that did good; the most first."""
        alone = {next(iter(members)): decibels(found) for members, found in self.tried.items() if len(members) == 1}
        nothing = decibels(self.tried[frozenset()])
        return sorted((m for m, found in alone.items() if found > nothing), key=lambda m: -alone[m])

    def shrink(self) -> None:
        """Leaves members out of the best set, halves first and at last one by one, as long as it stays as good."""
        kept = sorted(self.best)
        least = decibels(self.tried[self.best]) - SLACK_DB
        pieces = 2
        while len(kept) >= 2:
            parts = _parts(kept, min(pieces, len(kept)))
            wholes = [set(kept) - set(part) for part in parts]
            found = next((s for s in _in_turn(parts, wholes) if decibels(self.tries(frozenset(s))) >= least), None)
            if found is not None:
                pieces = 2 if len(found) <= len(kept) // 2 else max(pieces - 1, 2)
                kept = sorted(found)
            elif pieces >= len(kept):
                return
            else:
                pieces *= 2

    def tries(self, members: frozenset[int]) -> Evaluation:
        """Measures the set where it was not measured before."""
        if members not in self.tried:
            self.tried[members] = self._measure(members)
        return self.tried[members]

    def _gain(self, members: frozenset[int]) -> float:
        return decibels(self.tried[members]) - decibels(self.tried[frozenset()])


def _parts(members: Sequence[int], count: int) -> list[list[int]]:
    """`count` pieces of about equal size."""
    ends = [round(i * len(members) / count) for i in range(count + 1)]
    return [list(members[start:end]) for start, end in itertools.pairwise(ends)]


def _in_turn(parts: list[list[int]], wholes: list[set[int]]) -> Iterable[set[int]]:
    """Each piece alone, then all but each; with two pieces these are the same."""
    yield from map(set, parts)
    if len(parts) > 2:
        yield from wholes
