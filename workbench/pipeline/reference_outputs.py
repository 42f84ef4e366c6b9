"""Outputs of the reference, kept by content: a comparison of eight configurations computes them once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.model import Model
from workbench.core.places import data_home
from workbench.core.writing import written_whole
from workbench.data import SampleSet
from workbench.measure.machine import package_versions, physical_cores
from workbench.measure.reference import Reference
from workbench.model import plain_copy
from workbench.pipeline.samples import feed_digest

Outputs = dict[str, NDArray[np.generic]]
LIMIT_BYTES = 256 * 2**20
WORTH_SECONDS = 0.004
"""What takes less to compute than this is not kept: reading it back would cost as much."""


class KeptPairs:
    """Samples with the reference's outputs, in memory as far as `limit_bytes` go: many plans ask for the same ones."""

    def __init__(self, samples: SampleSet, limit_bytes: int) -> None:
        self._samples, self._room = samples, limit_bytes
        self._kept: dict[int, tuple[Feed, Outputs]] = {}

    def __contains__(self, index: int) -> bool:
        """Whether that sample costs nothing."""
        return index in self._kept

    def pair(self, index: int, reference: ReferenceOutputs) -> tuple[Feed, Outputs]:
        """Raises WorkbenchError where the reference cannot run the model, or the sample cannot be read."""
        if index in self._kept:
            return self._kept[index]
        feed = self._samples.feed(index)
        pair = feed, reference.infer(feed)
        size = sum(array.nbytes for part in pair for array in part.values())
        if size <= self._room:
            self._kept[index] = pair
            self._room -= size
        return pair


class ReferenceOutputs:
    """`infer` like a reference, from the disk where it was asked before. A context manager.

    A file is one feed of one model: its name is a hash of the model, the feed's bytes and ONNX Runtime's version,
    so that nothing can be out of date. All together stay below 256 MB; the oldest go first.
    """

    def __init__(self, model: Model, limit_bytes: int = LIMIT_BYTES) -> None:
        self._model = model
        self._limit = limit_bytes
        self._folder = data_home() / "reference"
        self._session: Reference | None = None
        self._salt = f"{model.sha256}\0{package_versions().get('onnxruntime', '')}\0".encode()
        self._written = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            self._session.__exit__(kind, error, trace)
        if self._written:
            shrink(self._folder, self._limit)

    def infer(self, feed: Feed) -> Outputs:
        """The reference's outputs. Raises WorkbenchError where ONNX Runtime cannot run the model."""
        path = self._folder / (hashlib.sha256(self._salt + feed_digest(feed)).hexdigest() + ".npz")
        known = _load(path)
        if known is not None:
            return known
        if self._session is None:
            self._session = Reference(_file(self._model), min(2, physical_cores()))
        start = perf_counter()
        outputs = self._session.infer(feed)
        if perf_counter() - start > WORTH_SECONDS:
            self._written |= _store(path, outputs, self._limit // 4)
        return outputs


def _file(model: Model) -> bytes:
    """The model as it is, but for what ONNX Runtime minds: names that nodes share, and an order that is none."""
    data: bytes = plain_copy(model).SerializeToString()
    return data


def _load(path: Path) -> Outputs | None:
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {str(name): file[f"o{i}"] for i, name in enumerate(file["names"])}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _store(path: Path, outputs: Outputs, limit: int) -> bool:
    """Whether it was kept: not what numpy can only pickle, would fill the cache alone, or the disk refuses."""
    if any(array.dtype.kind in "OV" for array in outputs.values()):
        return False
    if sum(array.nbytes for array in outputs.values()) > limit:
        return False
    arrays: dict[str, Any] = {f"o{i}": array for i, array in enumerate(outputs.values())}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path, sync=False) as file:
            np.savez(file, names=np.array(list(outputs)), **arrays)
    except OSError:  # a full or read-only disk costs time, not the run
        return False
    return True


def shrink(folder: Path, limit: int) -> None:
    """Removes the oldest files, halves of killed runs among them, until at most `limit` bytes are left."""
    files = []
    for path in folder.iterdir():
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue  # another run was faster
        files.append((stat.st_mtime, stat.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= size
