"""Real models as data: how many boxes they have, how many crossings are allowed, how straight they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx.backend.test.data
import pytest

from tests.views.canvas.test_layout import assert_no_overlap
from workbench.model import open_model
from workbench.resources import sample_models
from workbench.views.canvas.nest import Nest
from workbench.views.canvas.scene import Scene

LIGHT = Path(next(iter(onnx.backend.test.data.__path__))) / "light"

# path, boxes, most crossings, least share of edges that are one vertical line
MODELS = [
    (sample_models() / "fashion" / "fashion_resnet.onnx", 35, 0, 0.75),
    (sample_models() / "ocr" / "ppocrv4_rec.onnx", 442, 0, 0.9),
    (LIGHT / "light_resnet50.onnx", 178, 0, 0.9),
    (LIGHT / "light_densenet121.onnx", 912, 0, 0.7),
    (LIGHT / "light_inception_v1.onnx", 146, 0, 0.6),
    (LIGHT / "light_inception_v2.onnx", 511, 0, 0.6),
    (LIGHT / "light_squeezenet.onnx", 68, 0, 0.75),
    (LIGHT / "light_vgg19.onnx", 48, 0, 1.0),
]


def measure(text: str, mono: bool) -> float:
    return len(text) * (6.0 if mono else 7.0)


def straightness(scene: Scene) -> float:
    x = scene.placed.x[scene.edges]
    return float(np.mean(np.abs(x[:, 0] - x[:, 1]) < 0.5))


@pytest.mark.parametrize(("path", "boxes", "crossings", "straight"), MODELS, ids=[p[0].stem for p in MODELS])
def test_real_models_are_laid_out_calmly(path: Path, boxes: int, crossings: int, straight: float) -> None:
    scene = Nest(open_model(path).graph, measure).scene(())
    assert scene.count == boxes
    assert scene.placed.crossings <= crossings
    assert straightness(scene) >= straight
    assert_no_overlap(scene.placed, scene.widths)


def test_every_body_of_a_real_model_opens() -> None:
    nest = Nest(open_model(sample_models() / "silero_vad" / "silero_vad.onnx").graph, measure)
    bodies = [path for path in nest.paths() if path]
    assert len(bodies) >= 2
    for path in bodies:
        scene = nest.scene(path)
        assert scene.count > 0
        assert_no_overlap(scene.placed, scene.widths)
