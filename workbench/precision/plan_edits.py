"""Edits of a plan as functions from a plan to a plan: strokes of the brush, groups, and the order of rules.

Painted nodes are kept in one rule a precision, at the end of the plan, where they have the last word: a stroke adds to
it, and takes its nodes out of every other painted rule. So a plan does not grow with the number of strokes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from glob import escape

import msgspec

from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.precision.matching import Mask, Matcher
from workbench.precision.rules import Explanation

GROUPS_MOST = 12  # that one stroke makes rules for; more are named node by node


def paint(matcher: Matcher, plan: PrecisionPlan, nodes: Collection[str], precision: Precision) -> PrecisionPlan:
    """These nodes in this precision, whatever other rules say. Where it is the default's, erasing may be enough."""
    erased = erase(matcher, plan, nodes)
    left = _others(matcher, erased, nodes, precision)
    if not left:
        return erased
    rules = list(erased.rules)
    at = next((at for at in _tail(rules) if rules[at].precision is precision), None)
    if at is None:
        return with_rules(plan, (*rules, Rule(precision, nodes=matcher.references(left))))
    rules[at] = _with_nodes(matcher, rules[at], left)
    return with_rules(plan, rules)


def stroke(matcher: Matcher, plan: PrecisionPlan, nodes: Collection[str], precision: Precision | None) -> PrecisionPlan:
    """What a brush went over, in this precision; None erases. A few whole groups are meant by their names."""
    plan = _cleared(matcher, plan, nodes)
    if precision is None:
        return plan
    groups, left = matcher.whole_groups(nodes)
    if len(groups) > GROUPS_MOST:
        return paint(matcher, plan, nodes, precision)
    for group in groups:
        plan = _with_group(matcher, plan, group, precision)
    return paint(matcher, plan, left, precision) if left else plan


def erase(matcher: Matcher, plan: PrecisionPlan, nodes: Collection[str]) -> PrecisionPlan:
    """These nodes are painted no more: other rules or the default decide. Painted rules that empty are dropped."""
    gone = frozenset(nodes)
    rules = (_without_nodes(matcher, rule, gone) if rule.is_painted else rule for rule in plan.rules)
    return with_rules(plan, (rule for rule in rules if rule is not None))


def set_scope(matcher: Matcher, plan: PrecisionPlan, scope: str, precision: Precision | None) -> PrecisionPlan:
    """A whole group in this precision; None: as other rules and the default say.

    What was said of this group before goes: rules for it and for groups inside it, and paint on its nodes. A group that
    nobody named is painted, node by node.
    """
    nodes = matcher.nodes(Rule(plan.default, scope=escape(scope)))
    cleared = _cleared(matcher, plan, nodes)
    if precision is None:
        return cleared
    if scope in matcher.inferred:
        return paint(matcher, cleared, nodes, precision)
    return _with_group(matcher, cleared, scope, precision)


def _with_group(matcher: Matcher, plan: PrecisionPlan, scope: str, precision: Precision) -> PrecisionPlan:
    """A rule for the group at the end, where one is needed."""
    rule = Rule(precision, scope=escape(scope))
    needed = _others(matcher, plan, matcher.nodes(rule), precision)
    return with_rules(plan, (*plan.rules, rule)) if needed else plan


def _cleared(matcher: Matcher, plan: PrecisionPlan, nodes: Collection[str]) -> PrecisionPlan:
    """Without paint on these nodes, and without rules for groups that are wholly among them."""
    inside = matcher.mask(Rule(plan.default, nodes=tuple(nodes)))
    erased = erase(matcher, plan, nodes)
    return with_rules(
        plan, (rule for rule in erased.rules if not (_is_scope(rule) and _is_among(matcher, rule, inside)))
    )


def _is_among(matcher: Matcher, rule: Rule, inside: Mask) -> bool:
    """Whether all that the rule selects of this model, constants apart, is inside; not where it selects nothing."""
    meant = matcher.mask(rule)
    running = meant & matcher.runs
    meant = running if running.any() else meant
    return bool(meant.any() and inside[meant].all())


def put_rule(plan: PrecisionPlan, rule: Rule) -> PrecisionPlan:
    """The rule at the end, where it has the last word; one that selects the same goes."""
    same = msgspec.structs.replace(rule, note="", off=False)
    others = (
        old for old in plan.rules if msgspec.structs.replace(old, precision=rule.precision, note="", off=False) != same
    )
    return with_rules(plan, (*others, rule))


def move_rule(plan: PrecisionPlan, source: int, target: int) -> PrecisionPlan:
    """The rule at `source` stands at `target` afterwards; the others keep their order."""
    rules = list(plan.rules)
    rules.insert(target, rules.pop(source))
    return with_rules(plan, rules)


def drop_shadowed(matcher: Matcher, plan: PrecisionPlan) -> PrecisionPlan:
    """Without the rules of which later ones select every node."""
    shadowed = Explanation(matcher, plan).shadowed
    return with_rules(plan, (rule for index, rule in enumerate(plan.rules) if index not in shadowed))


def with_rules(plan: PrecisionPlan, rules: Collection[Rule] | Iterator[Rule]) -> PrecisionPlan:
    return msgspec.structs.replace(plan, rules=tuple(rules))


def _others(matcher: Matcher, plan: PrecisionPlan, nodes: Collection[str], precision: Precision) -> list[str]:
    """The nodes that need a rule to run in `precision`: all of them, or where it is the default's those ruled away."""
    if precision is not plan.default:
        return list(nodes)
    asked = Explanation(matcher, plan).asked
    return [node for node in nodes if asked.get(node, precision) is not precision]


def _tail(rules: list[Rule]) -> range:
    """Places of the painted rules at the end, behind all others."""
    start = len(rules)
    while start and rules[start - 1].is_painted and not rules[start - 1].off:
        start -= 1
    return range(start, len(rules))


def _with_nodes(matcher: Matcher, rule: Rule, nodes: Collection[str]) -> Rule:
    """The rule with these nodes too, in execution order; entries that mean no node of this model stay at the end."""
    known = {matcher.ids[at] for entry in rule.nodes for at in matcher.find(entry)}
    foreign = tuple(entry for entry in rule.nodes if not matcher.find(entry))
    return msgspec.structs.replace(rule, nodes=matcher.references({*known, *nodes}) + foreign)


def _without_nodes(matcher: Matcher, rule: Rule, gone: frozenset[str]) -> Rule | None:
    """The rule without these nodes; None where nothing is left of it, itself where it has none of them."""
    kept: list[str] = []
    for entry in rule.nodes:
        meant = [matcher.ids[at] for at in matcher.find(entry)]
        left = [node for node in meant if node not in gone]
        kept += [entry] if len(left) == len(meant) else matcher.references(left)
    if tuple(kept) == rule.nodes:
        return rule
    return msgspec.structs.replace(rule, nodes=tuple(kept)) if kept else None


def _is_scope(rule: Rule) -> bool:
    """A rule for groups and nothing else."""
    return rule == Rule(rule.precision, scope=rule.scope, note=rule.note) and bool(rule.scope)
