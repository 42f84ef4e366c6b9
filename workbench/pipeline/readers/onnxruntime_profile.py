"""ONNX Runtime's profile: `SessionOptions.enable_profiling`, a Chrome trace.

A node is `{"cat": "Node", "name": "conv1_kernel_time", "dur": 122, "args": {"op_name": .., "provider": .., ..}}` with
`dur` in microseconds, an inference `{"cat": "Session", "name": "model_run"}`.
Format: onnxruntime.ai, "Profiling tools".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.backends.onnxruntime.imported import ProfiledNode, imported_engine
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.pipeline.readers.base import MOST_LAYERS, Document, Engine, Part, check_count, dicts, number, text

WHAT = "ONNX Runtime profile (enable_profiling)"
_SUFFIX = "_kernel_time"


def recognise(document: Document) -> bool:
    return any(text(entry, "cat") in ("Session", "Node") and "dur" in entry for entry in dicts(document)[:20])


def read(document: Document) -> Part:
    runs: list[float] = []
    totals: dict[str, float] = {}
    nodes: dict[str, ProfiledNode] = {}
    for entry in dicts(document):
        name = text(entry, "name")
        if text(entry, "cat") == "Session" and name == "model_run":
            runs.append(number(entry, "dur") / 1000)
        elif text(entry, "cat") == "Node" and name.endswith(_SUFFIX):
            name = name.removesuffix(_SUFFIX)
            totals[name] = totals.get(name, 0.0) + number(entry, "dur") / 1000
            nodes.setdefault(name, _node(name, entry.get("args")))
    if not nodes:
        raise WorkbenchError("The profile has no node that ran.", "Let the session infer before it ends profiling.")
    check_count(len(nodes), MOST_LAYERS, "nodes")
    count = max(len(runs), 1)
    means = {f"l{index}": totals[name] / count for index, name in enumerate(nodes)}

    def link(model: Model | None) -> Engine:
        return Engine(*imported_engine(list(nodes.values()), model), means)

    return Part(
        title="ONNX Runtime",
        rank=2,
        link=link,
        iterations=count,
        latencies_ms=tuple(runs),
        protocol=f"ONNX Runtime's profiler, {len(runs)} inferences, its own cost in them.",
        notes=("The latencies are those under ONNX Runtime's profiler, which costs time of its own.",),
    )


def _node(name: str, args: object) -> ProfiledNode:
    known = args if isinstance(args, dict) else {}
    return ProfiledNode(
        name=name,
        op=text(known, "op_name"),
        provider=text(known, "provider"),
        read=tuple(_types(known.get("input_type_shape"))),
        made=tuple(_types(known.get("output_type_shape"))),
    )


def _types(value: Any) -> Iterable[str]:
    """`[{"float": [1, 8]}]` gives `float`."""
    return (key for entry in dicts(value) for key in list(entry)[:1])
