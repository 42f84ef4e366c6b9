"""Calibration: what was observed is kept by content, so that eight configurations of a comparison observe once.

All together stays below 256 MB; the oldest go first.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.model import Model, Shape
from workbench.core.places import data_home
from workbench.data import SampleSet
from workbench.pipeline.documents import method_label
from workbench.pipeline.record import Record
from workbench.pipeline.reference_outputs import LIMIT_BYTES, shrink
from workbench.pipeline.samples import NONE, calibration_set, feeds_digest
from workbench.precision import Observations, base_digest, observe

_VERSION = "1"  # of what observations hold: a new number makes old files unused


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
    path = data_home() / "calibration" / f"{key}.npz"
    if path.is_file():
        try:
            found = Observations.load(path)
        except WorkbenchError as error:
            record.log(f"Observed ranges are unreadable and are found again: {error}", "warning")
        else:
            record.progress("calibrate", samples.size, samples.size, "ranges known from an earlier run")
            return found
    return _observe(record, graph, samples, path)


def _observe(record: Record, graph: _Observed, samples: SampleSet, path: Path) -> Observations:
    def progress(done: int, total: int) -> None:
        record.progress("calibrate", done, total, f"{done} of {total} samples of {samples.name}")

    seen = observe(
        graph.model,
        graph.shapes,
        samples,
        total=samples.size,
        progress=progress,
        cancelled=record.cancelled,
        fixed=graph.fixed,
    )
    record.stop_if_cancelled()
    _keep(record, seen, path)
    return seen


def _keep(record: Record, seen: Observations, path: Path) -> None:
    """For the next run. Where the disk refuses, this one goes on with what it has."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        seen.save(part)
        part.replace(path)
        shrink(path.parent, LIMIT_BYTES)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        record.log(f"The ranges are not kept for the next run: {disk_error(error)}", "warning")


def _sentence(record: Record, samples: SampleSet) -> str:
    method = method_label(record.request.config.plan.calibration)
    if samples.is_random:
        return (
            f"Ranges ({method}) come from {samples.size} random inputs: the speed is real, the accuracy of INT8 is not."
        )
    return f"Ranges ({method}) come from {samples.size} samples of {samples.name}."
