from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.pipeline.conftest import RequestOf, null
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph
from workbench.core.model import Model, TensorSpec
from workbench.core.run import LatencyStats, Run, RunError, RunRequest, Status, Timing
from workbench.pipeline.record import new_run
from workbench.pipeline.sweeping import Point, best_within, grid, sweep

IDS = TensorSpec("ids", "int64", ("n", "length"))
MASK = TensorSpec("mask", "int64", ("n", "length"))
SHAPES = {"ids": (1, 64), "mask": (1, 64)}


@pytest.fixture
def model() -> Model:
    return Model("m.onnx", Graph("g"), 17, 8, "test", 1, 0, 0, "0", inputs=(IDS, MASK), outputs=(), shapes={})


def test_a_grid_sizes_every_input_that_has_the_dimension(model: Model) -> None:
    points = grid(model, SHAPES, {"batch": [1, 4], "length": [16]}, [1, 2])
    assert [(p.dims, p.threads) for p in points] == [
        ({"batch": 1, "length": 16}, 1),
        ({"batch": 1, "length": 16}, 2),
        ({"batch": 4, "length": 16}, 1),
        ({"batch": 4, "length": 16}, 2),
    ]
    assert points[2].shapes == {"ids": (4, 16), "mask": (4, 16)}
    assert points[2].batch == 4
    assert SHAPES == {"ids": (1, 64), "mask": (1, 64)}


def test_a_dimension_that_is_not_free_is_named_with_those_that_are(model: Model) -> None:
    with pytest.raises(WorkbenchError, match="free dimension 'height'") as caught:
        grid(model, SHAPES, {"height": [1]}, [])
    assert "n, length" in caught.value.hint


def test_a_grid_that_would_take_for_ever_is_refused(model: Model) -> None:
    with pytest.raises(WorkbenchError, match="250 points"):
        grid(model, SHAPES, {"length": range(1, 251)}, [])


def timed(request: RunRequest) -> Run:
    """Two ms, and one more for each sample: what batches are good for."""
    ms = 2.0 + request.config.shapes["ids"][0]
    stats = LatencyStats(ms, ms, ms, ms, ms, ms, ms, ms, 0.0, 10)
    return msgspec.structs.replace(new_run(request), status=Status.DONE, seconds=1.0, timing=Timing(stats=stats))


@pytest.fixture
def points(model: Model) -> list[Point]:
    return grid(model, SHAPES, {"batch": [1, 2, 8]}, [])


@pytest.fixture
def request_(request_of: RequestOf) -> RunRequest:
    return request_of("sweep-0001", config=null(1.0))


def folders(tmp_path: Path) -> object:
    ids = iter(range(100))

    def new() -> tuple[str, Path]:
        name = f"run-{next(ids):04d}"
        return name, tmp_path / name

    return new


def test_the_best_throughput_is_that_within_the_limit(
    points: list[Point], request_: RunRequest, tmp_path: Path
) -> None:
    swept = sweep(request_, points, [], timed, folders(tmp_path))  # type: ignore[arg-type]
    assert [round(one.samples_per_second or 0) for one in swept] == [333, 500, 800]
    assert best_within(swept) is swept[2]
    assert best_within(swept, 5.0) is swept[1]
    assert best_within(swept, 1.0) is None


def test_a_sweep_that_was_ended_goes_on_where_it_was(points: list[Point], request_: RunRequest, tmp_path: Path) -> None:
    done: list[Run] = []

    def until_the_second(request: RunRequest) -> Run:
        if len(done) == 2:
            return msgspec.structs.replace(new_run(request), status=Status.CANCELLED, error=RunError("Cancelled."))
        done.append(timed(request))
        return done[-1]

    first = sweep(request_, points, [], until_the_second, folders(tmp_path))  # type: ignore[arg-type]
    assert [one.run.status for one in first] == [Status.DONE, Status.DONE, Status.CANCELLED]
    asked: list[RunRequest] = []
    again = sweep(request_, points, done, lambda one: asked.append(one) or timed(one), folders(tmp_path))  # type: ignore[arg-type,func-returns-value]
    assert [one.is_known for one in again] == [True, True, False]
    assert len(asked) == 1


def test_the_time_that_is_left_follows_what_was_seen(points: list[Point], request_: RunRequest, tmp_path: Path) -> None:
    left: list[float] = []
    sweep(request_, points, [], timed, folders(tmp_path), lambda done, point, seconds: left.append(seconds))  # type: ignore[arg-type]
    assert left[1:] == [2.0, 1.0]  # each run took one second
