"""What OpenVINO throws, in one sentence that names the op and the reason."""

from __future__ import annotations

import re
from typing import NamedTuple

from workbench.backends._problems import Problem
from workbench.core.errors import one_line
from workbench.core.graph import Graph

_UNKNOWN_OPS = re.compile(r"No conversion rule found for operations: ([^\n]+)")
_FAILED = re.compile(r"^-- ([\w.]+?)-(\d+) with a message:\n(.*?)(?=\n\n|\Z)", re.S | re.M)
_NODE = re.compile(r"While validating ONNX node '<Node\(([^)]*)\): ([^>]*)>'")
_NOISE = re.compile(
    r"(Exception from \S+:\d+:|Check '.*?' failed at \S+:\d+:|"
    r"While validating (?:ONNX )?node '.*?'(?: with friendly_name '.*?')?:|"
    r"FrontEnd API failed with \w+:|Exception happened during conversion of .*?: )\s*",
    re.S,
)
_FOLLOWS = re.compile(r"has to be known|dynamic")  # of nodes that only lack what the failed one would have given


def explain(text: str, graph: Graph) -> Problem:
    """`text` is what the RuntimeError says; `graph` has the names that OpenVINO saw."""
    if match := _UNKNOWN_OPS.search(text):
        ops = _own_words([_plain(op) for op in match[1].split(",")], graph)
        reason = "OpenVINO has no rule for it"
        nodes = {layer.name: reason for layer in graph.walk() if layer.op in ops}
        return Problem(f"OpenVINO does not support the operation {' and '.join(ops)}.", nodes)
    order = {layer.name: index for index, layer in enumerate(graph.walk())}
    failed = sorted(
        (_failure(match, graph) for match in _FAILED.finditer(text)),
        key=lambda each: (bool(_FOLLOWS.search(each.reason)), order.get(each.node, len(order))),
    )
    if failed:
        root = failed[0]
        nodes = {each.node: each.reason for each in failed if each.node}
        return Problem(f"OpenVINO refuses the {root.op} node {root.node or '(name not told)'}: {root.reason}", nodes)
    return Problem(f"OpenVINO cannot build this model: {_reason(text)}", {})


class _Failure(NamedTuple):
    op: str
    node: str
    reason: str


def _failure(match: re.Match[str], graph: Graph) -> _Failure:
    return _Failure(match[1], _named(match[3], graph), _reason(match[3]))


def _own_words(ops: list[str], graph: Graph) -> list[str]:
    """OpenVINO's stand-in for sequences, by the operators of the model that it stands for."""
    if "util::SequenceMark" not in ops:
        return ops
    return list(dict.fromkeys(layer.op for layer in graph.walk() if "Sequence" in layer.op)) or ["on sequences"]


def _plain(op: str) -> str:
    """`Foo-17` is Foo of the standard domain in opset 17."""
    return re.sub(r"-\d+$", "", op.strip())


def _named(text: str, graph: Graph) -> str:
    match = _NODE.search(text)
    if not match:
        return ""
    for layer in graph.walk():
        if match[2] == layer.name or match[2] in layer.outputs:
            return layer.name
    return ""


def _reason(text: str) -> str:
    """The last lines say why; the lines before them say where in OpenVINO's own code."""
    plain = one_line(_NOISE.sub("", text).partition("\n\n")[0], 300)
    return plain if plain.endswith(".") else plain + "."
