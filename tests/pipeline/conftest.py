from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from workbench.core.events import AnyEvent
from workbench.core.precision import CalibrationMethod, Precision
from workbench.core.recipe import Recipe, Task, TaskKind
from workbench.core.run import BuildConfig, RunRequest, TimingConfig
from workbench.core.search import Search, SearchRequest, next_request
from workbench.measure.timing import stop_if
from workbench.pipeline import search
from workbench.pipeline.lanes import Lane
from workbench.pipeline.searching import bench

QUICK = TimingConfig(warmup_ms=0, warmup_iterations=1, seconds=0.05, min_iterations=7)
RequestOf = Callable[..., RunRequest]
SearchOf = Callable[..., SearchRequest]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the user's is read or written."""
    home = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conv + Relu, Conv + Add + Relu, mean, Gemm: 7 nodes, 4 classes, one odd node name."""
    random = np.random.default_rng(3)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        return numpy_helper.from_array((random.normal(size=shape) * 0.3).astype(np.float32), name)

    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w0"], ["a"], name="<script>alert(1)</script>", pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "w1"], ["c"], pads=[1, 1, 1, 1]),
        node("Add", ["c", "b"], ["d"]),
        node("Relu", ["d"], ["e"]),
        node("GlobalAveragePool", ["e"], ["f"]),
        node("Flatten", ["f"], ["g"]),
        node("Gemm", ["g", "w2"], ["scores"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", 4])],
        [weights("w0", 8, 3, 3, 3), weights("w1", 8, 8, 3, 3), weights("w2", 4, 8)],
    )
    path = tmp_path_factory.mktemp("model") / "small <b>.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture(scope="session")
def samples_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 samples with labels 0..3, as arrays."""
    path = tmp_path_factory.mktemp("samples") / "small.npz"
    x = np.random.default_rng(4).normal(size=(12, 3, 8, 8)).astype(np.float32)
    np.savez(path, x=x, y=np.arange(12) % 4)
    return path


@pytest.fixture
def request_of(tmp_path: Path, model_path: Path) -> RequestOf:
    """A quick request on the small model; `config` and other fields can be given."""

    def make(run_id: str = "run-0001", *, config: BuildConfig | None = None, **fields: Any) -> RunRequest:
        values = {"model_path": str(model_path), "timing": QUICK} | fields
        return RunRequest(id=run_id, folder=str(tmp_path / run_id), config=config or null(), **values)

    return make


def null(latency_ms: float = 0.2, **options: str) -> BuildConfig:
    """The backend that computes nothing."""
    return BuildConfig(backend="null", threads=1, options={"latency_ms": str(latency_ms), **options})


class Listener:
    """Keeps events."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []

    def __call__(self, event: AnyEvent) -> None:
        self.events.append(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def never() -> bool:
    return False


@pytest.fixture
def request_for(request_of: RequestOf, samples_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SearchOf:
    """A search on the small model with ONNX Runtime, timed by its plans and not by a clock."""
    monkeypatch.setattr(bench, "ROUND_SECONDS", 0.0)
    monkeypatch.setattr(bench, "LAYER_SECONDS", 0.0)
    monkeypatch.setattr("workbench.pipeline.searching.driver.AGAIN_SECONDS", 0.0)
    monkeypatch.setattr("workbench.pipeline.lanes._visit", _visit_by_plan)

    def make(job: str = "search-0001", *, run: dict[str, Any] | None = None, **fields: Any) -> SearchRequest:
        given = {
            "config": BuildConfig(backend="onnxruntime", threads=1),
            "calibration": str(samples_path),
            "evaluation": str(samples_path),
            "recipe": Recipe(task=Task(TaskKind.CLASSIFICATION)),
        }
        values = {"precisions": (Precision.INT8,), "methods": (CalibrationMethod.MSE,), "seconds": 600.0} | fields
        return SearchRequest(job, str(tmp_path / job), request_of("", **(given | (run or {}))), **values)

    return make


def _visit_by_plan(lane: Lane, cancelled: Callable[[], bool]) -> float:
    """The engine runs; its time is told by its plan: a ms less for every node that is not in FP32, on any machine."""
    stop_if(cancelled)
    lane.runner.time(next(lane.turns))
    lane.latencies.append(10.0 - sum(precision != "fp32" for precision in lane.typed.asked.values()))
    return lane.latencies[-1]


def to_the_end(request: SearchRequest, listener: Listener | None = None) -> Search:
    going: SearchRequest | None = request
    while going is not None:
        found = search(going, listener or Listener(), never)
        going = next_request(going, found)
    return found
