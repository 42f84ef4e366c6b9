"""The models that several benchmarks run on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.core.model import Model
from workbench.core.recipe import InputSpec, Recipe
from workbench.core.run import TimingConfig
from workbench.data import read_recipe
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


def subject_recipe(model: Model) -> Recipe:
    """Its own; else inputs as the manifest beside a collection of models has them."""
    path = Path(model.path)
    for manifest in (path.parent / "manifest.json", path.parent.parent / "manifest.json"):
        entries = json.loads(manifest.read_text()) if manifest.is_file() else []
        feed = next((entry["feed"] for entry in entries if entry["id"] == path.stem), {})
        if feed:
            return Recipe(inputs={name: _input(spec) for name, spec in feed.items()})
    return read_recipe(model)


def _input(spec: Mapping[str, Any]) -> InputSpec:
    low, high = spec.get("int", (None, None))
    return InputSpec(tuple(spec["shape"]) if "shape" in spec else None, low, high, spec.get("const"))
