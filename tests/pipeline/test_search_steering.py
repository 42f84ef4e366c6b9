"""What a search is asked anew: other precisions, samples and plans; and what it says of models without floats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.model import making
from tests.pipeline.conftest import Listener, SearchOf, never, to_the_end
from workbench.backends.base import Backend, load_backend
from workbench.core.errors import WorkbenchError
from workbench.core.events import Searched
from workbench.core.precision import CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.core.recipe import Recipe
from workbench.core.run import BuildConfig
from workbench.core.search import Limit, LimitKind, Point, Search, SearchRequest
from workbench.pipeline import search
from workbench.pipeline.searching.bench import Bench, Built
from workbench.pipeline.searching.driver import LOOKING
from workbench.pipeline.searching.space import space_of

MOST_ACCURATE = Limit(LimitKind.SPEEDUP, 0.0)


def precisions_of(points: tuple[Point, ...]) -> set[Precision | None]:
    return {precision for point in points if point.choice for precision in (point.choice.high, point.choice.low)}


def test_precisions_that_are_asked_for_later_are_tried_and_others_are_on_no_front(request_for: SearchOf) -> None:
    first = to_the_end(request_for(limit=MOST_ACCURATE))
    other = to_the_end(request_for("search-0002", limit=MOST_ACCURATE, precisions=(Precision.FP16,)))
    assert other.is_over and [point.first for point in other.points[: len(first.points)]] == [
        point.first for point in first.points
    ]
    assert {point.title for point in other.points} - {point.title for point in first.points} == {"FP16"}
    assert precisions_of(other.front) <= {Precision.FP32, Precision.FP16, None}
    both = to_the_end(request_for("search-0003", limit=MOST_ACCURATE, precisions=(Precision.INT8, Precision.FP16)))
    assert "INT8/FP16 MSE" in {point.title for point in both.points}
    assert len(both.allowed) == len(both.measured)


def test_methods_that_are_asked_for_later_are_tried(request_for: SearchOf) -> None:
    to_the_end(request_for())
    found = to_the_end(request_for("search-0002", methods=(CalibrationMethod.MAX,)))
    assert "INT8 max" in {point.title for point in found.points}


def test_all_that_is_pinned_with_floats_around_is_a_plan_too(request_for: SearchOf) -> None:
    found = to_the_end(request_for(pinned={"n7": Precision.INT8}))
    assert "FP32, 1 pinned" in {point.title for point in found.measured}
    found = to_the_end(request_for("search-0002", pinned={"n7": Precision.FP32}))
    assert "INT8 MSE, 1 pinned" in {point.title for point in found.measured}
    assert [point.id for point in found.allowed if point.choice and point.choice.low is None] == [0]


def hinting(request_for: SearchOf, **fields: Any) -> SearchRequest:
    """For OpenVINO, which has BF16 for the whole model only."""
    return request_for(run={"config": BuildConfig(backend="openvino", threads=1)}, **fields)


@pytest.fixture
def backend() -> Backend:
    found = load_backend("openvino")
    if found.capabilities().precisions.get(Precision.BF16):
        pytest.skip("no BF16 on this processor")
    return found


def test_a_node_is_pinned_to_nothing_that_is_for_the_whole_model(request_for: SearchOf, backend: Backend) -> None:
    with pytest.raises(WorkbenchError, match="No node can be pinned to BF16: OpenVINO"):
        space_of(hinting(request_for, precisions=(), pinned={"n0": Precision.BF16}), backend)


def test_a_pin_to_fp32_leaves_out_what_would_overrule_it(request_for: SearchOf, backend: Backend) -> None:
    assert Precision.BF16 in space_of(hinting(request_for, precisions=()), backend).highs
    assert space_of(hinting(request_for, precisions=(), pinned={"n0": Precision.FP32}), backend).highs == (
        Precision.FP32,
    )


def test_another_calibration_set_in_the_same_place_is_another_search(request_for: SearchOf, tmp_path: Path) -> None:
    place, random = tmp_path / "calibration.npy", np.random.default_rng(1)
    keys = set()
    for scale in (1.0, 5.0, 1.0):
        np.save(place, (scale * np.random.default_rng(1).normal(size=(9, 3, 8, 8))).astype(np.float32))
        found = search(
            request_for(f"search-{random.integers(9999)}", run={"calibration": str(place)}, seconds=0.0),
            Listener(),
            never,
        )
        keys.add(found.key)
    assert len(keys) == 2


def test_a_plan_that_was_interrupted_is_measured_at_the_next_start(request_for: SearchOf) -> None:
    plan = PrecisionPlan(rules=(Rule(Precision.INT8, op="Gemm"),))
    run = {"config": BuildConfig(backend="onnxruntime", threads=1, plan=plan)}
    listener = Listener()
    begun = search(request_for(run=run), listener, lambda: bool(_points(listener)))
    assert len(begun.points) == 1 and begun.error is not None
    found = to_the_end(request_for("search-0002", run=run))
    assert [point.title for point in found.points].count("your plan") == 1


def _points(listener: Listener) -> tuple[Point, ...]:
    told: list[Searched] = listener.of(Searched)
    return told[-1].search.points if told else ()


def test_products_are_ranked_by_time_alone_where_looking_at_them_took_the_process_down(request_for: SearchOf) -> None:
    """Large models may not fit into memory a third time; the search goes on without."""

    class Died(BaseException):
        pass

    class Deadly(Listener):
        def __call__(self, event: object) -> None:
            if isinstance(event, Searched) and event.search.phase == LOOKING:
                raise Died

    with pytest.raises(Died):
        search(request_for(), Deadly(), never)
    found = to_the_end(request_for("search-0002", crashes=1))
    assert found.error is None and found.is_over
    assert found.units and all(unit.noise is None for unit in found.units)
    assert any(point.choice is not None and point.choice.kept for point in found.measured)


def test_plans_are_written_by_the_workbench_whoever_writes_the_documents(request_for: SearchOf) -> None:
    plan = PrecisionPlan(Precision.INT8, (Rule(Precision.FP32, op="Gemm"),), quantizer="ort:int8")
    found = to_the_end(request_for(run={"config": BuildConfig(backend="onnxruntime", threads=1, plan=plan)}))
    assert found.error is None and not any(point.reason or point.plan.quantizer for point in found.points)
    assert "your plan" not in {point.title for point in found.points}


@pytest.mark.parametrize("step", ["_open", "quality"])
def test_a_plan_that_fails_when_it_is_measured_again_is_not_claimed_and_the_others_are(
    request_for: SearchOf, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    plain = getattr(Bench, step)

    def failing(self: Bench, on: Built | PrecisionPlan, *others: Any) -> Any:
        asked = on.default if isinstance(on, PrecisionPlan) else on.lane.typed.asked.values()
        if "int8" in asked:
            raise WorkbenchError("NaN is no answer.")
        return plain(self, on, *others)

    found = search(request_for(limit=MOST_ACCURATE), Listener(), never)
    assert any(point.choice is not None and point.choice.low is not None for point in found.points)
    monkeypatch.setattr(Bench, step, failing)
    again = search(request_for("search-0002", limit=MOST_ACCURATE), Listener(), never)
    assert again.error is None and again.is_over
    lost = [point for point in again.points if point.reason]
    assert lost and all("measured again" in point.reason and point.seen is None for point in lost)
    assert again.best is not None and not again.best.reason


# models without floats, or without products


def int_model(folder: Path) -> Path:
    """Its one output is the place of the largest of ten sums."""
    weights = np.random.default_rng(2).normal(size=(32, 10)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("ArgMax", ["h"], ["y"], axis=1, keepdims=0),
    ]
    output = helper.make_tensor_value_info("y", TensorProto.INT64, [64])
    proto = making.model(nodes, [making.value("x", (64, 32))], [output])
    proto.graph.initializer.append(numpy_helper.from_array(weights, "w"))
    return making.save(proto, folder, "places.onnx")


def test_outputs_without_floats_are_judged_by_the_share_of_equal_values(request_for: SearchOf, tmp_path: Path) -> None:
    path = int_model(tmp_path)
    run = {"model_path": str(path), "calibration": "random", "evaluation": "random", "recipe": Recipe()}
    found = to_the_end(request_for(run=run, precisions=(Precision.INT8,)))
    low = next(point.first for point in found.points if point.title == "INT8 MSE")
    assert low is not None and low.quality.metric == "agreement" and low.quality.is_share
    assert 0.9 < low.quality.value < 1.0
    assert low.quality.loss == pytest.approx(100 * (1 - low.quality.value))
    assert low.quality.loss_low <= low.quality.loss <= low.quality.loss_high
    assert low.quality.sqnr_db < 40.0
    first = found.points[0].first
    assert first is not None and first.quality.value == 1.0 and first.quality.loss == 0.0


def test_halves_are_found_where_nothing_can_be_quantized(
    request_for: SearchOf, tmp_path: Path, samples_path: Path
) -> None:
    proto = making.model([helper.make_node("Tanh", ["x"], ["y"])], [making.value("x")], [making.value("y")])
    path = making.save(proto, tmp_path, "tanh.onnx")
    for index, source in enumerate(("random", str(tmp_path / "x.npy"))):
        np.save(tmp_path / "x.npy", np.zeros((4, *_shape(path)), np.float32))
        run = {"model_path": str(path), "calibration": source, "evaluation": "random", "recipe": Recipe()}
        request = request_for(f"search-{index}", run=run, precisions=(Precision.FP16,))
        found: Search = to_the_end(request)
        assert [(point.title, point.reason) for point in found.points] == [("FP32", ""), ("FP16", "")]


def _shape(path: Path) -> tuple[int, ...]:
    dims = onnx.load(path).graph.input[0].type.tensor_type.shape.dim
    return tuple(dim.dim_value for dim in dims)[1:]
