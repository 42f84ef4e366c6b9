"""Engines of a precision plan, as the pipeline makes them."""

from __future__ import annotations

from pathlib import Path

from tests.backends import opening
from workbench.backends.base import Engine, load_backend
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig
from workbench.precision import compile_plan, observe


def built(backend: str, name: str, precision: Precision, folder: Path) -> tuple[Model, TypedModel, Engine]:
    """The model of `tests.backends.models` in one precision, calibrated on four random feeds."""
    model = opening.opened(name, folder)
    plan = PrecisionPlan(default=precision)
    feeds = [opening.feed_of(model, seed) for seed in range(4)]
    observations, found = None, load_backend(backend)
    if plan.needs_calibration:
        observations = observe(model, model.shapes, feeds, total=4, dialect=found.dialect())
    typed = compile_plan(model, plan, found.dialect(), model.shapes, folder, observations)
    config = BuildConfig(backend=backend, plan=plan, shapes=dict(model.shapes), threads=1)
    return model, typed, found.build(typed, config, folder, lambda *step: None)
