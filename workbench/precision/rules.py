"""The plan's rules, resolved: which precision each node is asked to run in, and which rule says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.precision.matching import Mask, Matcher

DEFAULT = -1
"""Stands for the plan's default where the index of a rule is told."""
_NAMED_MOST = 3  # references that a sentence names


class Decision(NamedTuple):
    """What a plan asks of one node: by the rule of this index (None: by default), over earlier rules that match too."""

    precision: Precision
    rule: int | None
    overrode: tuple[int, ...] = ()


class Explanation:
    """A plan on one model: what it asks of each node (`asked`, by id in execution order), and why.

    `matched` counts, rule by rule, the nodes it selects, `decided` those it has the last word on. `problems` are
    sentences about rules that do not fit this model.
    """

    def __init__(self, matcher: Matcher, plan: PrecisionPlan) -> None:
        self.plan = plan
        self._ids = matcher.ids
        self._masks = [matcher.mask(rule) for rule in plan.rules]
        self._winner = _winner(self._masks, len(matcher.ids))
        self._precisions = [plan.default, *(rule.precision for rule in plan.rules)]  # by the index of the rule, plus 1
        asked = map(self._precisions.__getitem__, (self._winner + 1).tolist())
        self.asked = dict(zip(self._ids, asked, strict=True))
        self._places: dict[str, int] = {}
        self.matched = tuple(int(mask.sum()) for mask in self._masks)
        self.decided = tuple(np.bincount(self._winner + 1, minlength=len(plan.rules) + 1)[1:].tolist())
        self.problems = tuple(
            text for index, rule in enumerate(plan.rules) if (text := _problem(matcher, index, rule, self.matched))
        )

    def why(self, node: str) -> Decision:
        """Raises KeyError for an unknown node."""
        if not self._places:
            self._places = {name: at for at, name in enumerate(self._ids)}
        at = self._places[node]
        winner = int(self._winner[at])
        earlier = tuple(index for index in range(max(winner, 0)) if self._masks[index][at])
        return Decision(self.asked[node], None if winner == DEFAULT else winner, earlier)

    def decided_by(self, index: int) -> tuple[str, ...]:
        """Ids of the nodes that this rule has the last word on; DEFAULT: those that no rule selects."""
        return tuple(self._ids[at] for at in np.flatnonzero(self._winner == index))

    def counts(self, places: NDArray[np.int64] | None = None) -> Counter[Precision]:
        """How many nodes are asked for each precision, the most frequent first; of all, or those at these places."""
        winner = self._winner if places is None else self._winner[places]
        counts: Counter[Precision] = Counter()
        for precision, count in zip(self._precisions, np.bincount(winner + 1).tolist(), strict=False):
            counts[precision] += count
        return Counter({precision: count for precision, count in counts.most_common() if count})

    @property
    def shadowed(self) -> tuple[int, ...]:
        """Rules that select nodes and decide none: later rules select all of them."""
        pairs = zip(self.matched, self.decided, strict=True)
        return tuple(index for index, (matched, decided) in enumerate(pairs) if matched and not decided)


def asked_precisions(model: Model, plan: PrecisionPlan) -> dict[str, Precision]:
    """Node id -> precision, for every node, those of bodies included. The last rule that matches wins."""
    return explain_plan(model, plan).asked


def explain_plan(model: Model, plan: PrecisionPlan) -> Explanation:
    """What the plan asks of every node of the model, by which rule, and over which others."""
    return Explanation(Matcher(model), plan)


def _winner(masks: Sequence[Mask], count: int) -> NDArray[np.int64]:
    """The last rule that selects each node, or DEFAULT."""
    winner = np.full(count, DEFAULT, dtype=np.int64)
    for index, mask in enumerate(masks):
        winner[mask] = index
    return winner


def _problem(matcher: Matcher, index: int, rule: Rule, matched: Sequence[int]) -> str:
    """What a user should know of a rule on this model, in a sentence; empty: nothing."""
    if rule.off:
        return ""
    if missing := [entry for entry in rule.nodes if not matcher.find(entry)]:
        named = ", ".join(missing[:_NAMED_MOST]) + (" …" if len(missing) > _NAMED_MOST else "")
        count = f"{len(missing):,} node{'s' if len(missing) > 1 else ''}"
        return f"Rule {index + 1} names {count} that this model does not have: {named}."
    return (
        "" if matched[index] else f"Rule {index + 1} matches no node of this model: {rule.words}.{_near(matcher, rule)}"
    )


def _near(matcher: Matcher, rule: Rule) -> str:
    """What was perhaps meant by an op or a group that is not there."""
    if rule.op and rule.op not in matcher.ops:
        return _did_you_mean(rule.op, list(matcher.ops))
    if rule.scope and not any(mark in rule.scope for mark in "*?["):
        return _did_you_mean(rule.scope, [scope.id for scope in matcher.scopes.walk() if scope.id])
    return ""


def _did_you_mean(word: str, known: list[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), list(by_lower), 1)
    return f" Did you mean {by_lower[near[0]]}?" if near else ""
