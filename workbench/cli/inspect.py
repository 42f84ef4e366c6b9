"""`workbench inspect`: what a model holds, and whether each backend takes it."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from workbench.backends.base import backend_ids
from workbench.cli.output import Output
from workbench.cli.probe import ask_verdict
from workbench.core.errors import one_line
from workbench.core.model import Model, TensorSpec
from workbench.core.titles import backend_title
from workbench.core.verdict import Verdict
from workbench.model import open_model
from workbench.pipeline.advice_text import verdict_lines
from workbench.pipeline.table import size_text


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the model opens, whatever the backends say of it."""
    model = open_model(Path(arguments.model))
    verdicts = {name: ask_verdict(name, Path(arguments.model)) for name in backend_ids() if name != "null"}
    output.document(_document(model, verdicts))
    output.text(_text(model, verdicts))
    return 0


def ops(model: Model) -> dict[str, int]:
    """How many nodes of each op, those in bodies too; most frequent first."""
    return dict(Counter(layer.op for layer in model.graph.walk()).most_common())


def _document(model: Model, verdicts: dict[str, Verdict]) -> dict[str, Any]:
    return {
        "path": model.path,
        "sha256": model.sha256,
        "size_bytes": model.size_bytes,
        "weights_bytes": model.weights_bytes,
        "parameters": model.parameters,
        "producer": model.producer,
        "ir_version": model.ir_version,
        "opset": model.opset,
        "nodes": model.top_level_nodes,
        "nodes_with_subgraphs": model.all_nodes,
        "ops": ops(model),
        "inputs": [_spec(spec) | {"guess": list(model.shapes.get(spec.name, ()))} for spec in model.inputs],
        "outputs": [_spec(spec) for spec in model.outputs],
        "metadata": {key: one_line(value, 200) for key, value in model.metadata.items()},
        "warnings": list(model.warnings),
        "backends": {name: msgspec.to_builtins(verdict) for name, verdict in verdicts.items()},
    }


def _spec(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}


def _text(model: Model, verdicts: dict[str, Verdict]) -> str:
    nodes = f"{model.all_nodes} nodes"
    if model.all_nodes != model.top_level_nodes:
        nodes = f"{model.top_level_nodes} nodes, {model.all_nodes} with those in subgraphs"
    lines = [
        one_line(Path(model.path).name),
        f"  {nodes}, opset {model.opset}, IR {model.ir_version}, {one_line(model.producer) or 'unknown producer'}",
        f"  {size_text(model.size_bytes)}, {model.parameters:,} parameters, sha256 {model.sha256}",
    ]
    lines += [f"  in   {_shape(spec)}{_guess(model, spec)}" for spec in model.inputs]
    lines += [f"  out  {_shape(spec)}" for spec in model.outputs]
    lines.append("  ops  " + ", ".join(f"{one_line(op)} {count}" for op, count in ops(model).items()))
    lines += [f"  warning: {one_line(text)}" for text in model.warnings]
    for name, verdict in verdicts.items():
        lines += [f"  {_verdict(name, verdict)}", *(f"      {line}" for line in verdict_lines(verdict))]
    return "\n".join(lines)


def _shape(spec: TensorSpec) -> str:
    dims = " × ".join(one_line(str(dim), 40) for dim in spec.shape) or "scalar"
    return f"{one_line(spec.name, 80)}  {spec.dtype}  {dims}"


def _guess(model: Model, spec: TensorSpec) -> str:
    if not spec.is_dynamic:
        return ""
    return "  (built as " + "x".join(str(dim) for dim in model.shapes.get(spec.name, ())) + ")"


def _verdict(name: str, verdict: Verdict) -> str:
    title = backend_title(name)
    if verdict.accepted:
        return f"✓ {title}{': ' + one_line(verdict.reason) if verdict.reason else ''}"
    refused = ", ".join(list(verdict.nodes)[:8])
    return f"✗ {title}: {one_line(verdict.reason)}{f' (nodes {refused})' if refused else ''}"
