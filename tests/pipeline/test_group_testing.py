"""Group testing and exempting on noises that were planted: exact sums, sums that cancel, sets that break."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from workbench.core.sensitivity import Evaluation, suggested_evaluations
from workbench.pipeline.culprits.exempting import Exempting, decibels
from workbench.pipeline.culprits.group_testing import GroupTest

BROKEN_DB = -200.0


class Planted:
    """Members with a noise each; of `pairs` two cancel all but nothing of each other; `broken` ones break any set."""

    def __init__(
        self, noises: list[float], pairs: tuple[tuple[int, int], ...] = (), broken: tuple[int, ...] = ()
    ) -> None:
        self.noises, self.pairs, self.broken = noises, pairs, broken
        self.everyone = frozenset(range(len(noises)))
        self.asked = 0

    def low(self, members: frozenset[int]) -> Evaluation:
        """Only these in low precision."""
        self.asked += 1
        if members.intersection(self.broken):
            return Evaluation(1, BROKEN_DB, BROKEN_DB, BROKEN_DB)
        cancelled = {member for pair in self.pairs if members.issuperset(pair) for member in pair}
        noise = sum(self.noises[member] for member in members - cancelled) + 1e-14
        found = float(-10 * np.log10(noise))
        return Evaluation(1, found, found, found)

    def exempted(self, members: frozenset[int]) -> Evaluation:
        return self.low(self.everyone - members)


def spread(count: int, loud: dict[int, float]) -> list[float]:
    quiet = np.random.default_rng(0).uniform(0.5e-6, 1.5e-6, count).tolist()
    return [loud.get(index, noise) for index, noise in enumerate(quiet)]


def test_a_few_loud_members_of_many_are_found_with_a_fraction_of_the_measurements() -> None:
    loud = {17: 1e-2, 90: 4e-3, 151: 2e-3}
    planted = Planted(spread(200, loud))
    test = GroupTest([1.0] * 200, planted.low(planted.everyone), planted.low)
    while test.settled < 0.9:
        assert test.step()
    noises = [one.noise for one in test.estimates()]
    assert sorted(range(200), key=lambda i: -noises[i])[:3] == [17, 90, 151]
    assert planted.asked < 60


def test_what_is_suspected_rightly_is_found_sooner() -> None:
    planted = Planted(spread(200, {17: 1e-2}))
    asked = []
    for suspicions in ([1.0] * 200, planted.noises):
        planted.asked = 0
        test = GroupTest(suspicions, planted.low(planted.everyone), planted.low)
        while test.settled < 0.5:
            test.step()
        asked.append(planted.asked)
    assert asked[1] < asked[0]


def test_members_that_break_a_set_are_told_apart_and_do_not_hide_the_others() -> None:
    planted = Planted(spread(64, {5: 1e-2}), broken=(20, 41))
    test = GroupTest([1.0] * 64, planted.low(planted.everyone), planted.low)
    while test.step():
        pass
    noises = [one.noise for one in test.estimates()]
    assert sorted(range(64), key=lambda i: -noises[i])[:3] in ([20, 41, 5], [41, 20, 5])
    assert test.settled > 0.9


@pytest.mark.parametrize("steps", [0, 1, 5, 12])
def test_every_member_has_a_figure_at_any_time_and_together_they_have_no_more_than_there_is(steps: int) -> None:
    planted = Planted(spread(30, {3: 1e-3}))
    whole = planted.low(planted.everyone)
    test = GroupTest([1.0] * 30, whole, planted.low)
    for _ in range(steps):
        test.step()
    found = test.estimates()
    assert len(found) == 30 and all(one.noise > 0 and one.noise <= one.most * 1.0001 for one in found)
    assert sum(one.noise for one in found) == pytest.approx(whole.noise, rel=0.15)


def test_a_ranking_that_is_misled_by_members_that_cancel_proposes_no_set_with_them() -> None:
    """0 and 1 are the loudest alone, and without either of them the other one is heard: 7 is what costs."""
    planted = Planted(spread(20, {0: 1.0, 1: 0.9, 7: 1e-2}), pairs=((0, 1),))
    nothing = planted.exempted(frozenset())
    sets = Exempting(nothing, planted.exempted)
    sets.climb([0, 1, 7, *(set(range(20)) - {0, 1, 7})])
    sets.shrink()
    assert decibels(sets.tried[frozenset({0})]) < decibels(nothing) - 10
    assert sets.best == {7}


def test_without_a_set_that_stands_out_nothing_is_proposed() -> None:
    planted = Planted([1e-3] * 24)
    sets = Exempting(planted.exempted(frozenset()), planted.exempted)
    sets.climb(range(24))
    sets.shrink()
    assert sets.best == frozenset()


def test_members_that_only_together_cost_are_found_by_making_a_set_smaller() -> None:
    """Alone neither is heard, so that no ranking by single members could find them."""
    quiet, together = spread(32, {}), frozenset({4, 22})

    def exempted(members: frozenset[int]) -> Evaluation:
        noise = sum(quiet[i] for i in range(32) if i not in members) + (1e-2 if not members & together else 0.0)
        found = float(-10 * np.log10(noise))
        return Evaluation(1, found, found, found)

    sets = Exempting(exempted(frozenset()), exempted)
    sets.climb(range(32))
    sets.shrink()
    assert sets.best in ({4}, {22})


def test_the_budget_grows_with_the_layers_far_slower_than_they() -> None:
    budgets = [suggested_evaluations(layers) for layers in (1, 10, 50, 200, 1000)]
    assert all(few <= many for few, many in itertools.pairwise(budgets))
    assert budgets[0] <= 6 and budgets[3] < 100 and budgets[4] < 120
