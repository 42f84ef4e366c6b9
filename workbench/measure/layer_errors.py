"""Errors of every layer, sample by sample in a stream: nothing is kept but sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from workbench.core.layer_errors import CheckedTensor, LayerErrors, LayerFigures, TensorError
from workbench.measure.accuracy import ErrorSums

Tensors = Mapping[str, NDArray[np.generic]]


class Passes(NamedTuple):
    """The tensors of some layers as one sample makes them: in sequence, and each layer alone with the inputs of the
    other graph (the words of `LayerFigures`: f(x), q(y), f(y), q(x))."""

    reference: Tensors
    typed: Tensors
    reference_alone: Tensors
    typed_alone: Tensors


class LayerSums:
    """`add` passes of a sample, read `figures` at any time."""

    def __init__(self, tensors: Sequence[CheckedTensor]) -> None:
        self.tensors = tuple(tensors)
        self.places = {tensor.name: i for i, tensor in enumerate(tensors)}
        self._sums = [_Three() for _ in tensors]

    def add(self, passes: Passes) -> list[int]:
        """The places that have new figures. A layer whose output has another shape in the typed graph has none."""
        found = [self.places[name] for name in passes.reference if name in self.places]
        for place in found:
            self._sums[place].add(self.tensors[place].name, passes)
        return found

    def figures(self, place: int) -> LayerFigures | None:
        return self._sums[place].figures()

    def errors(self, source: str, asked: int, samples: int) -> LayerErrors:
        """Everything there is, as one value."""
        figures = tuple(sums.figures() for sums in self._sums)
        return LayerErrors(source, asked, samples, self.tensors, figures)


class _Three:
    def __init__(self) -> None:
        self.samples = 0
        self._total, self._introduced, self._inherited = ErrorSums(), ErrorSums(), ErrorSums()

    def add(self, name: str, passes: Passes) -> None:
        expected = passes.reference[name]
        others = (passes.typed[name], passes.typed_alone[name], passes.reference_alone[name])
        if any(other.shape != expected.shape for other in others):
            return
        self.samples += 1
        for sums, other in zip((self._total, self._introduced, self._inherited), others, strict=True):
            sums.add(expected, other)

    def figures(self) -> LayerFigures | None:
        if not self.samples:
            return None
        return LayerFigures(self.samples, *(_error(s) for s in (self._total, self._introduced, self._inherited)))


def _error(sums: ErrorSums) -> TensorError:
    error = sums.error()
    return TensorError(error.cosine, error.sqnr_db, error.max_abs, sums.nan, sums.inf, error.agreement)
