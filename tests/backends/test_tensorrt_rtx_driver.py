"""The logic of running an engine, on a driver that records: buffers, shapes, profiles, events, the runtime cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.backends.gpu_fakes import Engine, Memory, artefact, module
from workbench.backends.tensorrt_rtx import runtime
from workbench.backends.tensorrt_rtx.context import runtime_cache_path
from workbench.backends.tensorrt_rtx.runtime import TensorRtRunner
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph, Layer, Tensor

GRAPH = Graph(
    "g",
    (Layer("l0", "double", "Mul"),),
    {"x": Tensor("x", (1, "n"), "float32"), "y": Tensor("y", (1, "n"), "float32")},
    ("x",),
    ("y",),
)
Profiles = tuple[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]], ...]
ANY: Profiles = (((1, 1), (1, 4), (1, 64)),)
Made = Callable[..., tuple[TensorRtRunner, Engine, Memory]]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))

    def make(
        profiles: Profiles = ANY,
        *,
        free: bool = False,
        layers: bool = False,
        **options: str,
    ) -> tuple[TensorRtRunner, Engine, Memory]:
        memory = Memory()
        engine = Engine(memory, profiles, free=free)
        monkeypatch.setattr(runtime, "open_buffers", lambda: memory)
        monkeypatch.setattr(runtime, "load_module", lambda: module(engine))
        return TensorRtRunner(artefact(tmp_path), GRAPH, options, layers=layers), engine, memory

    return make


def feed(*values: float) -> dict[str, np.ndarray]:
    return {"x": np.asarray([values], np.float32)}


def test_inputs_go_to_the_device_and_outputs_come_back(made: Made) -> None:
    runner, _, memory = made()
    with runner:
        assert runner.infer(feed(1, 2, 3))["y"].tolist() == [[2, 4, 6]]
        assert runner.infer(feed(5))["y"].tolist() == [[10]]
    assert memory.closed


def test_a_buffer_is_kept_until_more_is_needed(made: Made) -> None:
    runner, _, memory = made()
    with runner:
        for values in ((1, 2), (3,), (4, 5), (6, 7, 8)):
            runner.infer(feed(*values))
    assert memory.sizes == [8, 8, 12, 12]


def test_time_is_that_between_two_events_and_an_input_is_copied_once(made: Made) -> None:
    runner, _, memory = made()
    one, other = feed(1, 2), feed(3, 4)
    with runner:
        assert [runner.time(one) for _ in range(3)] == [1.0, 1.0, 1.0]
        assert memory.writes == 1
        assert runner.time(other) == 1.0
        assert memory.writes == 2
        assert runner.infer(one)["y"].tolist() == [[2, 4]]


def test_the_profile_that_holds_the_shape_is_chosen(made: Made) -> None:
    small, large = ((1, 1), (1, 2), (1, 4)), ((1, 5), (1, 8), (1, 16))
    runner, engine, _ = made((small, large))
    with runner:
        runner.infer(feed(*range(8)))
        assert engine.context.active_optimization_profile == 1
        runner.infer(feed(1))
        assert engine.context.active_optimization_profile == 0
        with pytest.raises(WorkbenchError, match=r"No optimization profile of this engine holds x \[1, 17\]"):
            runner.infer(feed(*range(17)))


def test_an_output_whose_shape_depends_on_the_data_is_read_as_it_came_out(made: Made) -> None:
    runner, _, _ = made(free=True)
    with runner:
        assert runner.infer(feed(1, -1, 3))["y"].tolist() == [2, 6]
        assert runner.infer(feed(-1, -1, -1))["y"].shape == (0,)
        assert runner.infer(feed(1, 2, 3, 4))["y"].tolist() == [2, 4, 6, 8]
        assert runner.time(feed(1, 2)) == 1.0


def test_layers_are_timed_by_inference_and_without_a_cuda_graph(made: Made) -> None:
    runner, engine, _ = made(layers=True, cuda_graphs="on")
    with runner:
        for _ in range(4):
            runner.time(feed(1))
        assert runner.layer_times() == {"l0": 0.25}
    assert engine.config.cuda_graph_strategy == "no graph"


@pytest.mark.parametrize(("word", "strategy"), [("on", "graph"), ("off", "no graph"), ("", "no graph")])
def test_a_cuda_graph_is_replayed_where_that_is_asked_for(made: Made, word: str, strategy: str) -> None:
    runner, engine, _ = made(**({"cuda_graphs": word} if word else {}))
    with runner:
        assert engine.config.cuda_graph_strategy == strategy
        assert engine.config.dynamic_shapes_kernel_specialization_strategy == "eager"


def test_compiled_kernels_are_kept_for_the_next_start_and_written_only_if_there_are_more(made: Made) -> None:
    runner, _, _ = made()
    with runner:
        assert not runtime_cache_path().exists()
    written = runtime_cache_path().stat().st_mtime_ns
    assert runtime_cache_path().read_bytes() == b"double"
    runner, engine, _ = made()
    with runner:
        assert engine.config.cache is not None
        assert engine.config.cache.kernels == b"double"
    assert runtime_cache_path().stat().st_mtime_ns == written


def test_an_inference_that_fails_is_told(made: Made) -> None:
    runner, engine, memory = made()
    engine.context.runs = False
    with runner, pytest.raises(WorkbenchError, match="could not run"):
        runner.infer(feed(1))
    assert memory.closed
