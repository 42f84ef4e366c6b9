"""Calibration: what was observed is kept by content, so that eight configurations of a comparison observe once.

All together stays below 256 MB; the oldest go first.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.model import Model, Shape
from workbench.core.places import data_home
from workbench.core.writing import written_whole
from workbench.data import SampleSet
from workbench.pipeline.documents import method_label
from workbench.pipeline.record import Record
from workbench.pipeline.reference_outputs import LIMIT_BYTES, shrink
from workbench.pipeline.samples import NONE, calibration_set, feeds_digest
from workbench.precision import Observations, base_digest, load_observations, observe, save_observations

_VERSION = "2"  # of what observations hold: a new number makes old files unused


def observations(
    record: Record, model: Model, shapes: dict[str, Shape], fixed: Feed
) -> tuple[Observations | None, str]:
    """What the calibration set showed, and a sentence about it; None where the plan needs no ranges.

    The key is the content: the graph that is observed, and every byte of every preprocessed sample. Raises
    WorkbenchError where ranges are needed and no set is given.
    """
    if not record.request.config.plan.needs_calibration:
        return None, ""
    if record.request.calibration in ("", NONE):
        raise WorkbenchError(
            "INT8 needs a calibration set to find ranges from, and none is given.",
            "Give a folder, .npy, .npz or .csv of typical inputs; `random` is enough to see the speed only.",
        )
    record.progress("calibrate", text="reading samples")
    samples = calibration_set(record.request, model, shapes)
    for warning in samples.warnings:
        record.log(warning, "warning")
    return _cached(record, _Observed(model, shapes, fixed), samples), _sentence(record, samples)


class _Observed(NamedTuple):
    """The graph that is observed."""

    model: Model
    shapes: dict[str, Shape]
    fixed: Feed


def _cached(record: Record, graph: _Observed, samples: SampleSet) -> Observations:
    key = feeds_digest([_VERSION, base_digest(*graph)], samples)
    folder = data_home() / "calibration"
    if found := _known(record, folder / f"{key}.npz"):
        record.progress("calibrate", samples.size, samples.size, "ranges known from an earlier run")
        return found
    return _observe(record, graph, samples, _Place(folder / f"{key}.npz", folder / f"{key}.part.npz"))


class _Place(NamedTuple):
    """Where observations are kept: all of a set, and what an interrupted pass had seen of it."""

    whole: Path
    part: Path


def _known(record: Record, path: Path) -> Observations | None:
    if not path.is_file():
        return None
    try:
        return load_observations(path)
    except WorkbenchError as error:
        record.log(f"Observed ranges are unreadable and are found again: {error}", "warning")
        return None


def _observe(record: Record, graph: _Observed, samples: SampleSet, place: _Place) -> Observations:
    """All samples, or those that an interrupted pass had left."""

    def progress(done: int, total: int) -> None:
        record.progress("calibrate", done, total, f"{done} of {total} samples of {samples.name}")

    seen = _known(record, place.part)
    if seen is not None and 0 < seen.samples <= samples.size:
        record.log(f"Calibration goes on behind sample {seen.samples} of {samples.size}, where it was interrupted.")
    else:
        seen = None
    first = seen.samples if seen else 0
    seen = observe(
        graph.model,
        graph.shapes,
        (samples.feed(index) for index in range(first, samples.size)),
        total=samples.size,
        progress=progress,
        cancelled=record.cancelled,
        fixed=graph.fixed,
        seen=seen,
        keep=lambda part: _keep(record, part, place.part),
    )
    _keep(record, seen, place.whole)
    with contextlib.suppress(OSError):
        place.part.unlink(missing_ok=True)
    return seen


def _keep(record: Record, seen: Observations, path: Path) -> None:
    """For the next run. Where the disk refuses, this one goes on with what it has."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, sync=False) as file:
            save_observations(seen, file)
        shrink(path.parent, LIMIT_BYTES)
    except OSError as error:
        record.log(f"The ranges are not kept for the next run: {disk_error(error)}", "warning")


def _sentence(record: Record, samples: SampleSet) -> str:
    method = method_label(record.request.config.plan.calibration)
    if samples.is_random:
        return (
            f"Ranges ({method}) come from {samples.size} random inputs: the speed is real, the accuracy of INT8 is not."
        )
    return f"Ranges ({method}) come from {samples.size} samples of {samples.name}."
