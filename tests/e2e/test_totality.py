"""Both directions of the link are total: every node of a model has a fate, every layer nodes or a reason, in words too.

Two of the sample models always; the collection of real ones where WORKBENCH_REAL_MODELS names its folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pytestqt.qtbot import QtBot

from tests.e2e.test_real_models import CASES
from workbench.backends.base import load_backend
from workbench.core.graph import FateKind, LayerKind
from workbench.core.model import Model
from workbench.core.precision import Calibration, Precision, PrecisionPlan
from workbench.core.recipe import Recipe
from workbench.core.run import BuildConfig, EngineGraph, Run, RunRequest, Status, TimingConfig
from workbench.data import read_recipe
from workbench.model import open_model
from workbench.pipeline import run
from workbench.pipeline.alignment import align
from workbench.pipeline.artefacts import read_engine, read_ledger
from workbench.session.questions import Opened
from workbench.session.selection import Links
from workbench.session.session import Session
from workbench.session.telling import fate_badge, layer_answer, node_answer
from workbench.store import Store
from workbench.views.application import make_application
from workbench.views.main_window import MainWindow

REAL = os.environ.get("WORKBENCH_REAL_MODELS", "")
SAMPLES = Path(__file__).parent.parent.parent / "sample_models"
MODELS = {
    "digits": SAMPLES / "digits" / "digits_resnet.onnx",
    "silero_vad": SAMPLES / "silero_vad" / "silero_vad.onnx",
    "tree": SAMPLES / "tree" / "tree_classifier.onnx",
    **({name: Path(REAL) / f"{name}.onnx" for name in CASES} if REAL else {}),
}
BACKENDS = ("openvino", "onnxruntime", "tensorrt_rtx")
UNTIMED = TimingConfig(warmup_ms=0, warmup_iterations=0, seconds=0, min_iterations=0)
MOST_CLICKED = 60  # of each graph; with the collection every one of them
WITHOUT_NODES = (LayerKind.REFORMAT, LayerKind.CONSTANT, LayerKind.SYNC, LayerKind.SHAPE, LayerKind.CONTROL)


class Made(NamedTuple):
    run: Run
    folder: Path
    engine: EngineGraph


class Case(NamedTuple):
    model: Model
    recipe: Recipe
    made: list[Made]


@pytest.fixture(scope="module", params=MODELS)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Every engine of a model that can be built here, in a data folder of its own."""
    name = str(request.param)
    if not MODELS[name].is_file():
        pytest.skip(f"{name} is not in the collection")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp(name)))
        model = open_model(MODELS[name])
        recipe = Recipe(inputs=CASES[name].inputs) if name in CASES else read_recipe(model)
        precisions = (Precision.FP32,) if name == "silero_vad" else (Precision.FP32, Precision.INT8)
        built = [_build(model, recipe, backend, p) for backend in BACKENDS for p in precisions]
        yield Case(model, recipe, [made for made in built if made is not None])


def _build(model: Model, recipe: Recipe, backend: str, precision: Precision) -> Made | None:
    """None where the backend is not here, or refuses the model in a sentence."""
    if not load_backend(backend).capabilities().available:
        return None
    run_id, folder = Store().new_folder()
    plan = PrecisionPlan(default=precision, calibration=Calibration(samples=2))
    config = BuildConfig(backend=backend, plan=plan, threads=1)
    request = RunRequest(run_id, str(folder), model.path, config, recipe, calibration="random", timing=UNTIMED)
    done = run(request, lambda _event: None, lambda: False)
    if done.status is not Status.DONE:
        assert done.error is not None and done.error.hint and not done.error.detail, done.error
        return None
    engine = read_engine(folder)
    assert engine is not None
    return Made(done, folder, engine)


def test_every_node_has_a_fate_whose_layers_there_are(case: Case) -> None:
    nodes = [node.id for node in case.model.graph.walk()]
    assert case.made
    for made in case.made:
        layers = {layer.id for layer in made.engine.graph.walk()}
        assert set(made.engine.fates) == set(nodes), made.run.id
        assert made.run.build is not None and made.run.build.mapped == len(nodes)
        for node, fate in made.engine.fates.items():
            assert fate.kind is not FateKind.UNKNOWN and layers.issuperset(fate.layers), (made.run.config, node, fate)
            assert fate.layers or fate.kind not in (FateKind.FUSED, FateKind.ALONE, FateKind.SPLIT), (node, fate)


def test_every_layer_has_nodes_or_a_kind_that_needs_none(case: Case) -> None:
    nodes = {node.id for node in case.model.graph.walk()}
    for made in case.made:
        links = Links(case.model, made.engine)
        for layer in made.engine.graph.walk():
            assert nodes.issuperset(layer.sources)
            assert layer.sources or layer.kind in WITHOUT_NODES, (made.run.config, layer)
            assert links.layers_of(layer.sources) >= ({layer.id} if layer.sources else set())


def test_every_node_and_every_layer_answers_in_words(case: Case) -> None:
    for made in case.made:
        links = Links(case.model, made.engine)
        for node in links.nodes.values():
            said = node_answer(node, links)
            assert len(said) > 10 and "does not say" not in said, (made.run.config, node)
            assert fate_badge(links.fates[node.id], links)
        for layer in links.layers.values():
            assert len(layer_answer(layer, links, made.engine.graph)) > len("Runs .")


def test_the_ledger_and_the_alignment_have_every_layer_once(case: Case) -> None:
    for made in case.made:
        layers = [layer.id for layer in made.engine.graph.walk()]
        ledger = read_ledger(made.folder, made.run)
        assert ledger is not None and [row.layer for row in ledger.rows] == layers
        assert sum(row.count for row in ledger.patterns) == len(layers)
        first = case.made[0].engine
        groups = align(first, made.engine).groups
        assert sorted(key for group in groups for key in group.b) == sorted(layers)
        assert sorted(key for group in groups for key in group.a) == sorted(layer.id for layer in first.graph.walk())


def test_every_node_and_every_layer_answers_in_the_window(case: Case, qtbot: QtBot, qapp: object) -> None:
    """In the strip above the graphs and in the inspector, whichever is selected."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(case.made[0].folder.parent.parent))
        make_application()
        session = Session()
        session.settings.set("theme", "light")
        window = MainWindow(session, remembers=False)
        qtbot.addWidget(window)
        window.show()
        session.take(Opened(case.model, case.recipe))
        session.set_current(case.made[0].run.id)
        for select, ids in ((session.select_nodes, session.links.nodes), (session.select_layers, session.links.layers)):
            for key in list(ids)[:: 1 if REAL else len(ids) // MOST_CLICKED + 1]:
                select([key])
                assert session.selection.nodes == {key} or session.selection.layers == {key}
                assert len(window.panes.bar.answer.words.soft) > len("Runs ."), key
                assert len(window.inspector.texts()) > 3, key
        window.close()
