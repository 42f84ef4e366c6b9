"""A sweep as a table to copy and to save."""

from __future__ import annotations

import csv
import io

from workbench.session.sweeps import Sweeps

HEAD = ("threads", "streams", "median_ms", "p95_ms", "samples_per_second", "low", "high", "cost_per_million", "note")


def sweep_csv(sweeps: Sweeps) -> str:
    """A row a point of the grid that is known, sizes of its dimensions first."""
    found, price, best = sweeps.found, sweeps.price_per_hour, sweeps.best
    dims = list(found[0].point.dims) if found else []
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow([*dims, *HEAD])
    for one in found:
        point = one.point
        figures = (one.median_ms, one.p95_ms, one.samples_per_second, *one.interval)
        cost = f"{one.cost_per_million(price):.8g}" if price and one.throughput else ""
        note = one.reason or " ".join(["best"] * (one == best) + ["noisy"] * one.is_noisy)
        row = [*point.dims.values(), point.threads, point.streams, *(f"{value:.8g}" for value in figures), cost, note]
        table.writerow(row)
    return out.getvalue()
