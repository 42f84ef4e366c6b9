"""`workbench plan`: what each node of a model would run in and why, or what is different between two plans."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.core.errors import one_line
from workbench.core.graph import Layer
from workbench.core.model import Model
from workbench.core.precision import PrecisionPlan
from workbench.model import open_model
from workbench.pipeline.table import aligned
from workbench.precision.limits import limits
from workbench.precision.matching import Matcher
from workbench.precision.plan_diff import PlanDiff, diff_plans, why
from workbench.precision.plan_file import read_plan_file
from workbench.precision.rules import Explanation


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the model opens and the plan can be read, whatever the plan says."""
    model = open_model(Path(arguments.model))
    if arguments.diff is not None:
        before, after = (read_plan_file(path).plan for path in arguments.diff)
        found = diff_plans(Matcher(model), before, after)
        output.document(msgspec.to_builtins(found))
        output.text(_diff_text(model, found))
        return 0
    plan = plan_of(arguments)
    explanation = Explanation(Matcher(model), plan)
    refused = _limits(arguments.backend, model, explanation)
    output.document(_document(model, explanation, refused))
    output.text(_text(model, explanation, refused))
    for text in _remarks(arguments, model, explanation):
        output.note(text)
    return 0


def _limits(backend: str | None, model: Model, explanation: Explanation) -> dict[str, str]:
    """What a backend will not run as asked; nothing where none was named."""
    if not backend:
        return {}
    from workbench.backends.base import load_backend
    from workbench.cli.probe import ask_capabilities

    found, can = load_backend(backend), ask_capabilities(backend)
    return limits(model, explanation, found.title, can.precisions, found.dialect())


def _remarks(arguments: Namespace, model: Model, explanation: Explanation) -> list[str]:
    """What does not fit this model, and rules without effect."""
    doubts = read_plan_file(arguments.plan).doubts(model) if arguments.plan is not None else ""
    shadowed = [
        f"Rule {index + 1} decides nothing: later rules select all of its nodes." for index in explanation.shadowed
    ]
    return [*filter(None, [doubts]), *explanation.problems, *shadowed]


def _document(model: Model, explanation: Explanation, refused: dict[str, str]) -> dict[str, Any]:
    plan = explanation.plan
    rules = zip(plan.rules, explanation.matched, explanation.decided, strict=True)
    return {
        "model": model.path,
        "default": plan.default,
        "precisions": Counter(explanation.asked.values()),
        "rules": [
            msgspec.to_builtins(rule) | {"selects": rule.words, "matched": matched, "decided": decided}
            for rule, matched, decided in rules
        ],
        "problems": explanation.problems,
        "nodes": [_node(layer, explanation, refused) for layer in model.graph.walk()],
    }


def _node(layer: Layer, explanation: Explanation, refused: dict[str, str]) -> dict[str, Any]:
    """`rule` and `over` count from 0, as the list of rules does."""
    decision = explanation.why(layer.id)
    return {
        "id": layer.id,
        "name": layer.name,
        "op": layer.op,
        "precision": decision.precision,
        "rule": decision.rule,
        "over": decision.overrode,
        "why": why(explanation.plan, decision),
        "limit": refused.get(layer.id, ""),
    }


def _text(model: Model, explanation: Explanation, refused: dict[str, str]) -> str:
    plan: PrecisionPlan = explanation.plan
    counts = Counter(explanation.asked.values())
    head = ", ".join(f"{count:,} {precision.label}" for precision, count in counts.most_common())
    lines = [f"{one_line(Path(model.path).name)}: {head}", f"  default  {plan.default.label}"]
    for index, rule in enumerate(plan.rules):
        effect = f"{explanation.matched[index]:,} matched, {explanation.decided[index]:,} decided"
        note = f"  ({one_line(rule.note, 80)})" if rule.note else ""
        state = "off" if rule.off else effect
        lines.append(f"  rule {index + 1:<3} {rule.precision.label:<12} {one_line(rule.words, 80)}: {state}{note}")
    rows = [("node", "op", "precision", "why", "name")]
    for layer in model.graph.walk():
        decision = explanation.why(layer.id)
        reason = one_line(why(plan, decision), 60)
        if layer.id in refused:
            reason += f"  ! {one_line(refused[layer.id], 100)}"
        rows.append((layer.id, one_line(layer.op, 40), decision.precision.label, reason, one_line(layer.name, 80)))
    return "\n".join(lines) + "\n\n" + aligned(rows, set(range(len(rows[0])))).rstrip()


def _diff_text(model: Model, found: PlanDiff) -> str:
    if not found:
        return "The plans are the same."
    lines = [f"{name}: {before} -> {after}" for name, before, after in found.fields]
    for change in found.rules:
        if change.before is not None:
            place = (change.index_before or 0) + 1
            lines.append(f"- rule {place}: {change.before.precision.label} {one_line(change.before.words, 100)}")
        if change.after is not None:
            place = (change.index_after or 0) + 1
            lines.append(f"+ rule {place}: {change.after.precision.label} {one_line(change.after.words, 100)}")
    names = {layer.id: layer for layer in model.graph.walk()}
    lines.append(f"{len(found.nodes):,} of {len(names):,} nodes run in another precision.")
    rows = [("node", "op", "before", "after", "why", "name")]
    for node in found.nodes:
        layer = names[node.node]
        reason = one_line(f"{node.why_before} -> {node.why_after}", 80)
        row = (node.node, one_line(layer.op, 40), node.before.label, node.after.label, reason, one_line(layer.name, 80))
        rows.append(row)
    return "\n".join(lines) + ("\n\n" + aligned(rows, set(range(len(rows[0])))).rstrip() if found.nodes else "")
