"""The null backend: fuses chains on paper and computes nothing. It serves the tests of everything around a backend."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from workbench.backends._closure import VIEW_OPS, Scope, ops
from workbench.backends._fates import resolve_fates
from workbench.backends._names import node_names
from workbench.backends._options import SWITCH, choice, number
from workbench.backends.base import Backend, Capabilities, Engine, Feed, Report, Runner
from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Fate, Graph, Layer, LayerKind, Tensor
from workbench.core.model import Model, TensorSpec, TypedModel
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig
from workbench.core.verdict import Verdict
from workbench.core.writing import written_whole

_EPILOGUE_OPS = ops(
    "BatchNormalization Relu LeakyRelu Clip Sigmoid Tanh HardSwish HardSigmoid Elu Gelu Add Sub Mul Div Sum"
)


class NullBackend(Backend):
    """Options (`BuildConfig.options`): `delay_s` seconds that a build takes, `latency_ms` of one inference,
    `fail` a message to fail with, `crash` one of `segv`, `exit`, `hang`; `keep` on: its engines are kept and found."""

    id = "null"
    title = "Null (computes nothing)"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            available=True,
            reason="",
            hint="",
            version="1",
            device="no device: nothing is computed",
            can_run=True,
            run_reason="",
            precisions=dict.fromkeys(Precision, ""),
            remarks=dict.fromkeys(Precision, "computes nothing: outputs are zeros and times are made up"),
        )

    def dialect(self) -> Dialect:
        return Dialect("null", dict.fromkeys(Precision, How.GRAPH))

    def verdict(self, model: Model) -> Verdict:
        return Verdict(accepted=True)

    def build(self, typed: TypedModel, config: BuildConfig, folder: Path, report: Report) -> Engine:
        _misbehave(config.options)
        _wait(number(config.options, "delay_s", 0), report)
        engine = NullEngine(typed, folder, number(config.options, "latency_ms", 1))
        report("done", 1, 1, f"{len(engine.graph.layers)} layers")
        return engine

    def engine_key(self, typed: TypedModel, config: BuildConfig) -> tuple[str, ...]:
        kept = choice(config.options, "keep", SWITCH, "off")
        return ("null 1", *(f"{key}={value}" for key, value in sorted(config.options.items()))) if kept else ()

    def reopen(self, typed: TypedModel, config: BuildConfig, folder: Path) -> Engine:
        return NullEngine(typed, folder, number(config.options, "latency_ms", 1))


class NullEngine(Engine):
    """Chains of source nodes as layers. `artefact` is a text that says what it is."""

    def __init__(self, typed: TypedModel, folder: Path, latency_ms: float) -> None:
        self._outputs = typed.model.outputs
        self._tensors = typed.model.graph.tensors
        self._latency_ms = latency_ms
        layers, fates = resolve_fates(typed.model, _chains(typed), typed.removed)
        self.graph = _graph(typed.model.graph, layers)
        self.fates: Mapping[str, Fate] = fates
        self.artefact = folder / "null.txt"
        with written_whole(self.artefact, sync=False) as file:
            file.write(b"The null backend computes nothing.\n")
        self.files = (self.artefact,)
        self.size_bytes = typed.model.weights_bytes
        self.memory: Mapping[str, int] = {"weights": typed.model.weights_bytes}
        self.notes = ("The null backend computes nothing: outputs are zeros and times are made up.",)
        self.versions: Mapping[str, str] = {"null": "1"}

    def runner(self, *, layers: bool = False) -> Runner:
        shown = tuple(layer.id for layer in self.graph.layers) if layers else ()
        zeros = {spec.name: _zeros(spec, self._tensors.get(spec.name)) for spec in self._outputs}
        return NullRunner(zeros, shown, self._latency_ms)


class NullRunner(Runner):
    """Zeros, and times by rule: an inference sleeps as long as it says, and each is 0.1 % longer than the last."""

    def __init__(self, outputs: Mapping[str, NDArray[np.generic]], layers: tuple[str, ...], latency_ms: float) -> None:
        self._outputs = outputs
        self._layers = layers
        self._latency_ms = latency_ms
        self._count = self._told = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._layers = ()

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        return {name: zeros.copy() for name, zeros in self._outputs.items()}

    def time(self, feed: Feed) -> float:
        latency = self._latency_ms * (1 + 0.001 * self._count)
        self._count += 1
        time.sleep(latency / 1000)
        return latency

    def layer_times(self) -> dict[str, float]:
        if not self._count:
            return {}
        weights = [1 + index % 7 for index in range(len(self._layers))]
        return {layer: self._latency_ms * w / sum(weights) for layer, w in zip(self._layers, weights, strict=True)}

    def layer_samples(self) -> dict[str, list[float]]:
        """Around the means, up to a fifth more every fifth inference."""
        new, self._told = range(self._told, self._count), self._count
        means = self.layer_times()
        return {layer: [ms * (0.9 + 0.05 * (i % 5)) for i in new] for layer, ms in means.items()} if new else {}


def _misbehave(options: Mapping[str, str]) -> None:
    if message := options.get("fail"):
        raise WorkbenchError(message, "Take the option `fail` away.")
    if crash := options.get("crash"):
        _crash(crash)


def _crash(how: str) -> NoReturn:
    if how == "segv":
        signal.raise_signal(signal.SIGSEGV)
    if how == "exit":
        os._exit(3)
    while how == "hang":
        time.sleep(60)
    raise WorkbenchError(f"The null backend knows no crash named {how!r}.", "Choose one of: segv, exit, hang.")


def _wait(seconds: float, report: Report) -> None:
    steps = max(1, int(seconds / 0.05))
    for step in range(steps):
        report("waiting", step, steps, "")
        time.sleep(seconds / steps)


def _chains(typed: TypedModel) -> list[Layer]:
    """One layer per chain: a node, then the elementwise ones that alone read what it makes."""
    scope = Scope(typed.model.graph)
    idle = scope.constants() | set(typed.removed) | (set(scope.nodes) - scope.live())
    groups: dict[str, list[str]] = {}
    head_of: dict[str, str] = {}
    for node in _sorted(scope):
        if node in idle or scope.nodes[node].op in VIEW_OPS:
            continue
        head_of[node] = _head(scope, node, head_of)
        nodes = groups.pop(head_of[node], [])  # a chain runs where its last node stood: all it reads is there then
        groups[head_of[node]] = [*nodes, node]
    return [_layer(scope, typed, index, nodes) for index, nodes in enumerate(groups.values())]


def _sorted(scope: Scope) -> list[str]:
    """Nodes so that producers come first, whatever the order of the file."""
    done: dict[str, None] = {}
    waiting = [(node, False) for node in reversed(scope.nodes)]
    while waiting:
        node, is_ready = waiting.pop()
        if is_ready:
            done[node] = None
        elif node not in done:
            waiting.append((node, True))
            waiting.extend((other, False) for other in scope.producers[node] if other not in done)
    return list(done)


def _head(scope: Scope, node: str, head_of: dict[str, str]) -> str:
    """The first node of the chain that `node` continues; itself where it begins one."""
    if scope.nodes[node].op in _EPILOGUE_OPS:
        for producer in scope.producers[node]:
            if producer in head_of and len(scope.consumers[producer]) == 1:
                return head_of[producer]
    return node


def _layer(scope: Scope, typed: TypedModel, index: int, nodes: list[str]) -> Layer:
    members = [scope.nodes[node] for node in nodes]
    made = dict.fromkeys(name for member in members for name in member.outputs if name)
    reads = dict.fromkeys(name for node in nodes for name in scope.reads[node] if name not in made)
    asked = [typed.asked[node] for node in nodes if node in typed.asked]
    return Layer(
        id=f"l{index}",
        name=node_names(members),
        op="+".join(member.op for member in members),
        inputs=tuple(reads),
        outputs=tuple(
            name for name in made if name in scope.graph.outputs or scope.readers.get(name, set()) - {*nodes}
        ),
        precision=Precision(asked[0]) if asked else Precision.FP32,
        sources=tuple(nodes),
        kind=LayerKind.CONTROL if members[0].op in ("If", "Loop", "Scan") else LayerKind.COMPUTE,
        tactic="null",
    )


def _graph(source: Graph, layers: tuple[Layer, ...]) -> Graph:
    names = dict.fromkeys([*source.inputs, *source.outputs])
    names.update(dict.fromkeys(name for layer in layers for name in (*layer.inputs, *layer.outputs)))
    tensors = {name: source.tensors.get(name, Tensor(name)) for name in names}
    return Graph(source.name, layers, tensors, source.inputs, source.outputs)


def _zeros(spec: TensorSpec, tensor: Tensor | None) -> NDArray[np.generic]:
    """Zeros in the shape of an output; a free dimension is 1."""
    shape = tensor.shape if tensor and tensor.shape is not None else spec.shape
    try:
        dtype = np.dtype(spec.dtype)
    except TypeError:
        dtype = np.dtype(np.float32)  # bfloat16 and the small floats
    fixed = [dim if isinstance(dim, int) else 1 for dim in shape]
    return np.zeros(fixed, dtype)


BACKEND = NullBackend
