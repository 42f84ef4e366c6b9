"""A model opened and copied for a backend, in FP32: what the rooms before this one would hand over."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from tests.backends import models
from workbench.core.model import Model, TypedModel
from workbench.model import open_model, private_copy


def opened(name: str, folder: Path) -> Model:
    return open_model(str(models.write(name, folder)))


def typed(model: Model, folder: Path, shapes: Mapping[str, tuple[int, ...]] | None = None) -> TypedModel:
    """The model's private copy as a typed model of the plain FP32 plan."""
    path = folder / "typed.onnx"
    fixed = dict(shapes or model.shapes)
    onnx.save_model(private_copy(model, fixed), path)
    return TypedModel(model=model, path=str(path), shapes=fixed)


def feed_of(model: Model, seed: int = 1) -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(seed)
    return {s.name: rng.standard_normal(model.shapes[s.name]).astype(s.dtype) for s in model.inputs}


def reference(model: Model, feed: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """What ONNX Runtime computes with every optimisation off; from a copy, as it refuses nodes of the same name."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(private_copy(model).SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, dict(feed)), strict=True))


def sqnr_db(expected: NDArray[np.generic], found: NDArray[np.generic]) -> float:
    signal = np.asarray(expected, np.float64)
    noise = np.asarray(found, np.float64) - signal
    return float(10 * np.log10(((signal**2).sum() + 1e-30) / ((noise**2).sum() + 1e-30)))
