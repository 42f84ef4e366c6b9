"""From the runtime model to layers: what really runs, with its kernel and precision; constants and views aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workbench.backends._names import ADDED, converts_for_others, known_sources
from workbench.backends._typed import TypedGraph
from workbench.backends.openvino.precisions import precision_run
from workbench.backends.openvino.reading import RESULT
from workbench.backends.openvino.runtime_graph import Op, Value
from workbench.core.graph import Layer, LayerKind, Tensor

_KINDS = {
    "Reorder": LayerKind.REFORMAT,
    "Convert": LayerKind.REFORMAT,
    "FakeQuantize": LayerKind.REFORMAT,
    "Const": LayerKind.CONSTANT,
    "ShapeOf": LayerKind.SHAPE,
    "If": LayerKind.CONTROL,
    "Loop": LayerKind.CONTROL,
    "TensorIterator": LayerKind.CONTROL,
}
_ENDS = ("Input", "Output")

Port = tuple[str, int]


class EngineLayers:
    """Layers, tensors and facts of one compiled model.

    `order_of` maps layer ids to `execOrder`, by which layers of a second compilation are recognised. `views` are
    names of nodes that OpenVINO shows but that only change a view of memory; they are no layers.
    """

    def __init__(self, ops: Sequence[Op], typed: TypedGraph) -> None:
        self._ops = {op.name: op for op in ops}
        self._typed = typed
        self._results = _results(ops, typed)
        self._folded = _constants(ops, self._results)
        self._views = _views(ops, self._results)
        self.views = tuple(node for op in ops if op.name in self._views for node in known_sources(op.origin.split(",")))
        running = [
            op for op in ops if op.kind not in _ENDS and op.name not in self._folded and op.name not in self._views
        ]
        self.tensors: dict[str, Tensor] = {}
        self._names: dict[Port, str] = {}
        self._unnamed: Counter[str] = Counter()  # constants by the layer that reads them first
        self._name_inputs(ops)
        self.order_of = {f"l{index}": op.order for index, op in enumerate(running)}
        self.layers = tuple(self._layer(f"l{index}", op) for index, op in enumerate(running))
        self.weights_bytes = sum(value.size_bytes for op in ops if op.kind == "Const" for value in op.values)

    def _name_inputs(self, ops: Sequence[Op]) -> None:
        for op in ops:
            if op.kind == "Input":
                self._name((op.name, 0), op.name, op.values[0])

    def _layer(self, layer: str, op: Op) -> Layer:
        named = op.origin.split(",")
        inputs = [self._input(layer, port) for port in op.inputs]
        added = converts_for_others(named)
        kind = _KINDS.get(op.kind, LayerKind.REFORMAT if added else LayerKind.COMPUTE)
        outputs = [name for index in range(len(op.values)) for name in self._output(layer, op, index)]
        read, made = ([self.tensors[name] for name in names if name] for names in (inputs, outputs))
        ran = precision_run(op.kind, op.kernel, read, made, self._typed.is_quantized and not self._is_boolean(op))
        layouts = ", ".join(dict.fromkeys(value.layout for value in op.values if value.layout))
        return Layer(
            id=layer,
            name=op.name,
            op=op.kind,
            inputs=tuple(name for name in inputs if name),
            outputs=tuple(outputs),
            precision=ran if kind is not LayerKind.SHAPE else None,
            sources=known_sources(named),
            kind=kind,
            tactic=op.kernel,
            attributes={"layout": layouts, "runtime precision": op.ran} | ({ADDED: added} if added else {}),
        )

    def _is_boolean(self, op: Op) -> bool:
        """Whether a node of the layer makes truth values, which the engine keeps as u8."""
        nodes = [self._typed.node[name] for name in op.origin.split(",") if name in self._typed.node]
        tensors = self._typed.graph.tensors
        return any(tensors[name].dtype == "bool" for node in nodes for name in node.outputs if name in tensors)

    def _input(self, layer: str, port: Port) -> str:
        """The tensor behind a port, looking through views; empty for an input that is not there."""
        while port[0] in self._views:
            port = self._ops[port[0]].inputs[0]
        if port not in self._names:
            op = self._ops[port[0]]
            value = op.values[port[1]]
            if not value.dtype:
                return ""
            given = op.name in self._typed.graph.tensors
            self._name(port, op.name if given else f"{layer}.const{self._unnamed[layer]}", value, constant=True)
            self._unnamed[layer] += not given
        return self._names[port]

    def _output(self, layer: str, op: Op, index: int) -> list[str]:
        port = (op.name, index)
        names = self._results.get(port) or [self._natural(op) or f"{layer}.out{index}"]
        for name in names:
            self._name(port, name, op.values[index])
        return names

    def _natural(self, op: Op) -> str:
        """The ONNX tensor a layer gives, where only one of those its nodes make leaves them."""
        nodes = [self._typed.node[name] for name in op.origin.split(",") if name in self._typed.node]
        if len(op.values) != 1 or not nodes or op.kind in ("Reorder", "Convert"):
            return ""
        used = {name for node in nodes for name in node.inputs}
        left = [n for node in nodes for n in node.outputs if n and n not in used and n not in self.tensors]
        known = self._typed.graph.tensors
        return left[0] if len(left) == 1 and left[0] in known and left[0] not in self._typed.graph.outputs else ""

    def _name(self, port: Port, name: str, value: Value, constant: bool = False) -> None:
        """Inside the engine scalars have one dimension; the model's own inputs and outputs keep their shapes."""
        self._names.setdefault(port, name)
        own = self._typed.graph.tensors.get(name)
        is_end = name in self._typed.graph.inputs or name in self._typed.graph.outputs
        shape = own.shape if own and is_end and own.shape == () else value.shape
        self.tensors[name] = Tensor(name, shape, value.dtype, value.size_bytes, constant)


def _results(ops: Sequence[Op], typed: TypedGraph) -> dict[Port, list[str]]:
    """Which port gives which outputs of the model."""
    found: dict[Port, list[str]] = {}
    for op in ops:
        if op.kind == "Output" and op.origin.startswith(RESULT):
            found.setdefault(op.inputs[0], []).append(typed.graph.outputs[int(op.origin.removeprefix(RESULT))])
    return found


def _constants(ops: Sequence[Op], results: dict[Port, list[str]]) -> set[str]:
    """Constants, and what OpenVINO computes from constants alone, once, when it compiles."""
    found: set[str] = set()
    for op in ops:
        fixed = op.kind == "Const" or (op.inputs and all(name in found for name, _ in op.inputs))
        if fixed and op.kind not in _ENDS and (op.name, 0) not in results and not op.kind.startswith("Random"):
            found.add(op.name)
    return found


def _views(ops: Sequence[Op], results: dict[Port, list[str]]) -> set[str]:
    """Reshapes: they share the memory of their input and run no kernel. Kept where they give an output."""
    return {op.name for op in ops if op.kind == "Reshape" and (op.name, 0) not in results}
