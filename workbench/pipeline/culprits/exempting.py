"""Exempting: the set of members without which the rest does well, found by measuring sets and never by adding up.

Members whose errors cancel look bad alone and do harm when only one of them is exempted, so a ranking proposes and the
measurement decides: sets of the 1, 2, 4 ... worst are tried, then the best of them is made smaller as long as the rest
stays as good (delta debugging: Zeller and Hildebrandt, IEEE Trans. Softw. Eng. 28 (2002), 183-200).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

from workbench.core.sensitivity import Evaluation
from workbench.pipeline.culprits.group_testing import Measure

PRICE_DB = 3.0
"""What one more doubling of the exempted layers must gain: so much would exempting any half of equal layers."""
ENOUGH_DB = 20.0
"""Where 99 % of the noise is gone no more layers are worth their price."""
SLACK_DB = 3.0
"""A smaller set may leave so much more noise: what halves it has to be in the set, what does less need not."""
GAIN_DB = 6.0
"""A set must be so much better than none to be climbed down from."""
MOST_DB = 200.0


def decibels(evaluation: Evaluation) -> float:
    """Signal over noise, also where outputs are no floats."""
    return -10.0 * math.log10(min(max(evaluation.noise, 10 ** (-MOST_DB / 10)), 10 ** (MOST_DB / 10)))


class Exempting:
    """`tried` are all sets that were measured, with nothing exempted among them; `best` is the one to take of them.

    Empty: no set beats exempting none.
    """

    def __init__(self, nothing: Evaluation, measure: Measure) -> None:
        self._measure = measure
        self.tried: dict[frozenset[int], Evaluation] = {frozenset(): nothing}
        self.best: frozenset[int] = frozenset()
        self._floor = max(decibels(nothing), 0.0)

    def worth(self, members: frozenset[int]) -> float:
        """What a measured set is worth, in dB: what it gains, as far as that matters, less its price."""
        return min(self.gain(members), ENOUGH_DB) - PRICE_DB * math.log2(1 + len(members))

    def gain(self, members: frozenset[int]) -> float:
        """In dB, over exempting nothing; where that is broken or all noise, over noise as large as the signal."""
        return decibels(self.tried[members]) - self._floor if members else 0.0

    def tries(self, members: frozenset[int]) -> Evaluation:
        """Measures the set where it was not measured before; it is the best where it is worth most."""
        found = self._look(members)
        if self.worth(members) > self.worth(self.best):
            self.best = members
        return found

    def climb(self, ranking: Sequence[int]) -> None:
        """Tries the 1, 2, 4 ... first of the ranking, until more of them are clearly not worth their price."""
        count = 1
        while count < len(ranking):
            members = frozenset(ranking[:count])
            self.tries(members)
            if self.worth(members) < self.worth(self.best) - PRICE_DB and self.gain(self.best) > GAIN_DB:
                return
            count *= 2

    def grow(self, ranking: Sequence[int]) -> None:
        """Adds to the best set what halves the noise that is left, one after the other of the ranking."""
        for member in ranking:
            more = self.best | {member}
            if self.best and self.gain(self.best) < ENOUGH_DB:
                self._look(more)
                if self.gain(more) >= self.gain(self.best) + PRICE_DB:
                    self.best = more

    def gains(self) -> list[int]:
        """Members that were exempted alone, and by that did good; the most first."""
        alone = {next(iter(members)): decibels(found) for members, found in self.tried.items() if len(members) == 1}
        nothing = decibels(self.tried[frozenset()])
        return sorted((m for m, found in alone.items() if found > nothing), key=lambda m: -alone[m])

    def shrink(self) -> None:
        """Leaves members out of the best set, halves first and at last one by one, as long as it stays as good."""
        least = min(self.gain(self.best), ENOUGH_DB) - SLACK_DB
        pieces = 2
        while len(self.best) >= 2:
            kept = sorted(self.best)
            smaller = next((s for s in _smaller(kept, pieces) if self._gained(s) >= least), None)
            if smaller is not None:
                self.best = smaller
                pieces = 2 if len(smaller) <= len(kept) // 2 else max(pieces - 1, 2)
            elif pieces >= len(kept):
                return
            else:
                pieces *= 2

    def _gained(self, members: frozenset[int]) -> float:
        self._look(members)
        return self.gain(members)

    def _look(self, members: frozenset[int]) -> Evaluation:
        if members not in self.tried:
            self.tried[members] = self._measure(members)
        return self.tried[members]


def _smaller(members: Sequence[int], pieces: int) -> Iterator[frozenset[int]]:
    """Each of so many pieces alone, then all but each; with two pieces these are the same."""
    count = min(pieces, len(members))
    ends = [round(i * len(members) / count) for i in range(count + 1)]
    parts = [frozenset(members[start:end]) for start, end in itertools.pairwise(ends)]
    yield from parts
    if count > 2:
        yield from (frozenset(members) - part for part in parts)
