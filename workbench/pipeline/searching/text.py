"""A search as text: the front as a table, the best plan with its reasons."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.core.search import SQNR, Measured, Point, Search
from workbench.pipeline.searching.why import decisions
from workbench.pipeline.table import aligned, size_text, sqnr_text

HEAD = ("", "plan", "time", "speed-up", "95 %", "accuracy", "lost", "95 %", "SQNR", "size", "measured")
LEFT = {0, 1, 10}


def search_table(search: Search, *, everything: bool = False) -> str:
    """The front, the fastest first, and FP32; or every point in the order of measuring."""
    points = search.points if everything else _shown(search)
    return aligned([HEAD, *(_row(search, point) for point in points)], LEFT)


def _shown(search: Search) -> list[Point]:
    first = search.points[:1]
    return [*(point for point in search.front if point not in first), *first]


def _row(search: Search, point: Point) -> tuple[str, ...]:
    seen = point.seen
    if seen is None:
        return (_marks(search, point), f"{point.id} {point.title}", "—", "—", "", "—", "", "", "", "—", point.reason)
    quality, speed = seen.quality, seen.speed
    return (
        _marks(search, point),
        f"{point.id} {point.title}",
        f"{search.ms(speed.ratio):.3f} ms",
        f"{speed.ratio:.2f}×",
        f"{speed.low:.2f}–{speed.high:.2f}",
        quality.words if quality.metric != SQNR else "—",
        "" if quality.loss is None else f"{quality.loss:+.2f}",
        "" if quality.loss is None else f"{quality.loss_low:+.2f} … {quality.loss_high:+.2f}",
        sqnr_text(quality.sqnr_db),
        size_text(point.size_bytes) if point.size_bytes else "—",
        "twice" if point.again is not None else "once",
    )


def _marks(search: Search, point: Point) -> str:
    found = [(search.best, "best"), (search.knee, "knee")]
    words = [word for one, word in found if one is not None and one.id == point.id]
    if not words and any(one.id == point.id for one in search.front):
        words = ["front"]
    return " ".join(words)


def summary(search: Search) -> list[str]:
    """What was found, a line each."""
    best = search.best
    metric = search.points[0].seen.quality.metric if search.points and search.points[0].seen else ""
    lines = [f"{len(search.points)} plans were built and measured in {search.spent:.0f} s; accuracy is {metric}."]
    if best is None or best.seen is None:
        lines.append(f"None of them is within the limit: {search.limit.words}. {search.hint}")
    else:
        lines.append(f"Best with {search.limit.words}: plan {best.id}, {best.title}: {figures(search, best.seen)}.")
        lines += [f"  {decision.sentence}" for decision in decisions(search, best)]
    if search.is_over:
        lines.append(f"Measured twice: {search.again_protocol}.")
    return [*lines, *search.notes]


def point_words(search: Search, point: Point) -> str:
    """One point in a line."""
    again = "again: " if point.again is not None else ""
    tail = figures(search, point.seen) if point.seen is not None else point.reason
    return f"{again}plan {point.id}, {point.title}: {tail}"


def figures(search: Search, seen: Measured) -> str:
    """`2.18× (0.102 ms), 91.7 %, 0.15 points lost`."""
    quality = seen.quality
    lost = "" if quality.loss is None else f", {quality.loss:+.2f} {'points' if quality.is_share else '%'} lost"
    return f"{seen.speed.ratio:.2f}× as fast as FP32 ({search.ms(seen.speed.ratio):.3f} ms), {quality.words}{lost}"


def search_document(search: Search) -> dict[str, Any]:
    """The noun, with what it says of itself: front, best, knee, and the reasons of the front's plans."""
    document: dict[str, Any] = msgspec.to_builtins(search)
    document.pop("trying", None)
    front = search.front
    document["front"] = [point.id for point in front]
    document["best"] = search.best.id if search.best is not None else None
    document["knee"] = search.knee.id if search.knee is not None else None
    document["why"] = {str(point.id): msgspec.to_builtins(decisions(search, point)) for point in front}
    return document
