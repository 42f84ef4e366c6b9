"""Calibration: one pass over samples finds the ranges that every backend's INT8 is written from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, ValueInfoProto, helper

from workbench.core.errors import Cancelled, WorkbenchError, runtime_reason
from workbench.core.model import Model, Shape
from workbench.precision.base import NO_INPUTS, Fixed, base_graph
from workbench.precision.editor import GraphEditor
from workbench.precision.histogram import Histogram
from workbench.precision.observations import Observations
from workbench.precision.passes.quantize import observed_tensors
from workbench.precision.session import reference_session, runtime_errors

Feed = Mapping[str, NDArray[np.generic]]
_THREADS = 2


def observe(
    model: Model,
    shapes: Mapping[str, Shape],
    feeds: Iterable[Feed],
    *,
    total: int,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    fixed: Fixed = NO_INPUTS,
) -> Observations:
    """Runs the clean base graph in FP32, optimisations off, feed by feed, and counts what INT8 may need.

    Memory is bounded: one feed, its activations and one histogram (16 KB) per tensor. `progress(done, total)` and
    `cancelled()` are called between feeds. `fixed` as for `compile_plan`. Raises Cancelled, and WorkbenchError where a
    feed does not fit, holds NaN or infinities, or another value of a fixed input, and where there is no feed or nothing
    to quantize.
    """
    proto = base_graph(model, shapes, fixed).proto
    tensors = observed_tensors(proto)
    if not tensors:
        raise WorkbenchError(
            "Nothing to quantize: no Conv, MatMul or Gemm on float32 outside If, Loop and Scan.",
            "Build this model in FP32.",
        )
    observations = Observations({name: Histogram() for name in tensors})
    _run_all(proto, _checked(feeds, fixed), observations, total, progress, cancelled)
    if not observations.samples:
        raise WorkbenchError("The calibration set is empty.", "Choose a set with at least one sample.")
    observations.notes = _findings(observations)
    return observations


def _run_all(
    proto: ModelProto,
    feeds: Iterable[Feed],
    observations: Observations,
    total: int,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> None:
    inputs = GraphEditor(proto).inputs
    outputs = _expose(proto, [name for name in observations.histograms if name not in inputs])
    session = reference_session(proto, _THREADS)
    progress(0, total)
    for index, feed in enumerate(feeds):
        if cancelled():
            raise Cancelled
        try:
            values = dict(zip(outputs, session.run(outputs, dict(feed)), strict=True)) if outputs else {}
        except runtime_errors() as error:
            raise WorkbenchError(
                f"Calibration sample {index} does not run: {runtime_reason(error)}.",
                "Check the shapes and the preprocessing.",
            ) from error
        for name, histogram in observations.histograms.items():
            histogram.add(feed[name] if name in inputs else values[name])
        observations.samples += 1
        progress(observations.samples, max(total, observations.samples))


def _expose(proto: ModelProto, tensors: list[str]) -> list[str]:
    """Makes tensors outputs of the graph, in place; the ones that are outputs already stay so."""
    known = {value.name for value in proto.graph.output}
    for name in tensors:
        if name not in known:
            proto.graph.output.append(_untyped(name))
    return tensors


def _untyped(name: str) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, None)


def _checked(feeds: Iterable[Feed], fixed: Fixed) -> Iterator[Feed]:
    for index, feed in enumerate(feeds):
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
