"""The calibration report: what was observed, every method's range of every tensor, and what the doctor finds odd."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from workbench.backends.base import Feed
from workbench.core.calibration_report import (
    CalibrationReport,
    ChosenRange,
    Finding,
    Mark,
    Severity,
    TensorRange,
)
from workbench.core.dialect import Dialect
from workbench.core.errors import WorkbenchError
from workbench.core.json import read_json, write_json
from workbench.core.places import data_home
from workbench.core.precision import Calibration, CalibrationMethod
from workbench.core.run import RunRequest
from workbench.data import SampleSet
from workbench.data.doctor import look_at_inputs
from workbench.data.statistics import MOST_SAMPLES, input_statistics
from workbench.pipeline.calibrating import Seen
from workbench.pipeline.samples import feeds_digest, spread
from workbench.pipeline.telling import Teller
from workbench.precision import Observations, observe
from workbench.precision.base import base_graph
from workbench.precision.expecting import SAMPLES as EXPECTING
from workbench.precision.expecting import look_at_expectations
from workbench.precision.judging import cover, judge, unlike
from workbench.precision.readers import Readers, readers
from workbench.precision.thresholds import clipped_share, sqnr_db
from workbench.precision.trail import METHODS

HISTOGRAM_BINS = 128
EVALUATED = 32
"""Samples of the evaluation set that the calibration set is held against."""
_VERSION = "4"


def make_report(
    teller: Teller,
    request: RunRequest,
    seen: Seen,
    dialect: Dialect,
    evaluation: SampleSet | None = None,
) -> CalibrationReport:
    """The report, or what is known of it from an earlier time. With `evaluation`, whether the two sets are alike.

    Nothing is observed anew but the evaluation set. Raises Cancelled and WorkbenchError.
    """
    calibration = request.config.plan.calibration
    unsigned = dialect.unsigned_activations
    parts = [_VERSION, seen.key, dialect.name, str(unsigned), str(calibration.percentile), str(request.recipe)]
    name = feeds_digest(parts, _some(evaluation, EVALUATED) if evaluation else ())
    path = data_home() / "calibration" / f"{name}.json"
    known = _known(path)
    if known is None:
        teller.progress("doctor", text="looking at ranges and samples")
        known = _make(teller, request, seen, dialect, evaluation)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, known)
    return known


def _known(path: Path) -> CalibrationReport | None:
    with contextlib.suppress(WorkbenchError):
        return read_json(path, CalibrationReport) if path.is_file() else None
    return None


def _make(
    teller: Teller,
    request: RunRequest,
    seen: Seen,
    dialect: Dialect,
    evaluation: SampleSet | None,
) -> CalibrationReport:
    who = readers(base_graph(*seen.graph[:4]).proto, dialect)
    calibration = request.config.plan.calibration
    tensors = []
    for done, (name, one) in enumerate(who.items()):
        teller.progress("doctor", done, len(who), name)
        if name in seen.observations:
            is_unsigned = dialect.integer_results or (dialect.unsigned_activations and one.may_be_unsigned)
            tensors.append(tensor_range(seen.observations, name, one, calibration, unsigned=is_unsigned))
    other = _evaluated(teller, seen, evaluation)
    return CalibrationReport(
        model=Path(request.model_path).stem,
        model_sha256=seen.graph.model.sha256,
        source=seen.samples.source,
        samples=seen.observations.samples,
        calibration=calibration,
        dialect=dialect.name,
        tensors=tuple(tensors),
        marks=_marks(seen.observations),
        findings=tuple(_findings(request, seen, who, other)),
        coverage=cover(seen.observations, other.observations, other.name) if other else None,
    )


def tensor_range(
    seen: Observations, name: str, who: Readers, calibration: Calibration, *, unsigned: bool
) -> TensorRange:
    """One tensor by every method, in the form that the dialect writes it in."""
    histogram = seen.histogram(name)
    channels = seen.channels[name]
    counts = histogram.counts_between(histogram.low, histogram.high, HISTOGRAM_BINS)
    return TensorRange(
        name=name,
        nodes=who.nodes,
        form="uint8" if unsigned else "int8",
        low=histogram.low,
        high=histogram.high,
        counts=tuple(int(count) for count in counts),
        ranges=tuple(_chosen(seen, name, method, calibration, unsigned) for method in CalibrationMethod),
        channels=len(channels.low),
        dead=len(channels.dead),
    )


def _chosen(
    seen: Observations, name: str, method: CalibrationMethod, calibration: Calibration, unsigned: bool
) -> ChosenRange:
    asked = Calibration(method=method, percentile=calibration.percentile)
    limit = seen.threshold(name, asked, unsigned=unsigned)
    low, high = seen.kept(name, limit) if unsigned else (-limit, limit)
    histogram = seen.histogram(name)
    if limit == 0.0:
        return ChosenRange(method, low, high, 0.0, 200.0)
    return ChosenRange(method, low, high, clipped_share(histogram, limit), sqnr_db(histogram, limit, unsigned=unsigned))


def _marks(seen: Observations) -> tuple[Mark, ...]:
    moved = {method: seen.trail.moved(method) for method in METHODS}
    return tuple(
        Mark(samples, {method: values[place] for method, values in moved.items()})
        for place, samples in enumerate(seen.trail.marks)
    )


def _findings(request: RunRequest, seen: Seen, who: dict[str, Readers], other: _Other | None) -> list[Finding]:
    if seen.samples.is_random:
        return [_RANDOM]
    graph = seen.graph
    found = judge(seen.observations, who)
    inputs = input_statistics(_some(seen.samples, MOST_SAMPLES))
    found += look_at_inputs(inputs, graph.shapes, request.recipe)
    found += look_at_expectations(graph.model, graph.shapes, _some(seen.samples, EXPECTING), graph.fixed)
    if other is not None:
        found += unlike(seen.observations, other.observations, other.name)
    return sorted(found, key=lambda one: one.severity is not Severity.WARNING)


_RANDOM = Finding(
    Severity.WARNING,
    "random",
    "The samples are random numbers: their ranges are not those of real inputs, and INT8 accuracy means nothing.",
    "Give a folder, .npy, .npz or .csv of typical inputs.",
)


class _Other(NamedTuple):
    """Another set, looked at in the same way."""

    name: str
    observations: Observations


def _evaluated(teller: Teller, seen: Seen, evaluation: SampleSet | None) -> _Other | None:
    """Samples of the evaluation set, where it is another than that of calibration, and both are real."""
    if evaluation is None or evaluation.is_random or seen.samples.is_random:
        return None
    if evaluation.source == seen.samples.source:
        return None
    graph, total = seen.graph, min(EVALUATED, evaluation.size)
    observations = observe(
        graph.model,
        graph.shapes,
        _some(evaluation, EVALUATED),
        total=total,
        progress=lambda done, total: teller.progress("doctor", done, total, f"comparing with {evaluation.name}"),
        cancelled=teller.cancelled,
        fixed=graph.fixed,
        skip=graph.skip,
        dialect=graph.dialect,
    )
    return _Other(evaluation.name, observations)


def _some(samples: SampleSet, count: int) -> Iterator[Feed]:
    return (samples.feed(place) for place in spread(samples, count))
