"""The plan's rules, resolved: which precision each node is asked to run in."""

from __future__ import annotations

from fnmatch import fnmatchcase

from workbench.core.graph import Layer
from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan, Rule


def asked_precisions(model: Model, plan: PrecisionPlan) -> dict[str, Precision]:
    """Node id -> precision, for every node, those of bodies included. The last rule that matches wins."""
    wanted = [(rule, frozenset(rule.nodes)) for rule in plan.rules]
    asked: dict[str, Precision] = {}
    for layer in model.graph.walk():
        matching = (rule.precision for rule, nodes in reversed(wanted) if _matches(rule, nodes, layer))
        asked[layer.id] = next(matching, plan.default)
    return asked


def _matches(rule: Rule, nodes: frozenset[str], layer: Layer) -> bool:
    """All given fields match; empty ones match everything. Globs are case-sensitive."""
    return (
        (not rule.nodes or layer.id in nodes)
        and (not rule.op or layer.op == rule.op)
        and (not rule.name or fnmatchcase(layer.name, rule.name))
    )
