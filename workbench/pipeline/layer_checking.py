"""Checking layers: source graph and typed graph side by side, chunk by chunk, in the exact simulator.

Chunks of layers are opened, run on some samples and closed again, so that no more than one chunk's tensors and weights
is held. The first sample goes through alone, for a whole picture early; the others in blocks, whose size is bounded by
what chunks hand to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.events import LayersChecked, LayersListed
from workbench.core.layer_errors import LayerErrors
from workbench.data import SampleSet
from workbench.measure.layer_errors import LayerSums, Passes
from workbench.measure.machine import physical_cores
from workbench.measure.reference import Reference
from workbench.pipeline.building import Built
from workbench.pipeline.files import LAYER_WEIGHTS_FILE
from workbench.pipeline.record import Record
from workbench.pipeline.samples import spread
from workbench.precision.aside import WeightsAside
from workbench.precision.dissection import Chunk, Dissection, dissect
from workbench.precision.parts import Part

Arrays = dict[str, NDArray[np.generic]]
BLOCK_SAMPLES = 8
BLOCK_BYTES = 64 * 2**20
"""Of tensors that are handed from chunk to chunk, for all samples of a block in both graphs."""
TELL_SECONDS = 0.1
SAVE_SECONDS = 1.0
NOTHING = "No tensor is made by both graphs: there is nothing to compare layer by layer."


def check_layers(record: Record, built: Built, samples: SampleSet, fixed: Feed) -> None:
    """Finds the errors of every layer on `layer_samples` samples of the whole set, and keeps them in a file of the run.

    What was found stays where the user cancels, and where ONNX Runtime refuses a part: the reason stands with it.
    """
    asked = min(record.request.layer_samples, samples.size)
    if asked <= 0:
        return
    record.progress("errors", 0, asked, "taking both graphs apart")
    try:
        with WeightsAside(record.folder / LAYER_WEIGHTS_FILE) as aside:
            check = _Check(record, dissect(built.model, built.typed, fixed, aside), samples, asked)
            check.run(aside.path.parent, notes(built))
    except (WorkbenchError, OSError) as error:  # of taking the graphs apart; a full disk costs the layers, not the run
        reason = str(disk_error(error) if isinstance(error, OSError) else error)
        record.keep_layers(LayerErrors(samples.name, asked, reason=reason))
    record.tell_layers()


def notes(built: Built) -> tuple[str, ...]:
    """What has no figures, or not the engine's."""
    graph = built.model.graph
    inside = sum(1 for _ in graph.walk()) - len(graph.layers)
    found = []
    if inside:
        found.append(f"{inside} nodes in bodies of If, Loop and Scan have no figures; the node around them has.")
    if built.typed.hint != "fp32":
        found.append(
            f"This backend runs {built.typed.hint.upper()} by itself, not as written: what that costs is not in here."
        )
    return tuple(found)


class _Check:
    """One pass over the samples."""

    def __init__(self, record: Record, dissection: Dissection, samples: SampleSet, asked: int) -> None:
        self._record, self._dissection, self._samples, self._asked = record, dissection, samples, asked
        self._places = spread(samples, asked)
        self._sums = LayerSums(dissection.tensors)
        self._done = 0  # samples that have been through every chunk
        self._fresh: set[int] = set()
        self._told = self._saved = -1.0

    def run(self, folder: Path, notes: tuple[str, ...]) -> None:
        """Always leaves a file, also where it is left by an exception."""
        record = self._record
        record.emit(LayersListed(record.run.id, self._samples.name, self._asked, self._dissection.tensors))
        reason = "" if self._dissection.tensors else NOTHING
        try:
            for block in self._blocks():
                self._block(block, folder)
        except WorkbenchError as error:
            reason = str(error)
        finally:
            self._tell()
            errors = self._sums.errors(self._samples.name, self._asked, self._done)
            record.keep_layers(msgspec.structs.replace(errors, reason=reason, notes=notes))

    def _blocks(self) -> Iterator[range]:
        per_sample = 2 * self._dissection.carried_bytes + 1
        size = max(1, min(BLOCK_SAMPLES, BLOCK_BYTES // per_sample))
        yield range(1)
        for start in range(1, self._asked, size):
            yield range(start, min(start + size, self._asked))

    def _block(self, block: range, folder: Path) -> None:
        samples = [_Sample(self._samples.feed(self._places[i])) for i in block]
        count = len(self._dissection.chunks)
        for index in range(count):
            chunk = self._dissection.chunk(index)
            with _Opened(chunk, folder) as opened:
                for sample in samples:
                    self._record.stop_if_cancelled()
                    self._fresh |= set(self._sums.add(sample.through(opened)))
                    self._tell_now_and_then()
            done = self._done + len(block) * (index + 1) / count
            self._record.progress("errors", int(100 * done), 100 * self._asked, f"layers {index + 1} of {count}")
        self._done += len(block)

    def _tell_now_and_then(self) -> None:
        now = perf_counter()
        if now - self._saved >= SAVE_SECONDS:
            self._record.keep_layers(self._sums.errors(self._samples.name, self._asked, self._done))
            self._saved = now
        if now - self._told >= TELL_SECONDS:
            self._tell()
            self._told = now

    def _tell(self) -> None:
        """The run of layers between the first and the last that have new figures."""
        if self._fresh:
            first, last = min(self._fresh), max(self._fresh)
            figures = tuple(self._sums.figures(place) for place in range(first, last + 1))
            self._record.emit(LayersChecked(self._record.run.id, self._done, first, figures))
            self._fresh.clear()


class _Opened:
    """Sessions of the four parts of a chunk. A context manager."""

    def __init__(self, chunk: Chunk, folder: Path) -> None:
        self.chunk, self._folder = chunk, folder
        self._stack = ExitStack()

    def __enter__(self) -> _Opened:
        parts = self.chunk.reference, self.chunk.typed, self.chunk.reference_alone, self.chunk.typed_alone
        with ExitStack() as stack:
            threads = min(2, physical_cores())
            sessions = [stack.enter_context(Reference(part.onnx(), threads, self._folder)) for part in parts]
            self._runs = list(zip(parts, sessions, strict=True))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._runs.clear()
        self._stack.close()

    def infer(self, which: int, tensors: Mapping[str, NDArray[np.generic]]) -> Arrays:
        """`which` counts the parts in their order."""
        part, session = self._runs[which]
        made = session.infer(_fed(part, tensors))
        return {tensor: made[name] for name, tensor in part.outputs.items()}


class _Sample:
    """What one sample carries from chunk to chunk, in both graphs."""

    def __init__(self, feed: Feed) -> None:
        self._reference: Arrays = dict(feed)
        self._typed: Arrays = dict(feed)
        self._inputs = frozenset(feed)

    def through(self, opened: _Opened) -> Passes:
        self._reference |= (expected := opened.infer(0, self._reference))
        self._typed |= (typed := opened.infer(1, self._typed))
        passes = Passes(expected, typed, opened.infer(2, self._typed), opened.infer(3, self._reference))
        kept = opened.chunk.kept | self._inputs
        self._reference = {name: array for name, array in self._reference.items() if name in kept}
        self._typed = {name: array for name, array in self._typed.items() if name in kept}
        return passes


def _fed(part: Part, tensors: Mapping[str, NDArray[np.generic]]) -> Arrays:
    """A graph may have another float type for the same tensor."""
    return {name: tensors[name].astype(dtype, copy=False) for name, dtype in part.inputs.items()}
