"""Calibration: one pass over samples finds the ranges that every backend's INT8 is written from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from workbench.core.dialect import Dialect
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.model import Model, Shape
from workbench.precision.base import NO_INPUTS, Fixed, base_graph, instead
from workbench.precision.editor import GraphEditor, is_standard
from workbench.precision.exposing import ExposedGraph
from workbench.precision.histogram import Histogram
from workbench.precision.observations import Observations
from workbench.precision.observer import Channels
from workbench.precision.passes.quantize import observed_tensors
from workbench.precision.trail import is_mark

Feed = Mapping[str, NDArray[np.generic]]
FIRST_TENSORS = 2
"""Observed tensors behind the inputs whose mean and spread are kept per sample."""
_CHECKPOINT_SHARE = 20
"""At most a twentieth of the time goes into checkpoints, and one is not begun before `_CHECKPOINT_SECONDS`."""
_CHECKPOINT_SECONDS = 5.0


class StaleObservationsError(WorkbenchError):
    """Observations that cannot be gone on with."""


class _Watch(NamedTuple):
    """Who follows a pass, between samples."""

    progress: Callable[[int, int], None]
    cancelled: Callable[[], bool]
    keep: Callable[[Observations], None] | None


def observe(
    model: Model,
    shapes: Mapping[str, Shape],
    feeds: Iterable[Feed],
    *,
    total: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    fixed: Fixed = NO_INPUTS,
    skip: Collection[str] = (),
    seen: Observations | None = None,
    keep: Callable[[Observations], None] | None = None,
    dialect: Dialect | None = None,
) -> Observations:
    """Runs the clean base graph in FP32 feed by feed, and counts what INT8 may need.

    Memory is bounded: the observed activations of one feed, and a histogram (64 KB) and little more per tensor.
    `progress(done, total)` and `cancelled()` are called between feeds; `keep` now and then, and before Cancelled is
    raised: what it is given can be gone on from. `seen` are such observations, of the samples before `feeds`: they are
    added to, and the result is, bit for bit, that of one pass over all. `fixed` and `skip` as for the plan; `dialect`
    where its INT8 needs ranges of more tensors than others (`observed_tensors`).

    Raises Cancelled, StaleObservationsError where `seen` are not of this graph, and WorkbenchError where a feed does
    not fit, holds NaN or infinities, or another value of a fixed input, and where there is no feed or nothing to
    quantize.
    """
    proto = base_graph(model, shapes, fixed, skip).proto
    tensors = observed_tensors(proto, dialect)
    if not tensors:
        raise WorkbenchError(
            "Nothing to quantize: no Conv, MatMul or Gemm on float32 outside If, Loop and Scan.", instead(model)
        )
    seen = _nothing_yet(proto, tensors) if seen is None else seen
    if list(seen.histograms) != tensors or seen.samples > total:
        raise StaleObservationsError("The calibration that was begun is of another model.", "Begin it again.")
    graph = ExposedGraph(proto, tensors)
    del proto
    _run_all(graph, _checked(feeds, fixed, seen.samples), seen, total, _Watch(progress, cancelled, keep))
    if not seen.samples:
        raise WorkbenchError("The calibration set is empty.", "Choose a set with at least one sample.")
    seen.trail.add(seen.samples, list(seen.histograms.values()))
    seen.notes = _findings(seen)
    return seen


def _nothing_yet(proto: ModelProto, tensors: list[str]) -> Observations:
    editor = GraphEditor(proto)
    seen = Observations({name: Histogram() for name in tensors})
    seen.channels = {name: Channels(is_last=_has_channels_last(editor, name)) for name in tensors}
    return seen


def _has_channels_last(editor: GraphEditor, tensor: str) -> bool:
    """Behind and before a MatMul they are; a Conv has them on axis 1, and what else there is stands between Convs."""
    nodes = [use.node for use in editor.uses.get(tensor, ())]
    return any(is_standard(node, "MatMul", "Gemm") for node in nodes) and not any(
        is_standard(node, "Conv") for node in nodes
    )


def _run_all(graph: ExposedGraph, feeds: Iterable[Feed], seen: Observations, total: int, watch: _Watch) -> None:
    watch.progress(seen.samples, total)
    checkpoint = _Checkpoint(seen, watch)
    for feed in feeds:
        if watch.cancelled():
            checkpoint.write()
            raise Cancelled
        _add(graph, feed, seen)
        if is_mark(seen.samples):
            seen.trail.add(seen.samples, list(seen.histograms.values()))
        watch.progress(seen.samples, max(total, seen.samples))
        checkpoint.write_if_due()


def _add(graph: ExposedGraph, feed: Feed, seen: Observations) -> None:
    """One sample. The outputs are let go one by one."""
    rest = FIRST_TENSORS
    for name, values in feed.items():
        if values.dtype == np.float32:
            seen.add_row(name, values)
    for name, values in graph.values(feed, seen.samples):
        seen.observer(name).add(values, seen.samples)
        if rest and name not in feed:
            seen.add_row(name, values)
            rest -= 1
    seen.samples += 1


class _Checkpoint:
    """Keeps what was seen, often enough to lose little and seldom enough to cost little."""

    def __init__(self, seen: Observations, watch: _Watch) -> None:
        self._seen, self._keep = seen, watch.keep
        self._wait, self._last = _CHECKPOINT_SECONDS, perf_counter()

    def write_if_due(self) -> None:
        if perf_counter() - self._last > self._wait:
            self.write()

    def write(self) -> None:
        if self._keep is None or not self._seen.samples:
            return
        start = perf_counter()
        self._keep(self._seen)
        self._last = perf_counter()
        self._wait = max(_CHECKPOINT_SECONDS, _CHECKPOINT_SHARE * (self._last - start))


def _checked(feeds: Iterable[Feed], fixed: Fixed, first: int) -> Iterator[Feed]:
    for index, feed in enumerate(feeds, first):
        _check_finite(index, feed)
        for name, value in fixed.items():
            if not np.array_equal(feed[name], value):
                raise WorkbenchError(
                    f"Calibration sample {index} has {feed[name]} as {name!r}; the recipe fixes it to {value}.",
                    "Take the value out of the recipe, or such samples out of the set.",
                )
        yield feed


def _check_finite(index: int, feed: Feed) -> None:
    for name, values in feed.items():
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise WorkbenchError(
                f"Calibration sample {index} holds NaN or infinities in input {name!r}.",
                "Take the sample out of the set, or check the preprocessing.",
            )


def _findings(observations: Observations) -> tuple[str, ...]:
    skipped = [name for name, histogram in observations.histograms.items() if histogram.skipped]
    empty = [name for name in observations.histograms if name not in observations]
    notes = []
    if skipped:
        notes.append(f"NaN or infinities were left out of the ranges of {len(skipped)} tensors ({skipped[0]!r}).")
    if empty:
        notes.append(f"{len(empty)} tensors had no values at all ({empty[0]!r}); their nodes stay in float.")
    return tuple(notes)
