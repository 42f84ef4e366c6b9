"""How far outputs are from the reference, sample by sample in a stream: nothing is kept but sums."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.run import OutputError

Array = NDArray[np.generic]
SQNR_CAP_DB = 200.0
"""Equal bits have no noise; they are shown as this. Float32 against float32 never reaches it otherwise."""
BLOCK = 2**13
"""Values computed with at a time, in float64: 64 KiB stay in the cache, and are below what malloc asks the system for
anew each time."""


class OutputErrors:
    """Errors of every output over all samples. `add` a sample, read `errors()` and `warnings()` at any time."""

    def __init__(self) -> None:
        self._sums: dict[str, ErrorSums] = {}
        self._warnings: dict[str, None] = {}

    def add(self, reference: Mapping[str, Array], actual: Mapping[str, Array]) -> None:
        """One sample: the reference's outputs and the engine's, by name."""
        for name, expected in reference.items():
            if name not in actual:
                self._warn(f"The engine has no output {name!r}: not compared.")
            elif expected.size != actual[name].size:
                self._warn(
                    f"Output {name!r} has shape {actual[name].shape} in the engine and {expected.shape} in the"
                    " reference: counted as all wrong."
                )
                self._sums.setdefault(name, ErrorSums()).miss(expected, actual[name])
            else:
                self._sums.setdefault(name, ErrorSums()).add(expected, actual[name])

    def errors(self) -> dict[str, OutputError]:
        return {name: sums.error() for name, sums in self._sums.items()}

    def worst_sqnr_db(self) -> float:
        """The lowest over the outputs that are compared as numbers; the cap where there are none."""
        found = [sums.error().sqnr_db for sums in self._sums.values() if not sums.is_discrete]
        return min(found, default=SQNR_CAP_DB)

    def agreement(self) -> float | None:
        """The least share of equal values of an output; None where any is compared as numbers, or there is none."""
        shares = [error.agreement for error in self.errors().values()]
        return None if None in shares else min((share for share in shares if share is not None), default=None)

    def warnings(self) -> tuple[str, ...]:
        lost = [
            f"Output {name!r}: {sums.lost} of {sums.count} values are NaN or infinite and not alike, {sums.broken} of"
            " them where the reference has a number."
            for name, sums in self._sums.items()
            if sums.lost
        ]
        return (*self._warnings, *lost)

    def _warn(self, text: str) -> None:
        self._warnings[text] = None


class ErrorSums:
    """Running sums of one tensor: enough for cosine, SQNR and the largest difference. Computed a block at a time."""

    def __init__(self) -> None:
        self.count = self.lost = self.broken = self.equal = self.nan = self.inf = 0
        self.is_discrete = False
        self._dot = self._reference2 = self._actual2 = self._noise2 = self._max_abs = 0.0

    def add(self, reference: Array, actual: Array) -> None:
        """Two arrays of one size."""
        self.count += reference.size
        self.is_discrete = reference.dtype.kind not in "fc"
        flat, got = _flat(reference), _flat(actual)
        for start in range(0, flat.size, BLOCK):
            self._add_block(flat[start : start + BLOCK], got[start : start + BLOCK])

    def miss(self, reference: Array, actual: Array) -> None:
        """Two arrays of different sizes, such as found boxes: values of one have none in the other to be compared with.

        The noise is the power of both, and nothing is equal.
        """
        self.is_discrete = reference.dtype.kind not in "fc"
        self.count += max(reference.size, actual.size)
        if reference.dtype.kind not in "fiubc" or actual.dtype.kind not in "fiubcV":
            return
        expected, got = (values[np.isfinite(values)].astype(np.float64) for values in map(_flat, (reference, actual)))
        self._reference2 += float(expected @ expected)
        self._actual2 += float(got @ got)
        self._noise2 += float(expected @ expected) + float(got @ got)
        self._max_abs = max(self._max_abs, *(float(np.abs(values).max(initial=0.0)) for values in (expected, got)))

    def _add_block(self, reference: Array, actual: Array) -> None:
        if reference.dtype.kind not in "fiub" or actual.dtype.kind not in "fiubV":
            self.is_discrete = True
            self.equal += int(np.count_nonzero(reference == actual))
            return
        expected, got = reference.astype(np.float64), actual.astype(np.float64)
        self.equal += int(np.count_nonzero(expected == got)) if self.is_discrete else 0
        with np.errstate(over="ignore", invalid="ignore"):
            if not self._add_numbers(expected, got):
                self._add_numbers(*self._finite(expected, got), is_sure=True)

    def _finite(
        self, expected: NDArray[np.float64], got: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where both are finite. The same NaN or infinity on both sides is no error; else it is lost.

        Lost values count in no sum; where the engine lost them (`broken`) the SQNR is the worst there is.
        """
        good = np.isfinite(expected) & np.isfinite(got)
        if good.all():
            return expected, got
        same = (expected == got) | (np.isnan(expected) & np.isnan(got))
        had = np.isfinite(expected)
        self.lost += int(np.count_nonzero(~good & ~same))
        self.broken += int(np.count_nonzero(had & ~good))
        self.nan += int(np.count_nonzero(had & np.isnan(got)))
        self.inf += int(np.count_nonzero(had & np.isinf(got)))
        return expected[good], got[good]

    def _add_numbers(self, expected: NDArray[np.float64], got: NDArray[np.float64], *, is_sure: bool = False) -> bool:
        """False, and nothing is added, where a value is not finite, or (unless `is_sure`) its square is not."""
        difference = expected - got
        noise2 = float(difference @ difference)
        if not is_sure and not math.isfinite(noise2):
            return False
        self._noise2 += noise2  # beyond 1e154 not finite: `error` says the worst then
        self._dot += float(expected @ got)
        self._reference2 += float(expected @ expected)
        self._actual2 += float(got @ got)
        if difference.size:
            self._max_abs = max(self._max_abs, float(difference.max()), -float(difference.min()))
        return True

    def error(self) -> OutputError:
        """Cosine = <r, a> / (|r| |a|); SQNR = 10 log10(sum r^2 / sum (r - a)^2) dB; both over all samples at once.

        All are finite: a NaN or infinity of the engine where the reference has a number is -200 dB.
        """
        agreement = self.equal / self.count if self.is_discrete and self.count else None
        return OutputError(self._cosine(), self._sqnr_db(), min(self._max_abs, sys.float_info.max), agreement)

    def _cosine(self) -> float:
        norms = math.sqrt(self._reference2) * math.sqrt(self._actual2)
        if not math.isfinite(norms) or not math.isfinite(self._dot):
            return 0.0
        if norms == 0.0:
            return 1.0 if self._reference2 == self._actual2 else 0.0
        return max(-1.0, min(1.0, self._dot / norms))

    def _sqnr_db(self) -> float:
        if self.broken or self.lost == self.count > 0:
            return -SQNR_CAP_DB
        if self._noise2 == 0.0:
            return SQNR_CAP_DB
        if self._reference2 == 0.0 or not math.isfinite(self._noise2):
            return -SQNR_CAP_DB
        decibels = 10 * (math.log10(self._reference2) - math.log10(self._noise2))
        return max(-SQNR_CAP_DB, min(SQNR_CAP_DB, decibels))


def _flat(array: Array) -> Array:
    """Of complex numbers real and imaginary parts in turn."""
    if array.dtype.kind == "c":
        array = np.ascontiguousarray(array).view(array.real.dtype)
    return array.ravel()
