"""ONNX into a TensorRT network, with what the parser refuses told by node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from workbench.backends.tensorrt_rtx.watch import BuildLog, as_logger
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.model import Model
from workbench.model.ids import sources_of

_NO_OPERATOR = re.compile(
    r"Plugin not found|plugin creator .* not found|plugin was not found|failed to load \w+ plugin"
    r"|^(?:Assertion failed: )?false$"
)
_NO_TYPE = "Failed to convert ONNX date type"
_CONDITION = re.compile(
    r'^(?:[^:"]|::)*?(?:[=!<>]=|->|&&|\|\||::|\w\()(?:[^:]|::)*?: '  # shiftIsAllZeros(zeroPoint): Non-zero ...
    r"|^[^\s:]+: (?=[A-Z`])|^Parameter check failed, condition: .*?\. (?=[A-Z])"
)
_QUOTED = re.compile(r'.* && "(.+?)"[.!]*$')  # !isTraining && "This version of TensorRT does not ..."
_PLACES = re.compile(
    r"\.?\s*\b[Ii]n (?:operator\(\)|\w+) at /[^\s)]+"  # . In operator() at /_src/optimizer/x.cpp:12
    r"|\[[\w/]+\.(?:cpp|h):[^\]]*\]"  # [graphScope.cpp::analyze::471], [type.cpp:186: infer_type]
)
_ORIGIN = re.compile(r"^(?:Invalid Node - \S+\s*|[\w:]+: |Error Code \d+: |Assertion failed: )+")
_WRAPPED = re.compile(r"^[A-Z][\w ]*? \((.*)\)$")


_LONGEST = 2000  # of a line that is looked at: some quote the weights of a node
_DECIDES = "decide shapes, and it has to know these when it builds"
REASONS = (
    "it has no such operator, and no plugin of that name is loaded",
    "an input or a weight has a type that it does not take, such as string",
)
"""Of refusals that no other precision would cure."""


class Network(msgspec.Struct, frozen=True):
    """A parsed network. Builder, logger and parser are held because the network uses what they own."""

    trt: Any
    builder: Any
    network: Any
    logger: Any
    parser: Any


class Refusal(msgspec.Struct, frozen=True):
    """What TensorRT does not take: `node` is a source id, or "" where it named none; `op` may be empty too."""

    node: str
    op: str
    reason: str

    def sentence(self, model: Model) -> str:
        """Names op, node and reason, with the user's own name of the node where it has one."""
        layer = next((layer for layer in model.graph.walk() if layer.id == self.node), None)
        op = layer.op if layer else self.op
        name = f" {layer.name!r}" if layer and layer.name else ""
        where = f"{op or 'the node'}{name} ({self.node})" if self.node else op or "this model"
        return f"TensorRT refuses {where}: {self.reason}."


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
        refusals = [Refusal("", "", first_reason(log) or "the parser gave no reason")]
    if parsed and not refusals and not network.num_outputs:
        refusals = [Refusal("", "", "the graph has no outputs")]
    _let_decompose(trt, network)
    found = Network(trt, builder, network, logger, parser)
    return found, refusals or shape_inputs(found)


def _let_decompose(trt: Any, network: Any) -> None:
    """An Attention for which there is no kernel (in FP32) becomes products and a Softmax, instead of a failed build."""
    kind = getattr(trt.LayerType, "ATTENTION_INPUT", None)
    for layer in (network.get_layer(index) for index in range(network.num_layers)):
        if kind is not None and layer.type == kind:
            layer.__class__ = trt.IAttentionInputLayer
            layer.attention.decomposable = True


def shape_inputs(network: Network) -> list[Refusal]:
    """Inputs whose values are shapes: a build would want ranges of these values, which no profile here has."""
    inputs = (network.network.get_input(index) for index in range(network.network.num_inputs))
    names = ", ".join(repr(tensor.name) for tensor in inputs if tensor.is_shape_tensor)
    return [Refusal("", "", f"the values of its input {names} {_DECIDES}")] if names else []


def supported_nodes(trt: Any, data: bytes, path: Path, log: BuildLog) -> list[list[int]]:
    """Runs of nodes that the parser takes of a model that it does not take whole, by their index in the file."""
    logger = as_logger(trt, log)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not hasattr(parser, "supports_model_v2"):  # TensorRT before 10.1
        return []
    parser.supports_model_v2(data, path=str(path))
    return [list(parser.get_subgraph_nodes(index)) for index in range(parser.num_subgraphs)]


def refused(model: Model, refusals: list[Refusal]) -> WorkbenchError:
    """The error to raise: the first refusal, and how many more there are."""
    rest = len(refusals) - 1
    more = f" So {'are' if rest > 1 else 'is'} {rest} more node{'s' if rest > 1 else ''}." if rest else ""
    change = "make that input a constant" if _DECIDES in refusals[0].reason else "replace the node"
    return WorkbenchError(
        refusals[0].sentence(model) + more, f"Build this model with OpenVINO or ONNX Runtime, or {change}."
    )


def first_reason(log: BuildLog) -> str:
    """The first of TensorRT's errors that says something; "" where none does. Later ones follow from it."""
    return next(filter(None, (clean(text) for text in log.errors)), "")


def clean(text: str) -> str:
    """TensorRT's sentence without places in its own source, advice on its API, or the driver missing here."""
    lines = [_clean_line(line[:_LONGEST]) for line in text.splitlines() if "cudaError 35" not in line]
    return one_line(" ".join(filter(None, lines)), 240).rstrip(".! …")


def _clean_line(line: str) -> str:
    line = _WRAPPED.sub(r"\1", _ORIGIN.sub("", _PLACES.sub("", line).strip()))
    return re.split(r"\. (?:If|Please) ", _CONDITION.sub("", _said(line)))[0].strip()


def _said(line: str) -> str:
    """The text of an assertion that is written as `condition && "text"`, in pieces or in one."""
    found = _QUOTED.match(line)
    return found[1].replace('" "', "") if found else line


def _refusal(error: Any) -> Refusal:
    named = sources_of(error.node_name())
    node, op, text = (named[0] if named else ""), error.node_operator(), error.desc()
    if _NO_OPERATOR.search(text):
        return Refusal(node, op, REASONS[0])
    if _NO_TYPE in text:
        return Refusal(node, op, REASONS[1])
    return Refusal(node, op, clean(text) or error.code().name)
