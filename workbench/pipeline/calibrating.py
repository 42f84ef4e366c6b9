"""Calibration: what was observed is kept by content, so that eight configurations of a comparison observe once.

All together stays below 256 MB; the oldest go first.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from workbench.backends.base import Feed, load_backend
from workbench.core.dialect import Dialect
from workbench.core.errors import Cancelled, WorkbenchError, disk_error
from workbench.core.model import Model, Shape
from workbench.core.places import data_home
from workbench.core.run import BuildConfig, RunRequest
from workbench.core.titles import method_label
from workbench.core.writing import written_whole
from workbench.data import SampleSet
from workbench.pipeline.reference_outputs import LIMIT_BYTES, shrink
from workbench.pipeline.samples import NONE, RANDOM, calibration_set, feeds_digest
from workbench.pipeline.telling import Teller
from workbench.precision import (
    SHAPES_PASS,
    Observations,
    StaleObservationsError,
    base_digest,
    load_observations,
    observe,
    observe_amaxes,
    save_observations,
)

_VERSION = "7"  # of what observations hold: a new number makes old files unused


class Observed(NamedTuple):
    """The graph that is observed: of a model at these shapes, with fixed inputs, without the clean-up passes `skip`;
    where the INT8 of this dialect needs ranges."""

    model: Model
    shapes: dict[str, Shape]
    fixed: Feed
    skip: tuple[str, ...]
    dialect: Dialect


class Seen(NamedTuple):
    """What the calibration set showed of a graph, and a key of both: the graph and every byte of every sample."""

    graph: Observed
    samples: SampleSet
    key: str
    observations: Observations


def observations(
    teller: Teller,
    request: RunRequest,
    model: Model,
    shapes: dict[str, Shape],
    fixed: Feed,
    *,
    overflow: bool = False,
) -> tuple[Seen | None, str]:
    """What the plan needs to know of the calibration set, and a sentence about it; None where it needs nothing.

    Ranges of INT8 and FP8; with `overflow`, where a set is given, the largest value of every tensor too. Raises
    WorkbenchError where ranges are needed and no set is given.
    """
    dialect = load_backend(request.config.backend).dialect()
    plan, is_given = request.config.plan, request.calibration not in ("", NONE)
    is_guarded = overflow and is_given and request.calibration != RANDOM
    if not (plan.needs_calibration or is_guarded):
        return None, ""
    if not is_given:
        raise WorkbenchError(
            "INT8 needs a calibration set to find ranges from, and none is given.",
            "Give a folder, .npy, .npz or .csv of typical inputs; `random` is enough to see the speed only.",
        )
    graph = Observed(model, shapes, fixed, passes_left_out(request.config), dialect)
    if not plan.needs_calibration:
        return _find_amaxes(teller, graph, calibration_set(request, model, shapes))
    seen = look(teller, request, graph)
    sentence = _sentence(request, seen.samples)
    if is_guarded:
        found, more = _find_amaxes(teller, graph, seen.samples)
        seen.observations.amaxes = found.observations.amaxes
        sentence = f"{sentence} {more}"
    return seen, sentence


def passes_left_out(config: BuildConfig) -> tuple[str, ...]:
    """Those of the plan; with optimization profiles also the one that takes shapes for settled."""
    more = (SHAPES_PASS,) if config.profiles and SHAPES_PASS not in config.plan.skip else ()
    return (*config.plan.skip, *more)


def look(teller: Teller, request: RunRequest, graph: Observed) -> Seen:
    """Observes the calibration set, or takes what is known of it from an earlier time."""
    teller.progress("calibrate", text="reading samples")
    samples = calibration_set(request, graph.model, graph.shapes)
    for warning in samples.warnings:
        teller.log(warning, "warning")
    key = feeds_digest([_VERSION, base_digest(*graph)], _told(teller, samples))
    folder = data_home() / "calibration"
    known = _known(teller, folder / f"{key}.npz")
    if known is None:
        known = _observe(teller, graph, samples, _Place(folder / f"{key}.npz", folder / f"{key}.part.npz"))
    else:
        teller.progress("calibrate", samples.size, samples.size, "ranges known from an earlier run")
    return Seen(graph, samples, key, known)


def _told(teller: Teller, samples: SampleSet) -> Iterator[Feed]:
    """Reading may take longer than running: pictures are decoded."""
    for index, feed in enumerate(samples):
        if teller.cancelled():
            raise Cancelled
        teller.progress("calibrate", index, samples.size, f"reading {samples.name}")
        yield feed


def _find_amaxes(teller: Teller, graph: Observed, samples: SampleSet) -> tuple[Seen, str]:
    """The largest value of every tensor, of which FP16 must know."""
    key = feeds_digest([_VERSION, "amaxes", base_digest(*graph[:4])], samples)
    path = data_home() / "calibration" / f"{key}.npz"
    known = _known(teller, path)
    if known is None:
        amaxes = observe_amaxes(
            graph.model,
            graph.shapes,
            samples,
            total=samples.size,
            progress=lambda done, total: teller.progress("calibrate", done, total, "looking for overflows of FP16"),
            cancelled=teller.cancelled,
            fixed=graph.fixed,
            skip=graph.skip,
        )
        known = Observations(samples=samples.size, amaxes=amaxes)
        _keep(teller, known, path)
    sentence = f"What FP16 cannot hold was looked for in {samples.size} samples of {samples.name}."
    return Seen(graph, samples, key, known), sentence


class _Place(NamedTuple):
    """Where observations are kept: all of a set, and what an interrupted pass had seen of it."""

    whole: Path
    part: Path


def _known(teller: Teller, path: Path) -> Observations | None:
    if not path.is_file():
        return None
    try:
        return load_observations(path)
    except WorkbenchError as error:
        teller.log(f"Observed ranges are unreadable and are found again: {error}", "warning")
        return None


def _observe(teller: Teller, graph: Observed, samples: SampleSet, place: _Place) -> Observations:
    """All samples, or those that an interrupted pass had left."""
    begun = _known(teller, place.part)
    try:
        seen = _pass(teller, graph, samples, place, begun)
    except StaleObservationsError:
        seen = _pass(teller, graph, samples, place, None)
    _keep(teller, seen, place.whole)
    with contextlib.suppress(OSError):
        place.part.unlink(missing_ok=True)
    return seen


def _pass(
    teller: Teller, graph: Observed, samples: SampleSet, place: _Place, begun: Observations | None
) -> Observations:
    def progress(done: int, total: int) -> None:
        teller.progress("calibrate", done, total, f"{done} of {total} samples of {samples.name}")

    first = begun.samples if begun else 0
    if first:
        teller.log(f"Calibration goes on behind sample {first} of {samples.size}, where it was interrupted.")
    return observe(
        graph.model,
        graph.shapes,
        (samples.feed(index) for index in range(first, samples.size)),
        total=samples.size,
        progress=progress,
        cancelled=teller.cancelled,
        fixed=graph.fixed,
        skip=graph.skip,
        seen=begun,
        keep=lambda part: _keep(teller, part, place.part),
        dialect=graph.dialect,
    )


def _keep(teller: Teller, seen: Observations, path: Path) -> None:
    """For the next run. Where the disk refuses, this one goes on with what it has."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, sync=False) as file:
            save_observations(seen, file)
        shrink(path.parent, LIMIT_BYTES)
    except OSError as error:
        teller.log(f"The ranges are not kept for the next run: {disk_error(error)}", "warning")


def _sentence(request: RunRequest, samples: SampleSet) -> str:
    method = method_label(request.config.plan.calibration)
    if samples.is_random:
        return (
            f"Ranges ({method}) come from {samples.size} random inputs: the speed is real, the accuracy of INT8 is not."
        )
    return f"Ranges ({method}) come from {samples.size} samples of {samples.name}."
