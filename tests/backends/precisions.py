"""Engines of a precision plan, as the pipeline makes them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from tests.backends import opening
from workbench.backends.base import Engine, load_backend
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig
from workbench.measure.reference import Reference
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


@cache
def _adds_exactly(backend: str) -> bool:
    with TemporaryDirectory() as folder:
        _, typed, engine = built(backend, "sums", Precision.INT8, Path(folder))
        feed = {"x": np.full((8, 8), 10, np.float32)}
        with engine.runner() as runner, Reference(typed.path) as exact:
            return np.allclose(runner.infer(feed)["y"], exact.infer(feed)["y"], rtol=0.01)


def needs_exact_sums(backend: str) -> None:
    """What INT8 engines compute is what is written where sums of products are whole: on a CPU with VNNI, AMX or others
    than x86. Elsewhere two products of 255 x 127 are cut off at 16 bits."""
    if not _adds_exactly(backend):
        pytest.skip("this CPU cuts sums of 8-bit products off at 16 bits")
