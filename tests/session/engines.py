"""A model with two finished runs on disk: FP32 and INT8 of the same eight nodes, cut differently. No process runs."""

from __future__ import annotations

from tests.pipeline.fusing import fp32, int8, source
from workbench.core.json import write_json
from workbench.core.model import Model, TensorSpec
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.recipe import Recipe
from workbench.core.run import Build, BuildConfig, EngineGraph, LatencyStats, Run, Status, Timing
from workbench.pipeline.files import GRAPH_FILE
from workbench.session.questions import Opened
from workbench.session.session import Session
from workbench.store import Store

MS = {
    "fp32": {"l0": 0.1, "l1": 1.0, "l2": 2.0, "l3": 0.5},
    "int8": {"l0": 0.2, "l1": 0.4, "l2": 0.6, "l3": 0.3, "l4": 0.5},
}
SHA = "5" * 64


def model() -> Model:
    spec = TensorSpec("x", "float32", (1, 250))
    return Model(
        path="/models/eight.onnx",
        graph=source(),
        opset=17,
        ir_version=8,
        producer="hand",
        size_bytes=1000,
        weights_bytes=500,
        parameters=125,
        sha256=SHA,
        inputs=(spec,),
        outputs=(TensorSpec("y", "float32", (1, 250)),),
        shapes={"x": (1, 250)},
    )


def save_run(store: Store, precision: Precision, engine: EngineGraph, times: dict[str, float]) -> Run:
    run_id, folder = store.new_folder()
    total = sum(times.values())
    stats = LatencyStats(total, total, total, total, total, total, total, total, 0.5, 100) if times else None
    run = Run(
        id=run_id,
        model="/models/eight.onnx",
        model_sha256=SHA,
        model_name="eight",
        config=BuildConfig(backend="null", plan=PrecisionPlan(default=precision)),
        status=Status.DONE,
        created="2026-01-01T00:00:00Z",
        build=Build(
            seconds=1.0, layers=len(engine.graph.layers), source_nodes=8, mapped=8, mapped_exact=8, size_bytes=1
        ),
        timing=Timing(stats=stats, layers=times, layers_sum_ms=total, reason="" if times else "no such GPU here"),
    )
    write_json(folder / GRAPH_FILE, engine)
    store.save(run)
    return run


def two_runs(*, timed: bool = True) -> tuple[Run, Run]:
    """FP32 and INT8, in the store that the next session opens."""
    store = Store()
    times = MS if timed else {"fp32": {}, "int8": {}}
    first = save_run(store, Precision.FP32, fp32(), times["fp32"])
    return first, save_run(store, Precision.INT8, int8(), times["int8"])


def take(session: Session) -> None:
    """Opens the model of the two runs; the newest, INT8, becomes the current one."""
    session.take(Opened(model(), Recipe()))
