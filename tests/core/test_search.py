"""The front of a search, its knee and its best, by rules that can be told by hand."""

from __future__ import annotations

import msgspec
import pytest

from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import RunError, RunRequest
from workbench.core.search import (
    Choice,
    Limit,
    LimitKind,
    Measured,
    Point,
    Quality,
    Search,
    SearchRequest,
    Speed,
    knee_of,
    next_request,
)


def point(number: int, ratio: float, loss: float, **more: object) -> Point:
    quality = Quality("top-1", 0.9 - loss / 100, 0.85, 0.95, 100, 30.0 - loss, loss)
    first = Measured(Speed(ratio, ratio - 0.1, ratio + 0.1, 8), quality)
    return msgspec.structs.replace(Point(number, PrecisionPlan(), f"p{number}", "why", first=first), **more)


def search(*points: Point, limit: Limit = Limit()) -> Search:  # noqa: B008  frozen
    return Search("s", "key", limit, 600.0, points=points, baseline_ms=10.0)


FOUND = search(point(0, 1.0, 0.0), point(1, 3.0, 5.0), point(2, 2.5, 0.4), point(3, 2.0, 0.4), point(4, 1.5, -0.1))


def test_the_front_is_what_nothing_else_dominates_the_fastest_first() -> None:
    assert [one.id for one in FOUND.front] == [1, 2, 4]


def test_of_two_alike_the_earlier_stays() -> None:
    assert [one.id for one in search(point(0, 1.0, 0.0), point(1, 1.0, 0.0)).front] == [0, 1]


@pytest.mark.parametrize(
    ("limit", "best"),
    [
        (Limit(LimitKind.LOSS, 0.5), 2),
        (Limit(LimitKind.LOSS, 0.0), 4),
        (Limit(LimitKind.LOSS, 9.0), 1),
        (Limit(LimitKind.SPEEDUP, 2.0), 2),
        (Limit(LimitKind.SPEEDUP, 2.8), 1),
        (Limit(LimitKind.TIME, 7.0), 4),
        (Limit(LimitKind.SQNR, 29.0), 2),
        (Limit(LimitKind.TIME, 1.0), None),
    ],
)
def test_the_best_is_the_fastest_within_accuracy_or_the_most_accurate_within_time(limit: Limit, best: int) -> None:
    found = msgspec.structs.replace(FOUND, limit=limit).best
    assert (found.id if found is not None else None) == best


def test_what_was_measured_again_counts() -> None:
    again = point(2, 2.5, 3.0).first
    worse = msgspec.structs.replace(FOUND.points[2], again=again)
    after = search(*FOUND.points[:2], worse, *FOUND.points[3:])
    assert after.best is not None and after.best.id == 3
    assert [one.id for one in after.front] == [1, 2, 3, 4]


def test_the_knee_is_where_more_speed_begins_to_cost() -> None:
    assert FOUND.knee is not None and FOUND.knee.id == 2
    assert knee_of([point(0, 1.0, 0.0), point(1, 2.0, 1.0)]) is None
    straight = [point(0, 1 / 3, 3.0), point(1, 1 / 2, 2.0)]
    assert knee_of(straight) is None


def test_pinned_nodes_keep_their_precision_in_what_is_best() -> None:
    low = Choice(Precision.FP32, Precision.INT8)
    kept = Choice(Precision.FP32, Precision.INT8, kept=("n3",))
    points = (point(0, 1.0, 0.0), point(1, 3.0, 0.1, choice=low), point(2, 2.5, 0.1, choice=kept))
    free, pinned = search(*points), msgspec.structs.replace(search(*points), pinned={"n3": Precision.FP32})
    assert free.best is not None and free.best.id == 1
    assert pinned.best is not None and pinned.best.id == 2
    assert [one.id for one in pinned.measured] == [0, 1, 2]  # the other is still there, only out of question


def test_a_choice_is_the_same_whatever_the_order_of_what_it_keeps() -> None:
    one, other = (Choice(Precision.FP32, Precision.INT8, kept=kept) for kept in (("a", "b"), ("b", "a")))
    assert one.key == other.key


def test_a_search_goes_on_in_a_fresh_process_until_its_front_was_measured_again() -> None:
    request = SearchRequest("s", "f", RunRequest("", "", "m.onnx", None))  # type: ignore[arg-type]
    assert next_request(request, msgspec.structs.replace(FOUND, is_explored=True)) == request
    assert next_request(request, msgspec.structs.replace(FOUND, is_over=True)) is None


def test_a_process_that_died_is_followed_by_another_but_not_for_ever() -> None:
    request = SearchRequest("s", "f", RunRequest("", "", "m.onnx", None))  # type: ignore[arg-type]
    died = Search("s", error=RunError("The process was ended by signal 11."))
    counts = []
    going: SearchRequest | None = request
    while going is not None and len(counts) < 10:
        counts.append(going.crashes)
        going = next_request(going, died)
    assert counts == [0, 1, 2, 3]
    assert next_request(request, Search("s", error=RunError("Cancelled."))) is None
    assert next_request(request, Search("s", phase="failed", error=RunError("There is no file."))) is None
