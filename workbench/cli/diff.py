"""`workbench diff`: the layers of two engines of one model, aligned through the nodes they were made of."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import msgspec

from workbench.cli.output import Output
from workbench.core.alignment import Alignment
from workbench.core.errors import WorkbenchError
from workbench.core.run import EngineGraph, Run
from workbench.core.titles import run_title
from workbench.pipeline.alignment import align
from workbench.pipeline.artefacts import read_engine
from workbench.pipeline.fusion_text import alignment_table, by_difference
from workbench.pipeline.table import waterfall_text
from workbench.pipeline.waterfall import waterfall
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where both runs have an engine graph and are of one model."""
    store = Store()
    a, b = (store.find(text) for text in (arguments.first, arguments.second))
    if a.model_sha256 != b.model_sha256:
        raise WorkbenchError(
            f"These are runs of two models: {a.model_name} and {b.model_name}.", "Name two runs of one model."
        )
    engines, times = (_engine(store, a), _engine(store, b)), (_times(a), _times(b))
    alignment = align(*engines, *times)
    medians, passes = (_median(a), _median(b)), (_pass(a), _pass(b))
    apart = _apart(a, b)
    why = waterfall(alignment, engines, times, medians, passes) if all(medians) and all(times) and not apart else None
    output.document({**_document(alignment, a, b), "waterfall": why})
    output.text(alignment_table(alignment, _title(a), _title(b)).rstrip())
    if apart:
        output.text(f"\n{apart}: no waterfall.")
    if why is not None:
        output.text(f"\n{waterfall_text(why).rstrip()}")
    return 0


def _apart(a: Run, b: Run) -> str:
    """Why the difference of the medians is not that of the layers; "" where it is."""
    if a.timing is None or b.timing is None:
        return ""
    if not a.timing.is_like(b.timing):
        return "The two were timed with inputs of other shapes"
    if max(a.timing.streams, b.timing.streams) > 1:
        return "A latency under load is not made of the times of layers"
    return ""


def _median(run: Run) -> float:
    return run.timing.stats.median_ms if run.timing is not None and run.timing.stats is not None else 0.0


def _pass(run: Run) -> float:
    return run.timing.layers_latency_ms if run.timing is not None else 0.0


def _engine(store: Store, run: Run) -> EngineGraph:
    engine = read_engine(store.folder(run.id))
    if engine is None:
        raise WorkbenchError(f"The run {run.id} ({run_title(run)}) has no engine graph.", "Build it again.")
    return engine


def _times(run: Run) -> dict[str, float]:
    return run.timing.layers if run.timing is not None else {}


def _title(run: Run) -> str:
    reason = run.timing.reason if run.timing is not None and not run.timing.layers else ""
    return f"{run_title(run)}  ({run.id}){f'  not timed: {reason}' if reason else ''}"


def _document(alignment: Alignment, a: Run, b: Run) -> dict[str, Any]:
    groups = [
        {
            **msgspec.to_builtins(group),
            "precision_changed": group.is_precision_changed,
            "difference_ms": group.difference_ms,
        }
        for group in by_difference(alignment.groups)
    ]
    return {
        "a": {"run": a.id, "title": run_title(a), "layers_ms": alignment.total_a_ms},
        "b": {"run": b.id, "title": run_title(b), "layers_ms": alignment.total_b_ms},
        "groups": groups,
    }
