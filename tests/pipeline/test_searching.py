"""The search: what it proposes on a planted case, and whole searches on a small model with ONNX Runtime."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.pipeline.conftest import Listener, SearchOf, never, to_the_end
from workbench.core.events import Searched
from workbench.core.precision import CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.core.search import (
    Choice,
    Limit,
    LimitKind,
    Measured,
    Point,
    Quality,
    Search,
    Speed,
    Unit,
    next_request,
)
from workbench.model import open_model
from workbench.pipeline import search
from workbench.pipeline.searching.bench import Bench
from workbench.pipeline.searching.moves import needs_units, propose, rungs
from workbench.pipeline.searching.space import Space, plan_of
from workbench.pipeline.searching.state import search_folder
from workbench.pipeline.searching.text import search_document, search_table, summary
from workbench.pipeline.searching.why import decisions
from workbench.precision import asked_precisions
from workbench.precision.matching import Matcher

MSE, MAX = CalibrationMethod.MSE, CalibrationMethod.MAX
NODES = ("n0", "n1", "n2", "n3", "n4")
NOISE = dict(zip(NODES, (5.0, 4.0, 3.0, 2.0, 1.0), strict=True))
SPACE = Space(PrecisionPlan(), (Precision.FP32,), (Precision.INT8,), (MSE, MAX))


def planted_loss(kept: frozenset[str]) -> float:
    """Not monotone: keeping the worst product alone makes it worse, the two worst of the ranking do not help, and the
    cure is a pair that no ranking puts first (facts: 12.3, 9.8, 17 dB at 0, 2, 8 products kept)."""
    loss = 6.0 - 0.2 * len(kept)
    if kept == {"n0"} or kept == {"n0", "n1"}:
        loss += 3.0
    if {"n1", "n3"} <= kept:
        loss = 0.1
    return loss


def planted(choice: Choice) -> Measured:
    kept = frozenset(choice.kept)
    if choice.low is None:
        return _measured(1.0, 0.0)
    ms = 4.0 + 0.8 * len(kept)
    return _measured(10.0 / ms, planted_loss(kept) + (20.0 if choice.method is MAX else 0.0))


def _measured(ratio: float, loss: float) -> Measured:
    quality = Quality("top-1", 0.9 - loss / 100, 0.8, 1.0, 100, 40.0 - loss, loss, loss - 1, loss + 1)
    return Measured(Speed(ratio, ratio - 0.05, ratio + 0.05, 8), quality)


def searched(space: Space, measure: Callable[[Choice], Measured], limit: Limit) -> Search:
    """To its end, with made-up measurements."""
    first = Point(0, PrecisionPlan(), "FP32", "", Choice(Precision.FP32), _measured(1.0, 0.0))
    known = Search("s", limit=limit, points=(first,), baseline_ms=10.0, pinned=space.pinned)
    while True:
        if needs_units(space, known):
            units = tuple(Unit(node, "Conv", node, 0.8, NOISE[node]) for node in NODES)
            known = msgspec.structs.replace(known, units=units)
        candidate = propose(space, known)
        if candidate is None:
            return known
        choice = candidate.choice
        point = Point(len(known.points), PrecisionPlan(), candidate.title, candidate.why, choice, measure(choice))
        known = msgspec.structs.replace(known, points=(*known.points, point))


def test_where_the_ranking_misleads_the_best_is_found_by_measuring() -> None:
    found = searched(SPACE, planted, Limit(LimitKind.LOSS, 0.5))
    every = [frozenset(kept) for count in range(6) for kept in itertools.combinations(NODES, count)]
    fewest = min((kept for kept in every if planted_loss(kept) <= 0.5), key=len)
    assert found.best is not None and found.best.choice is not None
    assert frozenset(found.best.choice.kept) == fewest == {"n1", "n3"}
    assert len(found.points) < 40


def test_every_point_of_the_front_was_measured_and_nothing_was_added_up() -> None:
    told: dict[bytes, Measured] = {}

    def measure(choice: Choice) -> Measured:
        assert choice.key not in told, "measured twice"
        told[choice.key] = planted(choice)
        return told[choice.key]

    found = searched(SPACE, measure, Limit())
    for point in found.front:
        assert point.choice is not None
        assert point.id == 0 or point.first == told[point.choice.key]


def test_the_method_that_finds_better_ranges_is_what_all_else_is_built_on() -> None:
    found = searched(SPACE, planted, Limit())
    mixed = [point.choice for point in found.points if point.choice is not None and point.choice.kept]
    assert sum(choice.method is MSE for choice in mixed) > sum(choice.method is MAX for choice in mixed)
    assert found.best is not None and found.best.choice is not None and found.best.choice.method is MSE


def test_a_search_goes_on_from_any_of_its_points_as_it_would_have() -> None:
    whole = searched(SPACE, planted, Limit())
    for count in range(1, len(whole.points), 5):
        units = whole.units if count > 3 else ()
        half = msgspec.structs.replace(whole, points=whole.points[:count], units=units)
        if not needs_units(SPACE, half):
            candidate = propose(SPACE, half)
            assert candidate is not None and candidate.choice == whole.points[count].choice


def test_pinned_products_are_in_no_question() -> None:
    space = msgspec.structs.replace(SPACE, pinned={"n1": Precision.FP32, "n4": Precision.INT8})
    found = searched(space, planted, Limit())
    for point in found.points[1:]:
        assert point.choice is not None
        assert point.choice.pinned == space.pinned and not {"n1", "n4"} & set(point.choice.kept)
    assert all(one.choice is not None and one.choice.asks("n1") is Precision.FP32 for one in found.allowed)


def test_what_is_slower_than_floats_alone_and_accurate_enough_is_not_kept_any_further() -> None:
    def measure(choice: Choice) -> Measured:
        if choice.low is None:
            return _measured(2.2, 0.0)  # BF16
        return _measured(4.0 - 0.9 * len(choice.kept), 5.0 - 2.5 * len(choice.kept))

    space = msgspec.structs.replace(SPACE, highs=(Precision.FP32, Precision.BF16), methods=(MSE,))
    found = searched(space, measure, Limit(LimitKind.LOSS, 0.5))
    ladder = [point for point in found.points if "cost most accuracy" in point.why]
    assert {len(point.choice.kept) for point in ladder if point.choice is not None} == {1, 2}


def test_rungs_double_and_stay_below() -> None:
    assert rungs(20) == [1, 2, 3, 4, 6, 8, 12, 16]
    assert rungs(1) == []


def test_a_choice_is_written_as_a_small_plan(model_path: Path) -> None:
    model = open_model(model_path)
    matcher = Matcher(model)
    gemm = next(layer.id for layer in model.graph.layers if layer.op == "Gemm")
    conv = next(layer.id for layer in model.graph.layers if layer.op == "Conv")
    for high in (Precision.FP32, Precision.BF16):
        plan = plan_of(SPACE, Choice(high, Precision.INT8, MAX, (gemm,), {conv: Precision.FP16}), matcher)
        asked = asked_precisions(model, plan)
        assert asked[gemm] is high and asked[conv] is Precision.FP16
        others = {layer.id for layer in model.graph.layers if layer.op == "Conv"} - {conv}
        assert {asked[node] for node in others} == {Precision.INT8}
        assert plan.calibration.method is MAX


def test_reasons_are_told_by_what_was_measured_with_and_without() -> None:
    found = searched(SPACE, planted, Limit(LimitKind.LOSS, 0.5))
    assert found.best is not None
    told = {one.sentence: one for one in decisions(found, found.best)}
    together = next(one for text, one in told.items() if text.startswith("These 2 layers stay FP32 (n1, n3)"))
    assert "in INT8 they would cost 5.9 points together and save 29 % of the time." in together.sentence
    assert together.nodes == ("n1", "n3") and together.gain == pytest.approx(5.9)
    ranges = next(one for text, one in told.items() if text.startswith("Ranges by MSE: those by max"))
    assert "would cost 20.0 points and take the same time" in ranges.sentence
    floats = next(one for text, one in told.items() if "run in INT8: in FP32" in text)
    assert floats.without == 0 and "would win 0.1 points and take 79 % more time" in floats.sentence


# whole searches


def test_a_search_measures_plans_and_measures_its_front_again(request_for: SearchOf) -> None:
    listener = Listener()
    found = to_the_end(request_for(methods=(MSE, MAX)), listener)
    assert found.error is None and found.is_over and found.best is not None
    assert found.points[0].title == "FP32" and {"INT8 MSE", "INT8 max"} <= {point.title for point in found.points}
    assert any(point.choice is not None and point.choice.kept for point in found.points)
    assert all(point.again is not None for point in found.front)
    told = listener.of(Searched)
    assert [len(event.search.points) for event in told] == sorted(len(event.search.points) for event in told)
    on_disk = json.loads((search_folder(found.key) / "search.json").read_bytes())
    assert len(on_disk["points"]) == len(found.points)
    assert {unit.op for unit in found.units} == {"Conv", "Gemm"}
    assert all(unit.noise is not None for unit in found.units)


def test_what_was_found_is_told_as_a_table_a_document_and_reasons(request_for: SearchOf) -> None:
    found = to_the_end(request_for())
    assert "FP32" in search_table(found) and len(search_table(found, everything=True).splitlines()) > len(found.points)
    assert found.best is not None and any(f"plan {found.best.id}" in line for line in summary(found))
    document = search_document(found)
    assert document["best"] == found.best.id and set(document["front"]) == {point.id for point in found.front}
    mixed = next(p for p in found.points if p.choice is not None and p.choice.kept and p.choice.low is not None)
    told = decisions(found, mixed)
    assert any("FP32" in one.sentence and "in INT8" in one.sentence and one.nodes == mixed.choice.kept for one in told)
    for one in told:
        without = found.get(one.without)
        assert without is not None and without.seen is not None


def test_a_search_that_was_killed_goes_on_and_measures_nothing_twice(
    request_for: SearchOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    class Killer(Listener):
        def __call__(self, event: object) -> None:
            super().__call__(event)  # type: ignore[arg-type]
            if isinstance(event, Searched) and len(event.search.points) == 3:
                raise Killed

    with pytest.raises(Killed):
        search(request_for(), Killer(), never)
    listener = Listener()
    found = to_the_end(request_for("search-0002"), listener)
    begun = listener.of(Searched)[0].search
    assert len(begun.points) == 3 and found.is_over
    assert found.points[1].first == begun.points[1].first
    ids = [point.id for point in found.points]
    assert ids == list(range(len(ids)))


def test_another_limit_goes_on_from_all_that_is_known(request_for: SearchOf, monkeypatch: pytest.MonkeyPatch) -> None:
    found = to_the_end(request_for())
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "built", None)  # not to be asked again
        again = to_the_end(request_for("search-0002"))
    assert again.error is None and again.points == found.points and again.spent >= found.spent
    listener = Listener()
    other = to_the_end(request_for("search-0003", limit=Limit(LimitKind.SPEEDUP, 1.0)), listener)
    known = {point.id: point.first for point in found.points}
    assert {point.id: point.first for point in other.points if point.id in known} == known
    assert other.limit.is_of_time and other.is_over


def test_on_other_samples_the_front_is_measured_once_more(
    request_for: SearchOf, tmp_path: Path, samples_path: Path
) -> None:
    first = to_the_end(request_for())
    fewer = tmp_path / "fewer.npz"
    with np.load(samples_path) as whole:
        np.savez(fewer, x=whole["x"][:5], y=whole["y"][:5])
    found = to_the_end(request_for("search-0002", confirmation=str(fewer)))
    assert found.is_over and found.confirmation == str(fewer) and len(found.points) == len(first.points)
    assert {point.again.quality.n for point in found.points if point.again is not None} == {5}
    assert {point.first.quality.n for point in found.points if point.first is not None} == {12}


def test_cancelling_leaves_what_was_found(request_for: SearchOf) -> None:
    listener = Listener()

    def cancelled() -> bool:
        return any(len(event.search.points) >= 2 for event in listener.of(Searched))

    found = search(request_for(), listener, cancelled)
    assert found.error is not None and "Cancelled" in found.error.message
    assert len(found.points) >= 2 and found.best is not None


def test_a_candidate_that_took_its_process_down_is_given_up(request_for: SearchOf) -> None:
    class Died(BaseException):
        pass

    class Deadly(Listener):
        def __call__(self, event: object) -> None:
            if isinstance(event, Searched) and event.search.trying is not None:
                raise Died

    with pytest.raises(Died):
        search(request_for(), Deadly(), never)
    found = search(request_for("search-0002", crashes=1), Listener(), never)
    lost = next(point for point in found.points if point.reason)
    assert "died" in lost.reason and lost.seen is None
    assert all(point.title != lost.title or point is lost for point in found.points)


def test_a_plan_of_the_users_own_is_a_candidate_too(request_for: SearchOf) -> None:
    request = request_for()
    plan = PrecisionPlan(rules=(Rule(Precision.INT8, op="Gemm"),))
    config = msgspec.structs.replace(request.run.config, plan=plan)
    run = msgspec.structs.replace(request.run, config=config)
    found = search(msgspec.structs.replace(request, run=run, finish=False), Listener(), never)
    own = found.get(1)
    assert own is not None and own.title == "your plan" and own.plan == plan and own.seen is not None


def test_finishing_tries_nothing_more(request_for: SearchOf) -> None:
    listener = Listener()
    search(request_for(), listener, lambda: len(listener.of(Searched)) > 6)
    count = len(listener.of(Searched)[-1].search.points)
    found = to_the_end(request_for("search-0002", finish=True))
    assert found.is_over and len(found.points) == count


def test_nothing_to_search_is_told_before_anything_is_built(request_for: SearchOf) -> None:
    found = search(request_for(precisions=(Precision.FP32,)), Listener(), never)
    assert found.error is not None and "nothing to search" in found.error.message
    assert next_request(request_for(), found) is None
    found = search(request_for(precisions=(Precision.FP4_WEIGHTS,)), Listener(), never)
    assert found.error is not None and "FP4 weights cannot be searched" in found.error.message
