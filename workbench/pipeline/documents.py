"""A run as the document that `--json` prints: the noun `Run`, flattened where people look first (DESIGN section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.core.precision import CalibrationMethod, Precision
from workbench.core.run import Accuracy, Build, Race, Run, Timing
from workbench.core.titles import run_title
from workbench.pipeline.comparing import Comparison

Document = dict[str, Any]


def run_document(run: Run) -> Document:
    """`id, model, backend, precision, status, build, timing, accuracy, error` and what identifies the run."""
    config = run.config
    return {
        "id": run.id,
        "title": run_title(run),
        "model": run.model,
        "model_sha256": run.model_sha256,
        "backend": config.backend,
        "target": config.target,
        "optimize": config.optimize,
        "threads": config.threads,
        "streams": config.streams,
        "options": config.options,
        "precision": run.precision,
        "calibration": _calibration(run),
        "evaluation": run.evaluation,
        "status": run.status.value,
        "created": run.created,
        "seconds": round(run.seconds, 3),
        "build": _build(run.build),
        "timing": _timing(run.timing),
        "accuracy": _accuracy(run.accuracy),
        "error": {"message": run.error.message, "hint": run.error.hint} if run.error else None,
    }


def comparison_document(comparison: Comparison) -> Document:
    """Every run, and the race that says which differences are real."""
    race = comparison.race
    return {
        "runs": [{**run_document(run), "race": _entry(race, run)} for run in comparison.runs],
        "race": _race(race),
    }


def race_document(race: Race, runs: Sequence[Run]) -> Document:
    """A race with what it says of each run."""
    entries = [{"title": run_title(run), **(_entry(race, run) or {"run": run.id})} for run in runs]
    return {**(_race(race) or {}), "entries": entries}


def _calibration(run: Run) -> Document | None:
    plan, calibration = run.config.plan, run.config.plan.calibration
    if plan.quantizer:
        return {"set": run.calibration, "quantizer": plan.quantizer, "samples": calibration.samples}
    if not plan.needs_calibration or run.imported:
        return None
    found: Document = {"set": run.calibration, "method": calibration.method.value, "samples": calibration.samples}
    if calibration.method is CalibrationMethod.PERCENTILE:
        found["percentile"] = calibration.percentile
    return found


def _build(build: Build | None) -> Document | None:
    return None if build is None else msgspec.to_builtins(build)


def _timing(timing: Timing | None) -> Document | None:
    """`median_ms, low_ms, high_ms, ... iterations` on the first level; only a reason where nothing was timed."""
    if timing is None:
        return None
    rest: Document = msgspec.to_builtins(timing)
    stats: Document = rest.pop("stats") or {}
    return {**stats, **({"noise": timing.stats.noise} if timing.stats is not None else {}), **rest}


def _accuracy(accuracy: Accuracy | None) -> Document | None:
    if accuracy is None:
        return None
    document: Document = msgspec.to_builtins(accuracy)
    return document | {"worst_sqnr_db": accuracy.worst_sqnr_db}


def _race(race: Race | None) -> Document | None:
    if race is None:
        return None
    error = {"message": race.error.message, "hint": race.error.hint} if race.error else None
    return {"rounds": race.rounds, "protocol": race.protocol, "machine": race.machine, "error": error}


def _entry(race: Race | None, run: Run) -> Document | None:
    found = [entry for entry in race.entries if entry.run == run.id] if race else []
    return msgspec.to_builtins(found[0]) if found else None


def precision_label(name: str) -> str:
    """`INT8 weights` for `int8_weights`; the text itself where it names no precision."""
    return Precision(name).label if name in set(Precision) else name
