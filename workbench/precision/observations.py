"""What calibration saw: one histogram per tensor. Saved as .npz without pickles."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from workbench.core.errors import WorkbenchError
from workbench.core.precision import Calibration
from workbench.precision.histogram import BINS, Histogram
from workbench.precision.thresholds import threshold


@dataclass
class Observations:
    """Histograms by tensor name (of the clean base graph), over `samples` feeds."""

    histograms: dict[str, Histogram] = field(default_factory=dict)
    samples: int = 0
    notes: tuple[str, ...] = ()

    def __contains__(self, tensor: str) -> bool:
        return tensor in self.histograms and self.histograms[tensor].count > 0

    def threshold(self, tensor: str, calibration: Calibration, *, unsigned: bool = False) -> float:
        """Magnitude beyond which values are clipped (see `thresholds`). Raises WorkbenchError for an unseen tensor."""
        return threshold(self._histogram(tensor), calibration, unsigned=unsigned)

    def range(self, tensor: str, calibration: Calibration) -> tuple[float, float]:
        """Lowest and highest value an asymmetric uint8 form keeps; zero is always inside."""
        histogram = self._histogram(tensor)
        limit = self.threshold(tensor, calibration, unsigned=True)
        return max(min(histogram.low, 0.0), -limit), min(max(histogram.high, 0.0), limit)

    def is_non_negative(self, tensor: str) -> bool:
        """Whether no value below zero was ever seen."""
        return self._histogram(tensor).low >= 0.0

    def _histogram(self, tensor: str) -> Histogram:
        if tensor not in self:
            raise WorkbenchError(
                f"Calibration saw no values of {tensor!r}.", "Calibrate again: the model or its shapes have changed."
            )
        return self.histograms[tensor]

    def save(self, path: Path) -> None:
        """One .npz: names and notes as JSON bytes, one row of every array per tensor."""
        all_of = list(self.histograms.values())
        head = json.dumps({"tensors": list(self.histograms), "samples": self.samples, "notes": list(self.notes)})
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                head=np.frombuffer(head.encode(), np.uint8),
                counts=np.array([h.counts for h in all_of], np.int64).reshape(-1, BINS),
                ranges=np.array([(h.top, h.low, h.high) for h in all_of], np.float64).reshape(-1, 3),
                skipped=np.array([h.skipped for h in all_of], np.int64),
            )

    @classmethod
    def load(cls, path: Path) -> Observations:
        """Raises WorkbenchError where the file is not one of ours."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                head = json.loads(stored["head"].tobytes())
                counts = stored["counts"].astype(np.int64).reshape(-1, BINS)
                rows = zip(counts, stored["ranges"].tolist(), stored["skipped"].tolist(), strict=True)
                histograms = [Histogram(row, top, low, high, skip) for row, (top, low, high), skip in rows]
            named = dict(zip(head["tensors"], histograms, strict=True))
            return cls(named, int(head["samples"]), tuple(head["notes"]))
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise WorkbenchError(
                f"{path.name} holds no calibration: {error}", "Delete it and calibrate again."
            ) from error
