"""What is different between two plans: fields, rules, and the nodes that run in another precision."""

from __future__ import annotations

from difflib import SequenceMatcher

import msgspec

from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.precision.matching import Matcher
from workbench.precision.rules import Decision, Explanation


class RuleChange(msgspec.Struct, frozen=True):
    """A rule that one plan has and the other has not, or has changed. Indices are those of the two plans."""

    before: Rule | None = None
    after: Rule | None = None
    index_before: int | None = None
    index_after: int | None = None


class NodeChange(msgspec.Struct, frozen=True):
    """A node that is asked for something else, with what decided before and after."""

    node: str
    before: Precision
    after: Precision
    why_before: str
    why_after: str


class PlanDiff(msgspec.Struct, frozen=True):
    """From one plan to another on one model. `fields` are names with the words for both values."""

    fields: tuple[tuple[str, str, str], ...] = ()
    rules: tuple[RuleChange, ...] = ()
    nodes: tuple[NodeChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.rules or self.nodes)


def diff_plans(matcher: Matcher, before: PrecisionPlan, after: PrecisionPlan) -> PlanDiff:
    """Everything that differs; an order of rules that changes no node is a change of rules all the same."""
    old, new = Explanation(matcher, before), Explanation(matcher, after)
    changed = [node for node in matcher.ids if old.asked[node] is not new.asked[node]]
    return PlanDiff(
        fields=tuple(_fields(before, after)),
        rules=tuple(_rules(before.rules, after.rules)),
        nodes=tuple(
            NodeChange(node, old.asked[node], new.asked[node], why(before, old.why(node)), why(after, new.why(node)))
            for node in changed
        ),
    )


def why(plan: PrecisionPlan, decision: Decision) -> str:
    """What decided: `default`, `rule 2: op = Conv`, `rule 3: painted`."""
    if decision.rule is None:
        return "default"
    rule = plan.rules[decision.rule]
    return f"rule {decision.rule + 1}: {'painted' if rule.is_painted else rule.words}"


def _fields(before: PrecisionPlan, after: PrecisionPlan) -> list[tuple[str, str, str]]:
    plain = [name for name in before.__struct_fields__ if name not in ("rules", "calibration")]
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in plain]
    names = before.calibration.__struct_fields__
    pairs += [(f"calibration.{n}", getattr(before.calibration, n), getattr(after.calibration, n)) for n in names]
    return [(name, _value(old), _value(new)) for name, old, new in pairs if old != new]


def _value(value: object) -> str:
    if isinstance(value, Precision):
        return value.label
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _rules(before: tuple[Rule, ...], after: tuple[Rule, ...]) -> list[RuleChange]:
    """By the longest common order; where rules were replaced by as many others, pairwise."""
    changes: list[RuleChange] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for step in range(max(i2 - i1, j2 - j1)):
            i, j = i1 + step, j1 + step
            old, new = (before[i] if i < i2 else None), (after[j] if j < j2 else None)
            changes.append(RuleChange(old, new, i if old else None, j if new else None))
    return changes
