"""The backend itself: what it can do here, whether it takes a model, and the build."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.backends._built import Facts
from workbench.backends._fates import resolve_fates
from workbench.backends._names import named_by_nodes
from workbench.backends._options import SWITCH, choice, number, thread_counts
from workbench.backends._typed import freed, read_typed
from workbench.backends.base import Backend, Capabilities, Engine, Report
from workbench.backends.openvino import precisions
from workbench.backends.openvino.engine import OpenVinoEngine, Options, compile_model
from workbench.backends.openvino.faults import CHAINED_PRODUCTS, has_chained_products
from workbench.backends.openvino.layers import EngineLayers
from workbench.backends.openvino.package import INSTALL, device_name, optimized_types, version
from workbench.backends.openvino.reading import bounded, read
from workbench.backends.openvino.runtime_graph import runtime_ops
from workbench.backends.openvino.verdict import verdict_on
from workbench.core.dialect import Dialect
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph
from workbench.core.model import Model, TypedModel
from workbench.core.options import Option
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig
from workbench.core.tuning import Knob
from workbench.core.verdict import Verdict
from workbench.model.liveness import memory_plan

_PERFORMANCE = {"latency": "LATENCY", "throughput": "THROUGHPUT"}
_OP_HINTS = {
    "MVN": frozenset({"LayerNormalization", "InstanceNormalization", "MeanVarianceNormalization"}),
    "RNNSeq": frozenset({"LSTM", "GRU", "RNN"}),
    "RNNCell": frozenset({"LSTM", "GRU", "RNN"}),
    "ScaledDotProductAttention": frozenset({"MatMul", "Softmax", "Attention"}),
}


_DYNAMIC = Option(
    "dynamic_quantization",
    "Dynamic quantization",
    "Beside weights in INT8 or INT4, OpenVINO quantizes activations as they come, in groups of so many. 0 keeps them in"
    " float, as the plan says; OpenVINO's own default does not, and is faster and less exact",
    ("0", "32", "64", "128"),
)
_WEIGHT_ONLY = frozenset({Precision.INT8_WEIGHTS, Precision.INT4_WEIGHTS})
_FLOAT_ACTIVATIONS = (
    "Activations beside weights in INT8 or INT4 stay in float, as the plan says; by its own default OpenVINO quantizes"
    " them as they come, which is faster and less exact: the option dynamic_quantization=32 lets it."
)


class OpenVinoBackend(Backend):
    """Options (`BuildConfig.options`): `dynamic_quantization` group size of activations that OpenVINO quantizes by
    itself beside INT8 weights; 0, the default, keeps them in float. `performance_hint` latency or throughput,
    `cpu_pinning`, `hyper_threading` and `flush_denormals` on or off."""

    id = "openvino"
    title = "OpenVINO (CPU)"

    def capabilities(self) -> Capabilities:
        try:
            types, device = optimized_types(), device_name()
        except WorkbenchError as error:
            return _missing(error)
        return Capabilities(
            available=True,
            reason="",
            hint="",
            version=version(),
            device=device,
            can_run=True,
            run_reason="",
            precisions=precisions.reasons(),
            remarks=precisions.remarks(types),
            options=(_DYNAMIC,),
        )

    def dialect(self) -> Dialect:
        return precisions.dialect(optimized_types())

    def knobs(self, physical: int, logical: int) -> tuple[Knob, ...]:
        hyper = ("off", "on") if logical > physical else ("off",)
        return (
            Knob("threads", thread_counts(physical, logical), "inference threads"),
            Knob("performance_hint", ("latency", "throughput"), "what OpenVINO plans its streams for"),
            Knob("cpu_pinning", ("off", "on"), "threads stay on their cores"),
            Knob("hyper_threading", hyper, "both threads of a core are used"),
            Knob("flush_denormals", ("off", "on"), "numbers too small for float32's normal form are zero"),
        )

    def verdict(self, model: Model) -> Verdict:
        return verdict_on(model)

    def build(self, typed: TypedModel, config: BuildConfig, folder: Path, report: Report) -> Engine:
        report("reading the typed ONNX", 0, 0, "")
        path, onnx_graph = freed(typed) if config.profiles else (Path(typed.path), read_typed(typed))
        model = bounded(read(str(path), onnx_graph), config.profiles)
        report("compiling for this processor", 0, 0, "")
        options = _options(typed, config)
        is_at_risk = has_chained_products(onnx_graph.graph)
        if is_at_risk:
            options = {**options, "SNIPPETS_MODE": "DISABLE"}
        compiled = compile_model(model, options, onnx_graph.graph)
        report("reading the layers that run", 0, 0, "")
        found = EngineLayers(runtime_ops(compiled), onnx_graph)
        absorbed = dict.fromkeys(found.views, "absorbed")
        layers, fates = resolve_fates(typed.model, found.layers, absorbed | typed.removed, _OP_HINTS)
        layers = named_by_nodes(typed.model, layers)
        graph = msgspec.structs.replace(onnx_graph.graph, layers=layers, tensors=found.tensors, subgraphs={})
        activations = {} if config.profiles else {"activations": memory_plan(graph).peak_bytes}
        facts = Facts(
            graph=graph,
            fates=fates,
            memory={"weights": found.weights_bytes} | activations,
            artefact=Path(typed.path),
            notes=(*((CHAINED_PRODUCTS,) if is_at_risk else ()), *_kept_in_float(graph, options)),
            versions={"openvino": version(), "device": device_name()},
        )
        return OpenVinoEngine(facts, model=model, compiled=compiled, options=options, order_of=found.order_of)


def _missing(error: WorkbenchError) -> Capabilities:
    return Capabilities(
        available=False,
        reason=error.message,
        hint=error.hint or INSTALL,
        version="",
        device="",
        can_run=False,
        run_reason=error.message,
        precisions=dict.fromkeys(Precision, error.message),
    )


def _kept_in_float(graph: Graph, options: Options) -> tuple[str, ...]:
    """What OpenVINO's own default does otherwise, where it matters."""
    is_met = any(layer.precision in _WEIGHT_ONLY for layer in graph.walk())
    return (_FLOAT_ACTIVATIONS,) if is_met and not options["DYNAMIC_QUANTIZATION_GROUP_SIZE"] else ()


def _options(typed: TypedModel, config: BuildConfig) -> Options:
    """Lowest latency of one request. The precision hint is always given: without it OpenVINO runs FP32 in BF16."""
    options: dict[str, str | int | bool] = {
        "PERFORMANCE_HINT": choice(config.options, "performance_hint", _PERFORMANCE, "latency"),
        "INFERENCE_PRECISION_HINT": precisions.HINTS[typed.hint],
        "ENABLE_CPU_PINNING": choice(config.options, "cpu_pinning", SWITCH, "off"),
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": int(number(config.options, "dynamic_quantization", 0)),
    }
    if config.threads:
        options["INFERENCE_NUM_THREADS"] = config.threads * config.streams
    if config.streams > 1:
        options["NUM_STREAMS"] = config.streams
    if "hyper_threading" in config.options:
        options["ENABLE_HYPER_THREADING"] = choice(config.options, "hyper_threading", SWITCH, "off")
    if choice(config.options, "flush_denormals", SWITCH, "off"):
        options["CPU_DENORMALS_OPTIMIZATION"] = True
    return options
