"""Searching the best plan: under which limit, what was measured on the way, and what of it nothing else beats."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from enum import StrEnum

import msgspec

from workbench.core.precision import CalibrationMethod, Precision, PrecisionPlan
from workbench.core.run import RunError, RunRequest, TaskResult

SQNR = "SQNR"
"""The metric's name where the task has none: decibels of the worst output against FP32."""


MOST_CRASHES = 3
FAILED = "failed"
"""The phase of a search that ended with an error of its own."""


class LimitKind(StrEnum):
    """What a plan must keep."""

    LOSS = "loss"  # at most so much accuracy lost: points of a share, per cent of any other metric
    SQNR = "sqnr"  # at least so many dB, for models without a metric
    SPEEDUP = "speedup"  # at least so many times as fast as FP32
    TIME = "time"  # at most so many ms


class Limit(msgspec.Struct, frozen=True):
    """The best plan is the fastest within a limit of accuracy, or the most accurate within a limit of time."""

    kind: LimitKind = LimitKind.LOSS
    value: float = 0.5

    @property
    def is_of_time(self) -> bool:
        return self.kind in (LimitKind.SPEEDUP, LimitKind.TIME)

    @property
    def words(self) -> str:
        """`accuracy within 0.5 % of FP32`, `at least 30 dB SQNR`, `at least 2×`, `under 4 ms`."""
        match self.kind:
            case LimitKind.LOSS:
                return f"accuracy within {self.value:g} % of FP32"
            case LimitKind.SQNR:
                return f"at least {self.value:g} dB SQNR"
            case LimitKind.SPEEDUP:
                return f"at least {self.value:g}×"
        return f"under {self.value:g} ms"


class SearchRequest(msgspec.Struct, frozen=True, tag="search"):
    """`run` is what every candidate shares: model, backend, shapes, sets, and the plan whose options they keep.

    `precisions` may be used; `pinned` nodes have theirs whatever is found. `seconds` are all that the search may
    take, those of earlier starts counted. `confirmation` is a sample set for the last measurement; empty: the
    evaluation set in another order. `crashes` counts processes of this search that died by themselves, the last one
    just now: the candidate it was at is given up. `finish`: nothing more is tried, the front is measured again.
    """

    id: str
    folder: str
    run: RunRequest
    precisions: tuple[Precision, ...] = ()  # none: those that the backend computes in here
    methods: tuple[CalibrationMethod, ...] = (
        CalibrationMethod.MSE,
        CalibrationMethod.MAX,
        CalibrationMethod.PERCENTILE,
    )
    limit: Limit = Limit()
    seconds: float = 600.0
    pinned: dict[str, Precision] = {}
    confirmation: str = ""
    crashes: int = 0
    finish: bool = False


class Quality(msgspec.Struct, frozen=True):
    """How right a plan's engine is, over `n` samples.

    `loss` is what it lost of the metric against FP32 on the same samples, with the 95 % interval of the *paired*
    difference: in points (0..100) of a share, in per cent of the reference of another metric. Below 0: a gain. None
    without a metric; then `value` is `sqnr_db`. Where no output is a float the metric is the share of equal values,
    and `sqnr_db` that of different ones.
    """

    metric: str
    value: float
    low: float
    high: float
    n: int
    sqnr_db: float
    loss: float | None = None
    loss_low: float = 0.0
    loss_high: float = 0.0
    is_share: bool = True
    is_error: bool = False

    @property
    def worth(self) -> float:
        """The larger the better: what was not lost against FP32 on the same samples, else the figure itself.

        So plans that were measured on different samples can be compared.
        """
        if self.loss is not None:
            return -self.loss
        return -self.value if self.is_error else self.value

    @property
    def words(self) -> str:
        """`98.0 %`, `34.2 dB`, or the plain number."""
        if self.metric == SQNR:
            return f"{self.value:.1f} dB"
        return TaskResult(self.metric, self.value, self.n, self.low, self.high, is_share=self.is_share).words(
            self.value
        )


class Speed(msgspec.Struct, frozen=True):
    """FP32's time over the plan's own, from `rounds` that visited both in turn, with its 95 % interval."""

    ratio: float
    low: float
    high: float
    rounds: int


class Measured(msgspec.Struct, frozen=True):
    """One measurement of a plan's engine."""

    speed: Speed
    quality: Quality


class Choice(msgspec.Struct, frozen=True):
    """What a candidate is made of: products in `low`, but for the nodes `kept`, and everything else in `high`.

    `low` None: all in `high`. `method` says how the ranges of `low` are found. `pinned` nodes have a precision that is
    not in question.
    """

    high: Precision
    low: Precision | None = None
    method: CalibrationMethod = CalibrationMethod.MSE
    kept: tuple[str, ...] = ()  # node ids, sorted
    pinned: dict[str, Precision] = {}

    def asks(self, node: str) -> Precision:
        """Of a product."""
        if node in self.pinned:
            return self.pinned[node]
        return self.high if self.low is None or node in self.kept else self.low

    @property
    def key(self) -> bytes:
        """Equal for equal choices, whatever their order."""
        return msgspec.json.encode(msgspec.structs.replace(self, kept=tuple(sorted(self.kept))), order="sorted")


class Point(msgspec.Struct, frozen=True):
    """A plan that was built, run and measured, or the `reason` that it could not be.

    `again` is the measurement by a fresh process at the end, which alone is claimed. `choice` None: a plan as its
    user wrote it.
    """

    id: int
    plan: PrecisionPlan
    title: str
    why: str  # it was tried
    choice: Choice | None = None
    first: Measured | None = None
    again: Measured | None = None
    size_bytes: int = 0
    reason: str = ""

    @property
    def seen(self) -> Measured | None:
        """The last measurement there is."""
        return self.again or self.first

    def dominates(self, other: Point) -> bool:
        """At least as fast and as right as the other, and better in one."""
        a, b = self.seen, other.seen
        if a is None or b is None:
            return False
        gains = (a.speed.ratio - b.speed.ratio, a.quality.worth - b.quality.worth)
        return min(gains) >= 0 and max(gains) > 0


class Unit(msgspec.Struct, frozen=True):
    """A product that may run in the low precision: its nodes, what that saves, and what it alone costs.

    `saved_ms` is the time of its layers in the high precision less that in the low one, from layer times; `noise` the
    noise-to-signal ratio (a power ratio) at the worst output with this one product in the low precision.
    """

    node: str
    op: str
    title: str
    saved_ms: float
    noise: float | None = None


class Decision(msgspec.Struct, frozen=True):
    """One decision of a plan, in a sentence of what was measured with and without it.

    `nodes` are those it is about. `without` is the measured plan that differs in nothing else. `gain` is what the
    decision wins of accuracy (points, or per cent, or dB without a metric), `slower` its price: a share of the plan's
    time, below 0 where it saves time.
    """

    sentence: str
    nodes: tuple[str, ...]
    without: int
    gain: float
    slower: float


class Search(msgspec.Struct, frozen=True):
    """Everything that a search knows; `search.json` of its folder, written after each point.

    The first of `points` is FP32, in which times are counted. `precisions` are those that plans may have now, beside
    what is pinned. `trying` is the candidate at work. `is_explored`: nothing more is to be tried, or the time is up;
    `is_over`: the front was measured again.
    """

    id: str
    key: str = ""
    limit: Limit = Limit()
    seconds: float = 0.0
    spent: float = 0.0
    phase: str = ""
    points: tuple[Point, ...] = ()
    units: tuple[Unit, ...] = ()
    pinned: dict[str, Precision] = {}
    precisions: tuple[Precision, ...] = ()  # none: any
    methods: tuple[CalibrationMethod, ...] = ()
    baseline_ms: float = 0.0
    trying: Point | None = None
    confirmation: str = ""  # the set that `again` was measured on; empty: the evaluation set
    is_explored: bool = False
    is_over: bool = False
    protocol: str = ""
    again_protocol: str = ""
    machine: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    error: RunError | None = None

    @property
    def measured(self) -> tuple[Point, ...]:
        return tuple(point for point in self.points if point.seen is not None)

    @property
    def allowed(self) -> tuple[Point, ...]:
        """Measured ones that keep what is pinned, and have no other precisions than they may."""
        return tuple(point for point in self.measured if keeps(point, self.pinned) and has_only(point, self.precisions))

    @property
    def front(self) -> tuple[Point, ...]:
        """Those that nothing else dominates, the fastest first; at the end of those only that were measured twice."""
        return front_of(point for point in self.allowed if point.again is not None or not self.is_over)

    @property
    def best(self) -> Point | None:
        """Within the limit: the fastest, or where the limit is one of time the most accurate."""
        return best_of(self.front, self.limit, self.baseline_ms)

    @property
    def knee(self) -> Point | None:
        return knee_of(self.front)

    @property
    def hint(self) -> str:
        """What to do where nothing is within the limit."""
        first = self.points[0].seen if self.points else None
        if self.limit.kind is LimitKind.LOSS and first is not None and first.quality.loss is None:
            return "Nothing here counts right answers: limit the decibels (SQNR), the speed-up or the time instead."
        return "Allow more, or search on."

    def get(self, point_id: int) -> Point | None:
        return next((point for point in self.points if point.id == point_id), None)

    def ms(self, ratio: float) -> float:
        """A speed-up as time: all are counted from one FP32, so that a drift of the machine is in none."""
        return self.baseline_ms / ratio if ratio > 0 else math.inf


def next_request(request: SearchRequest, result: Search) -> SearchRequest | None:
    """What goes on where a process of a search has come to its end; None: it is over, or its error ends it.

    A result without a phase is no search's own: its process died.
    """
    if result.error is None:
        return None if result.is_over else msgspec.structs.replace(request, crashes=0)
    has_died = not result.phase and request.crashes < MOST_CRASHES and not is_cancelled(result)
    return msgspec.structs.replace(request, crashes=request.crashes + 1) if has_died else None


def is_cancelled(result: Search) -> bool:
    """Whether its user ended it, or its process."""
    return result.error is not None and result.error.message.startswith("Cancelled")


def keeps(point: Point, pinned: dict[str, Precision]) -> bool:
    """Whether a point has the pinned nodes in their precisions; a plan of the user's own is taken as it is."""
    choice = point.choice
    if choice is None:
        return True
    return all(choice.asks(node) is precision for node, precision in pinned.items())


def has_only(point: Point, precisions: Collection[Precision]) -> bool:
    """Whether a point has none but these precisions (none given: any); a plan of the user's own is taken as it is."""
    choice = point.choice
    if choice is None or not precisions:
        return True
    return choice.high in precisions and (choice.low is None or choice.low in precisions)


def front_of(points: Iterable[Point]) -> tuple[Point, ...]:
    """The fastest first. Of two that are alike in both the earlier one stays."""
    seen = [point for point in points if point.seen is not None]
    left = [point for point in seen if not any(other.dominates(point) for other in seen)]
    return tuple(sorted(left, key=lambda point: (-_ratio(point), point.id)))


def is_within(limit: Limit, measured: Measured, baseline_ms: float) -> bool:
    """By the figures themselves: what their intervals still allow stands beside them."""
    match limit.kind:
        case LimitKind.LOSS:
            return measured.quality.loss is not None and measured.quality.loss <= limit.value + 1e-9
        case LimitKind.SQNR:
            return measured.quality.sqnr_db >= limit.value
        case LimitKind.SPEEDUP:
            return measured.speed.ratio >= limit.value
    return baseline_ms / measured.speed.ratio <= limit.value


def best_of(points: Iterable[Point], limit: Limit, baseline_ms: float) -> Point | None:
    within = [p for p in points if p.seen is not None and is_within(limit, p.seen, baseline_ms)]
    return max(within, key=_accurate if limit.is_of_time else _ratio, default=None)


def knee_of(front: Iterable[Point]) -> Point | None:
    """The point of a front that lies farthest from the line between its ends, both axes scaled to it.

    Where more speed begins to cost much more accuracy: Satopaa et al., "Finding a Kneedle in a Haystack" (2011). None
    where the front has no bend.
    """
    points = list(front)
    if len(points) < 3:
        return None
    xs, ys = [1 / _ratio(point) for point in points], [_accurate(point)[0] for point in points]
    wide, high = xs[-1] - xs[0], ys[-1] - ys[0]
    if wide <= 0 or high <= 0:
        return None
    bends = [(y - ys[0]) / high - (x - xs[0]) / wide for x, y in zip(xs, ys, strict=True)]
    at = max(range(len(points)), key=bends.__getitem__)
    return points[at] if bends[at] > 0 else None


def _ratio(point: Point) -> float:
    return point.seen.speed.ratio if point.seen is not None else 0.0


def _accurate(point: Point) -> tuple[float, float, float]:
    """By the metric, then by decibels, then by speed."""
    assert point.seen is not None
    return point.seen.quality.worth, point.seen.quality.sqnr_db, point.seen.speed.ratio
