"""What ONNX Runtime throws, in one sentence that names the op and the reason."""

from __future__ import annotations

import re

from workbench.backends._problems import Problem
from workbench.core.errors import runtime_reason
from workbench.core.graph import Graph, Layer

_CODE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_NO_KERNEL = re.compile(r"Could not find an implementation for (\S+)\(\d+\) node with name '([^']*)'")
_NO_OP = re.compile(r"(?:No Op registered for|Fatal error:) ?(\S+?)(?:\(-?\d+\))? (?:with domain_version of|is not a)")
_NODE = re.compile(r"Node \(([^)]*)\) Op \(([^)]*)\)\s*(.*)", re.S)
_BY_NAME = re.compile(r"[Nn]ode[^']{0,40}'([^']+)'|name:(\S+)")


def explain(text: str, graph: Graph) -> Problem:
    """`text` is what the session raised; `graph` has the names that it saw."""
    plain = _CODE.sub("", text).strip()
    if match := _NO_KERNEL.search(plain):
        types = _types(graph, match[2])
        return _refused(match[1], match[2], f"it has no kernel for it on the CPU{types}.")
    if match := _NO_OP.search(plain):
        op = match[1].replace(":", ".")
        reason = "it does not know this operation."
        nodes = {layer.name: reason for layer in graph.walk() if _is(layer, op)}
        return Problem(f"ONNX Runtime refuses {op}: {reason}", nodes)
    if match := _NODE.search(plain):
        return _refused(match[2], match[1], _sentence(match[3]))
    if match := _BY_NAME.search(plain):
        name = match[1] or match[2]
        op = next((layer.op for layer in graph.walk() if layer.name == name), "")
        if op:
            return _refused(op, name, _sentence(plain))
    return Problem(f"ONNX Runtime cannot load this model: {_sentence(plain)}", {})


def _refused(op: str, name: str, reason: str) -> Problem:
    return Problem(f"ONNX Runtime refuses the {op} node {name}: {reason}", {name: reason})


def _is(layer: Layer, op: str) -> bool:
    return op in (layer.op, layer.op.rpartition(".")[2])


def _types(graph: Graph, name: str) -> str:
    """` with bfloat16`: the element types a node reads."""
    layer = next((layer for layer in graph.walk() if layer.name == name), None)
    found = [graph.tensors[n].dtype for n in layer.inputs if n in graph.tensors] if layer else []
    known = list(dict.fromkeys(dtype for dtype in found if dtype))
    return f" with {', '.join(known)}" if known else ""


def _sentence(text: str) -> str:
    plain = runtime_reason(text).lstrip(", ")
    return plain if plain.endswith(".") else plain + "."
