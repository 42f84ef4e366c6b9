"""What to try next, from all that was measured so far: a pure function, so that a search goes on wherever it was left.

First whole precisions and ways to find ranges; then the products by accuracy lost for each ms saved, kept in the high
precision in growing numbers; then repairs of what stands on the front. Rankings only say what is tried: what a plan
costs and saves is never added up from its parts, for it does not add up (leaving the "worst" layers out can make a
model worse), and only measured plans are on the front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, pairwise

import msgspec

from workbench.core.precision import Precision
from workbench.core.search import Choice, Point, Search, Unit, is_within
from workbench.pipeline.searching.space import RANGED, Space, asked_low, title_of, with_kept

MOST_ADDED = 8
"""Further products that are tried in the high precision from one point of the front."""
LEAST_MS = 1e-4


class Candidate(msgspec.Struct, frozen=True):
    choice: Choice
    why: str

    @property
    def title(self) -> str:
        return title_of(self.choice)


def propose(space: Space, search: Search) -> Candidate | None:
    """The next plan worth building; None: nothing is left that the measured ones suggest."""
    tried = {point.choice.key for point in search.points if point.choice is not None}
    stages: tuple[Callable[[Space, Search], Iterator[Candidate]], ...] = (anchors, ladder, crossing, repairs, mixtures)
    for stage in stages:
        for candidate in stage(space, search):
            if candidate.choice.key not in tried:
                return candidate
    return None


def needs_units(space: Space, search: Search) -> bool:
    """Whether the next stage ranks products, and nobody has looked at them yet."""
    tried = {point.choice.key for point in search.points if point.choice is not None}
    return bool(space.lows) and not search.units and all(c.choice.key in tried for c in anchors(space, search))


def anchors(space: Space, search: Search) -> Iterator[Candidate]:
    """Whole precisions; each low one with every method, then the best of these inside every high one."""
    pins = space.pinned
    for high in space.highs:
        if high is not Precision.FP32 or set(pins.values()) - {high}:  # else it is what all are compared with
            yield Candidate(Choice(high, pinned=pins), f"everything in {high.label}")
    for low in space.lows:
        for method in space.methods if low in RANGED else space.methods[:1]:
            ranges = f", ranges by {method.value}" if low in RANGED else ""
            yield Candidate(Choice(Precision.FP32, low, method, pinned=pins), f"every product in {low.label}{ranges}")
    for low in space.lows:
        best = best_whole(search, low)
        for high in space.highs[1:] if best is not None else ():
            assert best is not None
            choice = msgspec.structs.replace(best, high=high, pinned=pins)
            yield Candidate(choice, f"the same with {high.label} around it")


def best_whole(search: Search, low: Precision | None) -> Choice | None:
    """The most accurate of the plans that have all products in `low`, FP32 around."""
    whole = [
        p
        for p in search.measured
        if (c := p.choice) and low and c.low is low and not c.kept and c.high is Precision.FP32
    ]
    best = max(whole, key=_worth, default=None)
    return best.choice if best is not None else None


def starts(space: Space, search: Search) -> list[Choice]:
    """All products low, by the best method, in the high precision that is fastest around them: one for each low."""
    found = []
    for low in space.lows:
        best = best_whole(search, low)
        same = [
            point
            for point in search.measured
            if best is not None
            and (c := point.choice)
            and c.low is low
            and not c.kept
            and c.method is best.method
            and c.high in space.highs
        ]
        fastest = max(same, key=lambda point: point.seen.speed.ratio if point.seen else 0.0, default=None)
        if fastest is not None and fastest.choice is not None:
            found.append(msgspec.structs.replace(fastest.choice, pinned=space.pinned))
    return found


def ladder(space: Space, search: Search) -> Iterator[Candidate]:
    """1, 2, 3, 4, 6, 8, 12 ... products kept, those first that cost most accuracy for each ms they save."""
    for start in starts(space, search):
        for order, words in ((by_ratio, "for each ms it saves"), (by_noise, "")):
            ranked = [unit.node for unit in order(search.units) if unit.node not in space.pinned]
            for count in rungs(len(ranked)):
                kept = with_kept(start, ranked[:count])
                point = find(search, kept)
                if point is not None and is_enough(search, point):
                    break
                yield Candidate(kept, f"the {_products(count)} that cost most accuracy {words}".rstrip() + " kept")


def is_enough(search: Search, point: Point) -> bool:
    """Whether to keep more than this point does can win nothing: a plan without a low precision is faster already, and
    accuracy is as the limit wants it, or not what is limited."""
    wholes = [p.seen.speed.ratio for p in search.measured if p.seen and p.choice and p.choice.low is None]
    seen = point.seen
    if seen is None or seen.speed.ratio > max(wholes, default=0.0):
        return False
    return search.limit.is_of_time or is_within(search.limit, seen, search.baseline_ms)


def crossing(space: Space, search: Search) -> Iterator[Candidate]:
    """Between the rungs, where the limit is crossed: the smallest number of products kept that stays within it."""
    for start in starts(space, search):
        ranked = [unit.node for unit in by_ratio(search.units) if unit.node not in space.pinned]
        within = {}
        for count in range(len(ranked)):
            point = find(search, with_kept(start, ranked[:count]))
            if point is not None and point.first is not None:
                within[count] = is_within(search.limit, point.first, search.baseline_ms)
        counts = sorted(within)
        for few, many in pairwise(counts):
            if within[few] != within[many] and many - few > 1:
                kept = with_kept(start, ranked[: (few + many) // 2])
                yield Candidate(kept, f"between {few} and {many} kept, where the limit is crossed")


def repairs(space: Space, search: Search) -> Iterator[Candidate]:
    """Around the best, what just misses the limit, the knee, and the rest of the front: one change at a time."""
    units = {unit.node: unit for unit in search.units}
    for point in focus(search):
        choice = point.choice
        if choice is None or choice.low is None:
            continue
        yield from _given_back(point, choice, units)
        yield from _added(point, choice, search)
        for method in space.methods if choice.low in RANGED else ():
            other = msgspec.structs.replace(choice, method=method)
            yield Candidate(other, f"plan {point.id} with ranges by {method.value}")
        for high in space.highs:
            other = msgspec.structs.replace(choice, high=high)
            yield Candidate(other, f"plan {point.id} with {high.label} around")


def focus(search: Search) -> list[Point]:
    """Points of the front, those first around which the best plan is likeliest."""
    front = search.front
    outside = [p for p in front if p.seen and not is_within(search.limit, p.seen, search.baseline_ms)]
    nearest = max(outside, key=_worth, default=None)
    if search.limit.is_of_time:
        nearest = max(outside, key=lambda point: point.seen.speed.ratio if point.seen else 0.0, default=None)
    first = [point for point in (search.best, nearest, search.knee) if point is not None]
    return list({point.id: point for point in [*first, *front]}.values())


def _given_back(point: Point, choice: Choice, units: dict[str, Unit]) -> Iterator[Candidate]:
    """Kept products back into the low precision: is each of them needed?"""
    assert choice.low is not None
    kept = sorted(choice.kept, key=lambda node: -units[node].saved_ms if node in units else 0.0)
    if len(kept) >= 4:
        half = kept[: len(kept) // 2]
        yield Candidate(
            with_kept(choice, set(kept) - set(half)), f"plan {point.id} with the dearer half of what is kept given back"
        )
    for node in kept:
        title = units[node].title if node in units else node
        yield Candidate(
            with_kept(choice, set(kept) - {node}), f"plan {point.id} with {title} back in {choice.low.label}"
        )


def _added(point: Point, choice: Choice, search: Search) -> Iterator[Candidate]:
    """Further products kept, where there is accuracy to win."""
    if point.seen is not None and point.seen.quality.loss is not None and point.seen.quality.loss <= 0:
        return
    ranked = [unit for unit in by_ratio(search.units) if unit.node in asked_low(choice, [unit.node])]
    for unit in ranked[:MOST_ADDED]:
        yield Candidate(
            with_kept(choice, {*choice.kept, unit.node}),
            f"plan {point.id} with {unit.title} in {choice.high.label} too",
        )


def mixtures(space: Space, search: Search) -> Iterator[Candidate]:
    """What two points of the front both keep, and what either keeps."""
    mixed = [p for p in search.front if p.choice is not None and p.choice.low is not None]
    for one, other in combinations(mixed, 2):
        assert one.choice is not None and other.choice is not None
        a, b = set(one.choice.kept), set(other.choice.kept)
        for kept, words in ((a & b, "what both keep"), (a | b, "what either keeps")):
            yield Candidate(with_kept(one.choice, kept), f"{words} of plans {one.id} and {other.id}")


def find(search: Search, choice: Choice) -> Point | None:
    """The point of a choice."""
    key = choice.key
    return next((p for p in search.points if p.choice is not None and p.choice.key == key), None)


def by_ratio(units: Sequence[Unit]) -> list[Unit]:
    """By accuracy lost for each ms saved, the dearest first; what was not looked at comes last, the slowest first."""
    return sorted(units, key=lambda u: (u.noise is None, -(u.noise or 0.0) / max(u.saved_ms, LEAST_MS), u.saved_ms))


def by_noise(units: Sequence[Unit]) -> list[Unit]:
    return sorted(units, key=lambda u: (u.noise is None, -(u.noise or 0.0), u.saved_ms))


def rungs(count: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, 16, 24 ... below `count`."""
    steps = sorted({2**i for i in range(20)} | {3 * 2**i for i in range(20)})
    return [step for step in steps if step < count]


def _worth(point: Point) -> tuple[float, float]:
    return (point.seen.quality.worth, point.seen.quality.sqnr_db) if point.seen is not None else (-1e30, 0.0)


def _products(count: int) -> str:
    return "product" if count == 1 else f"{count} products"
