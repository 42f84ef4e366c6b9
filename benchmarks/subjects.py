"""The models that several benchmarks run on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from workbench.core.run import TimingConfig
from workbench.resources import sample_models

UNTIMED = TimingConfig(warmup_ms=0, warmup_iterations=0, live_seconds=0, seconds=0, min_iterations=1)
"""For a run that is only built: its engine is timed by the benchmark itself."""


def subjects(given: Sequence[Path]) -> list[Path]:
    """Files, and those in folders; without any the samples and the folder that WORKBENCH_REAL_MODELS names.

    Of two files with one name, the first counts: a sample is also among the real ones.
    """
    real = os.environ.get("WORKBENCH_REAL_MODELS", "")
    places = given or [sample_models(), *([Path(real)] if real else [])]
    found = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*.onnx")))]
    first: dict[str, Path] = {}
    for path in found:
        first.setdefault(path.stem, path)
    return list(first.values())
