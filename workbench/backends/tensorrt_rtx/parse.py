"""ONNX into a TensorRT network, with what the parser refuses told by node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from workbench.backends.tensorrt_rtx.watch import BuildLog, as_logger
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.graph import Layer
from workbench.core.model import Model
from workbench.model.ids import sources_of

_NO_PLUGIN = "Plugin not found"
_PLACES = re.compile(
    r"\s*\(?\b[Ii]n (?:operator\(\)|\w+) at /[^\s)]+\)?"  # In operator() at /_src/optimizer/x.cpp:12)
    r"|\[\w+\.(?:cpp|h)::[^\]]*\]"  # [graphScope.cpp::analyze::471]
)
_ORIGIN = re.compile(r"^(?:Invalid Node - \S+\s*|[\w:]+: Error Code \d+: |Assertion failed: )+")


class Network(msgspec.Struct, frozen=True):
    """A parsed network. Builder, logger and parser are held because the network uses what they own."""

    trt: Any
    builder: Any
    network: Any
    logger: Any
    parser: Any


class Refusal(msgspec.Struct, frozen=True):
    """Why the parser stopped: `node` is a source id, or "" where it named none; `op` may be empty too."""

    node: str
    op: str
    reason: str

    def sentence(self, model: Model) -> str:
        return sentence(model, self.node, self.op, self.reason)


def parse(trt: Any, data: bytes, path: Path, log: BuildLog) -> tuple[Network, list[Refusal]]:
    """Reads a file whose nodes are named by source ids; external data is found beside `path`.

    With a refusal the network is of no use.
    """
    logger = as_logger(trt, log)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    parsed = parser.parse(data, path=str(path))
    refusals = [_refusal(parser.get_error(index)) for index in range(parser.num_errors)]
    if not parsed and not refusals:
        refusals = [Refusal("", "", one_line(" ".join(log.errors)) or "the parser gave no reason")]
    if parsed and not refusals and not network.num_outputs:
        refusals = [Refusal("", "", "the graph has no outputs")]
    return Network(trt, builder, network, logger, parser), refusals


def clean(text: str) -> str:
    """TensorRT's text without places in its own source and without the missing driver, which is no fault here."""
    lines = [line for line in text.splitlines() if "cudaError 35" not in line]
    lines = [_ORIGIN.sub("", _PLACES.sub("", line)).strip() for line in lines]
    return one_line(" ".join(line for line in lines if line)).rstrip(". ")


def sentence(model: Model, node: str, op: str, reason: str) -> str:
    """One sentence that names op, node and reason, in the user's own words where they have a name for the node."""
    layer = next((layer for layer in model.graph.walk() if layer.id == node), None)
    return f"TensorRT refuses {_called(layer, node, op)}: {reason}."


def _called(layer: Layer | None, node: str, op: str) -> str:
    op = layer.op if layer else op
    if not (op or node):
        return "this model"
    name = f" {layer.name!r}" if layer and layer.name else ""
    return f"{op or 'the node'}{name} ({node})" if node else op


def _refusal(error: Any) -> Refusal:
    named = sources_of(error.node_name())
    node = named[0] if named else ""
    op = error.node_operator()
    text = error.desc()
    if _NO_PLUGIN in text:
        return Refusal(node, op, "it has no such operator, and no plugin of that name is loaded")
    return Refusal(node, op, clean(text) or error.code().name)


def refuse(model: Model, refusals: list[Refusal]) -> WorkbenchError:
    """The error to raise: the first refusal, and how many more there are."""
    more = f" {len(refusals) - 1} more nodes are refused." if len(refusals) > 1 else ""
    return WorkbenchError(
        refusals[0].sentence(model) + more, "Build this model with OpenVINO or ONNX Runtime, or replace the node."
    )
