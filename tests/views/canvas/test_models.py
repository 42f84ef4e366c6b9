"""Real models as data: how many boxes they have, how many crossings are allowed, how straight they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx.backend.test.data
import pytest
from onnx.backend.test.case.node import collect_testcases

from tests.views.canvas.checks import assert_tidy
from workbench.core.graph import Graph
from workbench.model import find_all_scopes, open_model
from workbench.resources import sample_models
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.grouping import everything, first_opened
from workbench.views.canvas.nest import Nest
from workbench.views.canvas.scene import Scene, build_scene

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


REAL = sorted(Path(os.environ["WORKBENCH_REAL_MODELS"]).glob("*.onnx")) if "WORKBENCH_REAL_MODELS" in os.environ else []


def measure(text: str, mono: bool) -> float:
    return len(text) * (6.0 if mono else 7.0)


def straightness(scene: Scene) -> float:
    x = scene.placed.x[scene.edges]
    return float(np.mean(np.abs(x[:, 0] - x[:, 1]) < 0.5))


@pytest.mark.parametrize("is_grouped", [False, True])
@pytest.mark.parametrize(("path", "boxes", "crossings", "straight"), MODELS, ids=[p[0].stem for p in MODELS])
def test_real_models_are_laid_out_calmly(
    path: Path, boxes: int, crossings: int, straight: float, is_grouped: bool
) -> None:
    graph = open_model(path).graph
    body = Nest(graph, measure, find_all_scopes(graph) if is_grouped else None).body(())
    scene = build_scene(body, everything(body))
    assert scene.count == boxes
    assert scene.placed.crossings <= crossings
    assert straightness(scene) >= straight
    assert_tidy(scene)


@pytest.mark.parametrize("path", REAL, ids=[path.stem for path in REAL])
def test_models_of_every_kind_are_tidy(path: Path) -> None:
    graph = open_model(path).graph
    nest = Nest(graph, measure, find_all_scopes(graph))
    for inside in nest.paths():
        body = nest.body(inside)
        for opened in (first_opened(body), everything(body), frozenset[str]()):
            assert_tidy(build_scene(body, opened))


def test_every_body_of_a_real_model_opens() -> None:
    graph = open_model(sample_models() / "silero_vad" / "silero_vad.onnx").graph
    nest = Nest(graph, measure, find_all_scopes(graph))
    bodies = [path for path in nest.paths() if path]
    assert len(bodies) >= 2
    for path in bodies:
        assert nest.scene(path).count > 0
        assert_tidy(nest.scene(path))


def test_every_graph_of_the_onnx_package_opens_on_the_canvas(canvas: GraphCanvas) -> None:
    paths = sorted(LIGHT.parent.rglob("*.onnx"))
    assert len(paths) > 100
    for path in paths:
        graph = open_model(path).graph
        canvas.set_graph(graph, find_all_scopes(graph))
        assert canvas.scene.count > 0, path.name
        assert (canvas.scene.placed.lines.last >= 0).all(), path.name
        canvas.grab()
        canvas.collapse_all()
        canvas.fit()
        canvas.grab()
        assert not canvas.error_text, path.name


@pytest.mark.filterwarnings("ignore")  # of the cases' own making
def test_every_node_case_of_the_onnx_package_opens_on_the_canvas(canvas: GraphCanvas, tmp_path: Path) -> None:
    """Each operator of ONNX in every form its authors test, with the bodies of If, Loop, Scan and SequenceMap."""
    cases = [case.model for case in collect_testcases("") if case.model is not None]
    assert len(cases) > 1500
    for model in cases:
        path = tmp_path / "case.onnx"
        onnx.save(model, path)
        graph = open_model(path).graph
        canvas.set_graph(graph, find_all_scopes(graph))
        canvas.grab()
        for body in bodies_of(graph):
            canvas.fly_to(body.layers[0].id)
            assert canvas.path, model.graph.name
            canvas.grab()
        assert not canvas.error_text, model.graph.name


def bodies_of(graph: Graph) -> Iterator[Graph]:
    """Bodies of any depth that have a layer to fly to."""
    for body in graph.subgraphs.values():
        if body.layers:
            yield body
        yield from bodies_of(body)
