"""The backend itself: what it can do here, whether it takes a model, and the build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from workbench.backends._built import Facts
from workbench.backends._cpu import cpu_name
from workbench.backends._fates import resolve_fates
from workbench.backends._names import named_by_nodes
from workbench.backends._options import pool_threads, thread_counts
from workbench.backends._typed import TypedGraph, freed, read_typed
from workbench.backends.base import Backend, Capabilities, Engine, Report
from workbench.backends.onnxruntime.devices import CPU, TENSORRT, check_started, device_of, device_option, providers
from workbench.backends.onnxruntime.engine import OnnxRuntimeEngine
from workbench.backends.onnxruntime.layers import executed, with_layers
from workbench.backends.onnxruntime.package import INSTALL, errors, session, version
from workbench.backends.onnxruntime.problems import explain
from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig
from workbench.core.tuning import Knob
from workbench.core.verdict import Verdict
from workbench.model import private_copy
from workbench.model.liveness import memory_plan

_NEVER = {
    Precision.TF32: "TF32 is a format of NVIDIA GPUs.",
    Precision.FP4_WEIGHTS: "ONNX Runtime has no FP4 kernels for CPUs.",
}
_ROUNDED = dict.fromkeys((Precision.BF16, Precision.FP8), How.ROUNDED)
_REMARKS = {
    Precision.FP8: "Values are rounded to FP8 and computed in FP32: CPUs have no FP8 arithmetic.",
    Precision.INT8_WEIGHTS: "Smaller files; activations stay float, and a gain in speed is not promised.",
    Precision.INT4_WEIGHTS: "MatMul and Gemm only; activations stay float, and a gain in speed is not promised.",
    Precision.BF16: "Values are rounded to BF16 and computed in FP32: ONNX Runtime has no BF16 kernels for CPUs.",
    Precision.FP16: "Weights are kept in FP16 and computed in FP32 between casts: expect no gain in speed.",
    Precision.INT8: "Conv and the sums behind it hand on 8 bits; Convs on few channels are faster in FP32 and stay so.",
}


_WHOLE = (
    "TensorRT compiles whole subgraphs inside ONNX Runtime and does not show them: the graph here is the one that ONNX "
    "Runtime would run without it."
)


class OnnxRuntimeBackend(Backend):
    """`BuildConfig.optimize` False runs the graph as it is written, node by node: the honest "before".

    Options (`BuildConfig.options`): `execution` sequential or parallel, `spinning` on or off, `graph_level` all,
    extended or basic, `device` cpu, cuda or tensorrt (the last two with the package onnxruntime-gpu).
    """

    id = "onnxruntime"
    title = "ONNX Runtime (CPU)"

    def capabilities(self) -> Capabilities:
        try:
            found, reason, hint = version(), "", ""
        except WorkbenchError as error:
            found, reason, hint = "", error.message, error.hint or INSTALL
        return Capabilities(
            available=not reason,
            reason=reason,
            hint=hint,
            version=found,
            device=cpu_name(),
            can_run=not reason,
            run_reason=reason,
            precisions=dict.fromkeys(Precision, reason) | _NEVER,
            remarks=_REMARKS,
            options=() if reason else device_option(),
        )

    def dialect(self) -> Dialect:
        how = dict.fromkeys(Precision, How.GRAPH) | dict.fromkeys(_NEVER, How.NONE)
        return Dialect("onnxruntime", how | _ROUNDED, unsigned_activations=True, integer_results=True)

    def knobs(self, physical: int, logical: int) -> tuple[Knob, ...]:
        return (
            Knob("threads", thread_counts(physical, logical), "threads inside an operator"),
            Knob("execution", ("sequential", "parallel"), "operators one after another, or branches side by side"),
            Knob("spinning", ("on", "off"), "idle threads wait in a loop while a run lasts"),
            Knob("graph_level", ("all", "extended", "basic"), "how far the graph is optimised; all changes layouts"),
        )

    def verdict(self, model: Model) -> Verdict:
        proto = private_copy(model)
        try:
            session(proto.SerializeToString(), optimize=False, threads=1)
        except errors() as error:
            message, nodes = explain(str(error), TypedGraph(proto).graph)
            return Verdict(False, message, nodes)
        return Verdict(True)

    def build(self, typed: TypedModel, config: BuildConfig, folder: Path, report: Report) -> Engine:
        report("optimising the graph" if config.optimize else "loading the graph as it is", 0, 0, "")
        sessions = _Sessions(typed, config, folder)
        path, source = freed(typed) if config.profiles else (Path(typed.path), read_typed(typed))
        running = sessions.make(source, path)
        report("reading the layers that run", 0, 0, "")
        graph, proto = executed(onnx.load(sessions.saved), source)
        onnx.save_model(proto, sessions.saved)
        layers, fates = resolve_fates(typed.model, tuple(graph.walk()), typed.removed)
        named = {layer.id: layer for layer in named_by_nodes(typed.model, layers)}
        graph = with_layers(graph, named)
        facts = Facts(
            graph=graph,
            fates=fates,
            memory={"weights": _weights(graph)} | ({} if config.profiles else _activations(graph)),
            artefact=Path(typed.path),
            notes=sessions.notes,
            versions={"onnxruntime": version()} | ({} if sessions.device == CPU else {"provider": sessions.device}),
        )
        return OnnxRuntimeEngine(
            facts,
            session=running,
            executed=sessions.saved,
            threads=config.threads,
            device=sessions.device,
            tuned=config.options,
        )


class _Sessions:
    """Makes the session of a typed model; where its optimiser trips over fixed shapes, with free ones."""

    def __init__(self, typed: TypedModel, config: BuildConfig, folder: Path) -> None:
        self._typed, self._config, self._folder = typed, config, folder
        self.device = device_of(config.options)
        self.saved = folder / "executed.onnx"
        self.notes: tuple[str, ...] = ()

    def make(self, source: TypedGraph, path: Path) -> Any:
        """Raises WorkbenchError with op and reason."""
        try:
            return self._make(str(path))
        except errors() as error:
            problem = explain(str(error), source.graph)
            if not any(spec.is_dynamic for spec in self._typed.model.inputs):
                raise problem.error() from error
        try:
            found = self._make(str(freed(self._typed)[0]))
        except errors() as error:
            raise problem.error() from error
        self.notes = (f"Built with free input shapes; with fixed ones {problem.message}",)
        return found

    def _make(self, path: str) -> Any:
        config = self._config
        threads = pool_threads(config.threads, config.streams)
        where = CPU if self.device == TENSORRT else self.device  # what TensorRT has compiled cannot be saved
        made = session(
            path,
            optimize=config.optimize,
            threads=threads,
            save=self.saved,
            tuned=config.options,
            providers=providers(where),
        )
        check_started(made, where)
        if self.device == TENSORRT:
            self.notes = (_WHOLE,)
            made = session(path, optimize=config.optimize, threads=threads, providers=providers(TENSORRT))
            check_started(made, TENSORRT)
        return made


def _activations(graph: Graph) -> dict[str, int]:
    """Of an engine whose shapes are fixed: in others sizes are not known."""
    return {"activations": memory_plan(graph).peak_bytes}


def _weights(graph: Graph) -> int:
    own = sum(tensor.size_bytes for tensor in graph.tensors.values() if tensor.constant)
    return own + sum(_weights(body) for body in graph.subgraphs.values())
