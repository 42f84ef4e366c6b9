"""A roofline as text and as a document."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.core.ceilings import Ceilings
from workbench.core.errors import one_line
from workbench.core.roofline import Bound, LayerPoint, Roofline
from workbench.pipeline.table import aligned

HEAD = ("layer", "ran in", "MFLOP", "MiB", "FLOP/B", "time", "at its roof", "attained", "GFLOP/s", "GB/s", "bound")
ESTIMATED = (*HEAD[:5], "", "ESTIMATE", *HEAD[7:])


def ceilings_text(ceilings: Ceilings) -> str:
    """What the machine can do at most, and how that is known."""
    bandwidths = f"memory {ceilings.memory / 1e9:.4g} GB/s"
    if ceilings.cache > ceilings.memory:
        bandwidths += f", caches up to {ceilings.cache / 1e9:.4g} GB/s"
    peaks = ", ".join(f"{precision.label} {flops / 1e9:,.0f}" for precision, flops in ceilings.flops.items())
    lines = [f"{'ESTIMATE: ' * ceilings.is_estimate}{ceilings.title}: {bandwidths}; GFLOP/s: {peaks}"]
    lines += [f"  {ceilings.source}", *([f"  warning: {ceilings.warning}"] if ceilings.warning else [])]
    return "\n".join(lines)


def roofline_table(found: Roofline) -> str:
    """A line a layer, the one that takes longest first; what it says of the whole below."""
    points = sorted(found.points, key=lambda point: -(point.time_ms or 0.0))
    rows = [HEAD if found.is_timed else ESTIMATED, *(_row(point) for point in points)]
    return f"{aligned(rows, left={0, 1, 10})}\n{whole(found)}\n"


def whole(found: Roofline) -> str:
    """What it says of the engine."""
    shares = ", ".join(f"{100 * found.time_share(b):.0f} % {b.value}" for b in (Bound.MEMORY, Bound.COMPUTE))
    if not found.is_timed:
        return f"ESTIMATE: {found.roof_ms:.4g} ms at best, were every layer at its roof; of that time {shares}."
    attained = f"{100 * found.share:.0f} %" if found.share is not None else "an unknown share"
    roof = "an ESTIMATED roof" if found.ceilings.is_estimate else "the roof"
    return f"The layers take {found.total_ms:.4g} ms and attain {attained} of {roof}; of their time {shares}."


def _row(point: LayerPoint) -> tuple[str, ...]:
    work = point.work
    return (
        one_line(point.name or point.layer, 48),
        work.precision.label if work.precision is not None else "",
        f"{work.flops / 1e6:.2f}" if work.flops is not None else "?",
        f"{work.size_bytes / 2**20:.3f}" if work.size_bytes is not None else "?",
        f"{work.intensity:.2f}" if work.intensity is not None else "",
        f"{point.ms:.4f} ms" if point.ms else "",
        f"{point.roof_ms:.4f} ms" if point.roof_ms is not None else "",
        f"{100 * point.share:.0f} %" if point.share is not None else "",
        f"{point.flops_per_s / 1e9:.1f}" if point.flops_per_s and point.ms else "",
        f"{point.bytes_per_s / 1e9:.1f}" if point.bytes_per_s and point.ms else "",
        point.bound.value,
    )


def roofline_document(found: Roofline) -> dict[str, Any]:
    """`ceilings`, the whole, and every layer; times that were not measured are `estimate_ms`."""
    return {
        "ceilings": msgspec.to_builtins(found.ceilings) | {"warning": found.ceilings.warning},
        "is_estimate": not found.is_timed or found.ceilings.is_estimate,
        "total_ms": found.total_ms,
        "roof_ms": found.roof_ms,
        "share": found.share,
        "bound": found.bound.value,
        "memory_bound_share": found.time_share(Bound.MEMORY),
        "layers": [_document(point) for point in found.points],
    }


def _document(point: LayerPoint) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(point)
    return fields | {
        "bytes": point.work.size_bytes,
        "intensity": point.work.intensity,
        "share": point.share,
        "estimate_ms": None if point.ms is not None else point.roof_ms,
    }
