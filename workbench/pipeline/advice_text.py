"""Advice and verdicts in words, for the command line and the report."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.core.advice import Advice, Advised
from workbench.core.edits import Edit
from workbench.core.errors import one_line
from workbench.core.verdict import Verdict
from workbench.pipeline.table import size_text

ESTIMATE = "ESTIMATE"
SHOWN = 8


def advice_text(advised: Advised) -> str:
    """Every advice with its evidence, gain, formula and action; what was looked at where there is none."""
    if not advised.advice:
        return f"advice: nothing. {looked_at(advised)}"
    lines = ["advice, the largest gain first"]
    for number, advice in enumerate(advised.advice, 1):
        lines += [f"  {number}. {one_line(advice.title)}: {gain_text(advice, advised.total_ms)}"]
        lines += [f"     {one_line(line, 400)}" for line in _details(advice)]
    return "\n".join([*lines, f"  {small_text(advised)}".rstrip()]).rstrip()


def gain_text(advice: Advice, total_ms: float | None) -> str:
    """`up to 0.42 ms of 13.6 ms (3.1 %) ESTIMATE`; without times in bytes."""
    if advice.gain_ms is not None and total_ms:
        share = 100 * advice.gain_ms / total_ms
        return f"up to {advice.gain_ms:.3f} ms of {total_ms:.3f} ms ({share:.1f} %) {ESTIMATE}"
    return f"up to {size_text(advice.gain_bytes)} less to move an inference {ESTIMATE}"


def action_text(advice: Advice) -> str:
    """What can be done, or why nothing."""
    return f"do: {edit_text(advice.edit)}" if advice.edit is not None else f"no action: {advice.why_not}"


def edit_text(edit: Edit) -> str:
    """An edit as words for the plan file and the command line."""
    parts = []
    if edit.default is not None:
        parts.append(f"--precision {edit.default.value}")
    if edit.nodes and edit.precision is not None:
        parts.append(f'a rule precision = "{edit.precision.value}" for {len(edit.nodes)} nodes: {_few(edit.nodes)}')
    if edit.clean:
        parts.append("--clean")
    if edit.keep_io is False:
        parts.append("keep_io = false in the plan")
    if edit.backend:
        parts.append(f"--backend {edit.backend}")
    parts += [f"--shape {name}={'x'.join(map(str, shape))}" for name, shape in edit.shapes.items()]
    parts += [f"const = {value:g} for {one_line(name, 40)} in the recipe" for name, value in edit.fixed.items()]
    return f"{edit.title} ({'; '.join(parts)})" if parts else edit.title


def looked_at(advised: Advised) -> str:
    """What was looked for, in a sentence."""
    return f"Looked for: {'; '.join(advised.looked_at)}. {small_text(advised)}".rstrip()


def small_text(advised: Advised) -> str:
    """How much was found that is not worth a line."""
    if not advised.small:
        return ""
    return f"{advised.small} more would gain less than 1 % {'each' if advised.small > 1 else ''}".rstrip() + "."


def verdict_lines(verdict: Verdict) -> Iterator[str]:
    """What stands below a verdict's first line: runs of nodes that are taken, types that change, what would help."""
    for change in verdict.silent:
        tensors = f"{change.tensors:,} tensor{'' if change.tensors == 1 else 's'}"
        yield f"silently: {change.was} becomes {change.becomes} in {tensors}; {change.text}".rstrip("; ")
    if not verdict.accepted and len(verdict.nodes) > 1:
        yield from (f"refused: {node}: {one_line(why, 200)}" for node, why in list(verdict.nodes.items())[:SHOWN])
        if len(verdict.nodes) > SHOWN:
            yield f"refused: {len(verdict.nodes) - SHOWN} more"
    if verdict.subgraphs:
        yield f"taken: {len(verdict.subgraphs)} runs of nodes, {sum(map(len, verdict.subgraphs))} nodes in all"
    for remedy in verdict.remedies:
        nodes = f" ({_few(remedy.nodes)})" if remedy.nodes else ""
        yield f"what helps: {one_line(remedy.text, 300)}{nodes}"
        if remedy.edit is not None:
            yield f"  do: {edit_text(remedy.edit)}"


def _details(advice: Advice) -> Iterator[str]:
    yield advice.text
    measured = f", {advice.ms:.3f} ms measured" if advice.ms is not None else ""
    layers = f"{len(advice.layers):,} layer{'' if len(advice.layers) == 1 else 's'} ({_few(advice.layers)})"
    nodes = f", nodes {_few(advice.nodes)}" if advice.nodes else ""
    yield f"{layers}{nodes}{measured}"
    yield f"how estimated: {advice.formula}"
    yield action_text(advice)


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
