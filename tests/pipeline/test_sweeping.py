from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.pipeline.conftest import Listener, RequestOf, never, null
from workbench.core.errors import WorkbenchError
from workbench.core.events import Progress
from workbench.core.graph import Graph
from workbench.core.model import Model, TensorSpec
from workbench.core.run import BuildConfig, Run, RunError, RunRequest, Status, Throughput
from workbench.core.sweep import Point, Sweep, SweepRequest, Swept, best_within, front
from workbench.model import open_model
from workbench.pipeline import run, sweep
from workbench.pipeline.sweep_grid import grid, kept_sweep, seconds_for, sweep_key, sweep_timing

IDS = TensorSpec("ids", "int64", ("n", "length"))
MASK = TensorSpec("mask", "int64", ("n", "length"))
PAST = TensorSpec("past", "float32", ("n", "length + 1"))
SHAPES = {"ids": (1, 64), "mask": (1, 64), "past": (1, 65)}
BRIEF = msgspec.structs.replace(sweep_timing(0.05), warmup_ms=0.0, warmup_iterations=1)


@pytest.fixture
def model() -> Model:
    return Model("m.onnx", Graph("g"), 17, 8, "test", 1, 0, 0, "0", inputs=(IDS, MASK, PAST), outputs=(), shapes={})


def test_a_grid_sizes_every_input_that_has_the_dimension_and_what_follows_from_it(model: Model) -> None:
    points = grid(model, SHAPES, {"batch": [1, 4], "length": [16]}, [1, 2], [3])
    assert [(p.dims, p.threads, p.streams) for p in points] == [
        ({"batch": 1, "length": 16}, 1, 3),
        ({"batch": 1, "length": 16}, 2, 3),
        ({"batch": 4, "length": 16}, 1, 3),
        ({"batch": 4, "length": 16}, 2, 3),
    ]
    assert points[2].shapes == {"ids": (4, 16), "mask": (4, 16), "past": (4, 17)}
    assert points[2].batch == 4
    assert points[2].words == "batch 4, length 16, 1 thread, 3 streams"


def test_a_grid_without_values_is_the_model_as_it_is(model: Model) -> None:
    (only,) = grid(model, SHAPES, {})
    assert (only.shapes, only.threads, only.streams, only.batch) == (SHAPES, 0, 1, 1)


@pytest.mark.parametrize(
    ("shape", "dims", "batches"),
    [
        (("seq", "batch", 64), {"batch": [1, 4]}, [1, 4]),  # sequences first
        (("seq", "batch", 64), {"seq": [16, 32]}, [3, 3]),
        (("batch", 64), {}, [3]),
        ((8, "seq"), {"seq": [16, 32]}, [8, 8]),  # fixed
        (("boxes", 4), {"batch": [1, 4]}, [1, 4]),  # what stands first serves as batch where it is swept as that
        (("boxes", 4), {"boxes": [1, 4]}, [1, 1]),
    ],
)
def test_samples_are_counted_by_the_batch_wherever_it_stands(
    shape: tuple[int | str, ...], dims: dict[str, list[int]], batches: list[int]
) -> None:
    spec = TensorSpec("x", "float32", shape)
    model = Model("m.onnx", Graph("g"), 17, 8, "test", 1, 0, 0, "0", inputs=(spec,), outputs=(spec,), shapes={})
    points = grid(model, {"x": tuple(3 if isinstance(dim, str) else dim for dim in shape)}, dims)
    assert [point.batch for point in points] == batches


def test_a_dimension_that_is_not_free_is_named_with_those_that_are(model: Model) -> None:
    with pytest.raises(WorkbenchError, match="free dimension 'height'") as caught:
        grid(model, SHAPES, {"height": [1]})
    assert "n, length" in caught.value.hint


def test_a_grid_that_would_take_for_ever_is_refused(model: Model) -> None:
    with pytest.raises(WorkbenchError, match="250 points"):
        grid(model, SHAPES, {"length": range(1, 251)})


def swept(batch: int, median_ms: float, per_second: float) -> Swept:
    point = Point({"batch": batch}, 1, {"x": (batch, 3)}, batch)
    return Swept(point, median_ms, 2 * median_ms, Throughput(per_second, per_second, per_second), 2.0)


KNOWN = (swept(1, 2.0, 500.0), swept(4, 6.0, 150.0), swept(8, 7.0, 100.0))


def test_the_best_throughput_is_that_within_the_limit() -> None:
    assert [one.samples_per_second for one in KNOWN] == [500, 600, 800]
    assert best_within(KNOWN) is KNOWN[2]
    assert best_within(KNOWN, 6.5) is KNOWN[1]
    assert best_within(KNOWN, 1.0) is None


def test_the_front_leaves_out_what_another_beats_in_both() -> None:
    slower_and_less = swept(2, 6.5, 100.0)
    assert front([slower_and_less, *KNOWN]) == list(KNOWN)


def test_a_million_samples_cost_what_the_machine_takes_for_them() -> None:
    assert KNOWN[0].cost_per_million(3.6) == pytest.approx(2.0)  # 2000 s at 3.6 an hour
    assert Swept(KNOWN[0].point, reason="It crashed.").cost_per_million(3.6) == 0.0


def test_the_time_that_is_left_follows_what_was_seen() -> None:
    sweep_ = Sweep("s", "key", KNOWN)
    points = [one.point for one in KNOWN]
    assert seconds_for(points, sweep_, BRIEF) == 0.0
    assert seconds_for(points, Sweep("s", "key", KNOWN[:1]), BRIEF) == pytest.approx(4.0)


@pytest.fixture
def request_(request_of: RequestOf, tmp_path: Path) -> SweepRequest:
    one = request_of("", config=null(0.5), timing=BRIEF)
    opened = open_model(Path(one.model_path))
    points = grid(opened, opened.shapes, {"batch": [1, 4]}, [1], [1, 2])
    return SweepRequest("sweep-0001", str(tmp_path / "sweep"), sweep_key("sha", one, "1"), one, tuple(points))


def test_every_point_is_measured_with_all_its_streams_and_kept(request_: SweepRequest) -> None:
    listener = Listener()
    result = sweep(request_, listener, never)
    assert result.error is None
    assert [(one.point.batch, one.throughput.streams) for one in result.points if one.throughput] == [
        (1, 1),
        (1, 2),
        (4, 1),
        (4, 2),
    ]
    assert all(one.median_ms > 0 and one.samples_per_second > 0 for one in result.points)
    assert kept_sweep(request_.key).points == result.points
    assert result.machine["cpu"] and "all streams at work" in result.protocol
    assert all(one.machine["cpu"] for one in result.points)
    assert not (Path(request_.folder) / "point").exists()
    assert any(event.total == 4 for event in listener.events if isinstance(event, Progress))


def test_a_sweep_that_was_ended_goes_on_where_it_was(request_: SweepRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[BuildConfig] = []

    def until_the_third(one: RunRequest, emit: object, cancelled: Callable[[], bool]) -> Run:
        asked.append(one.config)
        found = run(one, lambda event: None, cancelled)
        is_ended = len(asked) == 3
        return msgspec.structs.replace(found, status=Status.CANCELLED) if is_ended else found

    monkeypatch.setattr("workbench.pipeline.sweeping.run", until_the_third)
    first = sweep(request_, Listener(), never)
    assert first.error == RunError("Cancelled.")
    assert len(first.points) == 2
    again = sweep(request_, Listener(), never)
    assert again.error is None and len(again.points) == 4
    assert len(asked) == 5  # the third one twice


def test_a_point_that_cannot_be_built_stands_with_its_reason_and_is_tried_again(request_: SweepRequest) -> None:
    bad = msgspec.structs.replace(request_.run, config=null(0.5, fail="No such kernel."))
    broken = msgspec.structs.replace(request_, run=bad)
    result = sweep(broken, Listener(), never)
    assert result.error is None
    assert [one.reason for one in result.points] == ["No such kernel."] * 4
    assert all(one.throughput for one in sweep(request_, Listener(), never).points)
