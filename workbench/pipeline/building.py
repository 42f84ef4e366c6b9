"""Plan -> typed ONNX -> engine, and what the build gave."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter

import msgspec

from workbench.backends.base import Backend, Engine, Feed, load_backend
from workbench.core.dialect import Dialect, How
from workbench.core.graph import Fate, FateKind, Graph, LayerKind
from workbench.core.json import write_json
from workbench.core.model import Model, Shape, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import Build, BuildConfig, EngineGraph
from workbench.measure.machine import peak_rss_bytes
from workbench.model import check_shapes, open_model
from workbench.model.costs import model_costs
from workbench.model.liveness import memory_plan
from workbench.model.sizes import output_sizes
from workbench.pipeline.before_build import check_fits
from workbench.pipeline.calibrating import observations, passes_left_out
from workbench.pipeline.calibration_report import make_report
from workbench.pipeline.engines import Made, make_engine, reuse_sentence
from workbench.pipeline.files import CALIBRATION_FILE, GRAPH_FILE, TYPED_MODEL_FILE
from workbench.pipeline.quantizing import quantized
from workbench.pipeline.record import Record
from workbench.pipeline.samples import resolved_shapes
from workbench.pipeline.tuned import effective
from workbench.precision import compile_plan
from workbench.precision.base import copy_with_branches

QUANTIZABLE = frozenset({"Conv", "ConvTranspose", "MatMul", "Gemm"})
_PRODUCTS = {precision.value for precision in Precision} - {"fp32", "tf32", "bf16", "fp16"}
"""Precisions in which only products are written."""


class Built(msgspec.Struct, frozen=True):
    """What the later steps need of a build."""

    model: Model
    shapes: dict[str, Shape]
    typed: TypedModel
    engine: Engine


def open_step(record: Record) -> tuple[Model, dict[str, Shape]]:
    """The model, and the shape of every input, checked against it."""
    record.progress("open", text=record.run.model_name)
    model = open_model(record.request.model_path)
    record.identify(model)
    for warning in model.warnings:
        record.log(warning, "warning")
    shapes = resolved_shapes(record.request, model)
    check_shapes(model, shapes)
    config = record.request.config
    check_fits(load_backend(config.backend), config, model, shapes)
    return model, shapes


def build(record: Record, backend: Backend, model: Model, shapes: dict[str, Shape], fixed: Feed) -> Built:
    """Calibrates, compiles the plan and builds; the graph and `Build` are on disk afterwards.

    `fixed` are inputs that have one value for good.
    """
    phases: dict[str, float] = {}
    with _timed(phases, "calibrate"):
        config = record.request.config
        overflow = writes_fp16(config.plan, backend.dialect()) and not config.plan.quantizer
        seen, sentence = observations(record, record.request, model, shapes, fixed, overflow=overflow)
        if seen is not None and config.plan.needs_calibration:
            report = make_report(record, record.request, seen, backend.dialect())
            write_json(record.folder / CALIBRATION_FILE, report)
            if Precision.INT8 in config.plan.precisions:
                sentence = f"{sentence} Their form is that of {backend.title}: {backend.dialect().int8_words}."
    with _timed(phases, "plan"):
        record.stop_if_cancelled()
        record.progress("plan", text="writing the precision plan into the ONNX")
        plan = msgspec.structs.replace(config.plan, skip=passes_left_out(config))
        if plan.quantizer:
            typed = quantized(record, model, shapes, fixed)
        else:
            found = seen and seen.observations
            typed = compile_plan(model, plan, backend.dialect(), shapes, record.folder, found, fixed)
        write_json(record.folder / TYPED_MODEL_FILE, typed)
    with _timed(phases, "build"):
        used = effective(typed, config)
        made = _build(record, backend, typed, used.config)
        engine = made.engine
    sizes = output_sizes(copy_with_branches(model, shapes, fixed)[0])
    costs = model_costs(model, shapes)
    write_json(record.folder / GRAPH_FILE, EngineGraph(engine.graph, dict(engine.fates), sizes, costs))
    built = describe(typed, engine, phases, f"{sentence} {used.sentence}".strip())
    notes = (reuse_sentence(made.reused), *built.notes) if made.reused is not None else built.notes
    peak = peak_rss_bytes()
    built = msgspec.structs.replace(built, tuned=used.tuned, reused=made.reused, peak_rss_bytes=peak, notes=notes)
    record.built(built)
    return Built(model, shapes, typed, engine)


def writes_fp16(plan: PrecisionPlan, dialect: Dialect) -> bool:
    """Whether values may overflow: FP16 is asked for, and written into the graph."""
    return Precision.FP16 in plan.precisions and dialect.how.get(Precision.FP16) is How.GRAPH


def _build(record: Record, backend: Backend, typed: TypedModel, config: BuildConfig) -> Made:
    def report(phase: str, done: int, total: int, text: str) -> None:
        inner = tuple(filter(None, phase.split("/")))
        if inner[:1] == ("log",):
            record.log(text, inner[-1] if len(inner) > 1 else "debug")
        else:
            record.progress("build", done, total, text or " › ".join(inner[-1:]), inner)

    record.stop_if_cancelled()
    record.progress("build", text=backend.title)
    request = record.request
    made = make_engine(backend, typed, config, record.folder, report, run=request.id, rebuild=request.rebuild)
    if made.reused is not None:
        record.log(reuse_sentence(made.reused))
    record.stop_if_cancelled()
    return made


def describe(typed: TypedModel, engine: Engine, phases: Mapping[str, float], sentence: str = "") -> Build:
    """The `Build` of an engine: counts of layers, nodes and precisions, and what differs from what was asked."""
    nodes = [layer.id for layer in typed.model.graph.walk()]
    fates = [engine.fates[node] for node in nodes if node in engine.fates]
    known = [fate for fate in fates if fate.kind is not FateKind.UNKNOWN]
    layers = list(engine.graph.walk())
    ran = Counter(str(layer.precision) for layer in layers if layer.kind is LayerKind.COMPUTE and layer.precision)
    ops = {layer.id: layer.op for layer in typed.model.graph.walk()}
    different = differences(typed.asked, engine.fates, engine.graph, ops)
    notes = [*([sentence] if sentence else []), *typed.notes, *engine.notes]
    return Build(
        seconds=sum(phases.values()),
        layers=len(layers),
        source_nodes=len(nodes),
        mapped=len(known),
        mapped_exact=sum(fate.exact for fate in known),
        size_bytes=engine.size_bytes,
        memory=dict(engine.memory),
        plan=plan_figures(engine.graph),
        precisions=dict(ran.most_common()),
        asked=dict(Counter(typed.asked.values()).most_common()),
        phases=dict(phases),
        notes=tuple(dict.fromkeys([*notes, *different])),
        artefact=engine.artefact.name if engine.artefact else "",
        versions=dict(engine.versions),
    )


def plan_figures(graph: Graph) -> dict[str, int]:
    """Of the memory plan by liveness; empty where tensors of the engine have no size: their shapes are free."""
    plan = memory_plan(graph)
    if plan.unknown:
        return {}
    return {"peak": plan.peak_bytes, "pool": plan.pool_bytes, "ends": plan.ends_bytes, "sum": plan.sum_bytes}


def differences(asked: Mapping[str, str], fates: Mapping[str, Fate], graph: Graph, ops: Mapping[str, str]) -> list[str]:
    """Sentences like `Of 51 nodes asked in INT8, 4 ran in FP32: n12 Conv, n40 MatMul, ...`. `ops`: op by node id.

    INT8 and FP8 are asked of Conv, MatMul and Gemm only, whatever the plan's default: nothing else is written in
    them. Weight-only formats are left out: their arithmetic is float by design.
    """
    precision_of = {layer.id: layer.precision for layer in graph.walk()}
    counted = {node: wanted for node, wanted in asked.items() if _is_meant(wanted, ops.get(node, ""))}
    other: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node, wanted in counted.items():
        ran = {str(p) for layer in _layers_of(node, fates) if (p := precision_of.get(layer))}
        if ran and wanted not in ran and not _went_along(ops.get(node, ""), ran):
            other[wanted]["/".join(sorted(ran))].append(f"{node} {ops.get(node, '')}".strip())
    totals = Counter(counted.values())
    return [
        f"Of {totals[wanted]} nodes asked in {_label(wanted)}, {len(nodes)} ran in {_label(ran)}: {_first(nodes)}."
        for wanted, found in other.items()
        for ran, nodes in found.items()
    ]


def _went_along(op: str, ran: set[str]) -> bool:
    """Whether a node runs inside the quantized product before it (its BatchNormalization, its Relu): no difference."""
    return op not in QUANTIZABLE and bool(ran & _PRODUCTS)


def _is_meant(wanted: str, op: str) -> bool:
    if wanted in (Precision.INT8, Precision.FP8):
        return op in QUANTIZABLE
    return not wanted.endswith("_weights")


def _layers_of(node: str, fates: Mapping[str, Fate]) -> tuple[str, ...]:
    return fates[node].layers if node in fates else ()


def _first(nodes: list[str], count: int = 6) -> str:
    return ", ".join(nodes[:count]) + (" …" if len(nodes) > count else "")


def _label(names: str) -> str:
    return "/".join(Precision(name).label for name in names.split("/"))


@contextmanager
def _timed(phases: dict[str, float], name: str) -> Iterator[None]:
    start = perf_counter()
    yield
    phases[name] = perf_counter() - start
