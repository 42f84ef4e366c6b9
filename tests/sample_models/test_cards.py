"""What the cards of the sample models say, measured again: counts, sets, recipes, licences and FP32 figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from workbench.core.model import Model
from workbench.core.recipe import Recipe
from workbench.data import SampleSet, open_samples
from workbench.measure.reference import Reference
from workbench.measure.metrics.text_lines import ctc_characters, ctc_text
from workbench.model import open_model
from workbench.resources import sample_models

ROOT = sample_models()


@dataclass(frozen=True)
class Card:
    """One sample. `nodes` counts the bodies of If too; `right` is of the whole evaluation set, FP32."""

    model: str
    nodes: int
    calibration: int = 0
    evaluation: int = 0
    right: int = 0

    @property
    def path(self) -> Path:
        return ROOT / self.model

    @property
    def text(self) -> str:
        return (self.path.parent / "README.md").read_text(encoding="utf-8")


CARDS = (
    Card("ocr/ppocrv4_rec.onnx", 860, 48, 200, right=193),
    Card("fashion/fashion_resnet.onnx", 33, 256, 2000, right=1837),
    Card("digits/digits_resnet.onnx", 16, 64, 597, right=597),
    Card("silero_vad/silero_vad.onnx", 689),
    Card("tree/tree_classifier.onnx", 1),
)
every_card = pytest.mark.parametrize("card", CARDS, ids=lambda card: card.path.stem)
labelled_card = pytest.mark.parametrize("card", [c for c in CARDS if c.evaluation], ids=lambda card: card.path.stem)


def recipe_of(card: Card) -> Recipe:
    return msgspec.toml.decode(card.path.with_suffix(".workbench.toml").read_bytes(), type=Recipe, strict=True)


def open_set(card: Card, model: Model, source: str) -> SampleSet:
    recipe = recipe_of(card)
    path = source if source == "random" else str(card.path.parent / source)
    shapes = {name: spec.shape for name, spec in recipe.inputs.items() if spec.shape is not None}
    return open_samples(path, model, recipe, shapes)


def count_nodes(graph: onnx.GraphProto) -> int:
    bodies = (a.g for node in graph.node for a in node.attribute if a.type == onnx.AttributeProto.GRAPH)
    return len(graph.node) + sum(map(count_nodes, bodies))


def read_line(output: NDArray[np.generic], model: Model) -> str:
    return ctc_text(output[0].argmax(axis=-1), ctc_characters(model.metadata["character"], output.shape[-1]))


def answer(card: Card, model: Model, output: NDArray[np.generic]) -> str | int:
    return read_line(output, model) if card.path.parent.name == "ocr" else int(output.argmax())


def test_the_table_has_every_sample_and_the_readme_lists_it() -> None:
    found = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.onnx"))
    assert found == sorted(card.model for card in CARDS)
    overview = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"]({card.path.parent.name}/README.md)" in overview for card in CARDS)


def test_all_samples_together_stay_below_25_megabytes() -> None:
    assert sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file()) < 25_000_000


@every_card
def test_the_card_tells_size_and_nodes_of_the_file(card: Card) -> None:
    assert f"{card.path.stat().st_size:,} bytes" in card.text
    assert count_nodes(onnx.load(card.path).graph) == card.nodes
    assert str(card.nodes) in card.text


@every_card
def test_the_card_names_its_licence_and_the_recipe_the_same(card: Card) -> None:
    recipe = recipe_of(card)
    assert recipe.licence and recipe.title and recipe.summary
    assert f"{recipe.licence}" in next(line for line in card.text.splitlines() if line.startswith("| Licence"))


@every_card
def test_the_recipe_gives_every_input_a_shape_that_onnx_runtime_takes(card: Card) -> None:
    model = open_model(card.path)
    assert set(recipe_of(card).inputs) == {tensor.name for tensor in onnx.load(card.path).graph.input}
    with Reference(card.path) as reference:
        outputs = reference.infer(open_set(card, model, "random").feed(0))
    assert all(np.isfinite(value).all() for value in outputs.values())


@labelled_card
def test_sets_hold_as_many_samples_as_the_card_says(card: Card) -> None:
    model, recipe = open_model(card.path), recipe_of(card)
    calibration, evaluation = open_set(card, model, recipe.calibration), open_set(card, model, recipe.evaluation)
    assert (len(calibration), len(evaluation)) == (card.calibration, card.evaluation)
    assert calibration.labels is None and evaluation.labels is not None
    assert not calibration.warnings and not evaluation.warnings
    assert f"{card.calibration}" in card.text and f"{card.evaluation}" in card.text


@labelled_card
def test_no_calibration_sample_is_in_the_evaluation_set(card: Card) -> None:
    model, recipe = open_model(card.path), recipe_of(card)
    calibration, evaluation = (
        {next(iter(feed.values())).tobytes() for feed in open_set(card, model, source)}
        for source in (recipe.calibration, recipe.evaluation)
    )
    assert not calibration & evaluation


@labelled_card
def test_fp32_is_right_as_often_as_the_card_says(card: Card) -> None:
    """The counts were taken with optimisations on; one answer may tip on another processor."""
    model, recipe = open_model(card.path), recipe_of(card)
    assert recipe.task is not None
    samples, name = open_set(card, model, recipe.evaluation), recipe.task.output
    with Reference(card.path) as reference:
        answers = [answer(card, model, reference.infer(feed)[name]) for feed in samples]
    right = sum(a == b for a, b in zip(answers, samples.labels or (), strict=True))
    assert abs(right - card.right) <= 1
    assert f"{card.right} of {card.evaluation}" in card.text


def test_every_label_of_the_text_lines_is_made_of_the_models_characters() -> None:
    card = CARDS[0]
    model, recipe = open_model(card.path), recipe_of(card)
    known = set(ctc_characters(model.metadata["character"], 6625))
    labels = open_set(card, model, recipe.evaluation).labels or ()
    assert labels and all(set(str(label)) <= known for label in labels)


def test_the_fashion_sample_keeps_batch_normalization_in_its_inference_form() -> None:
    nodes = [n for n in onnx.load(CARDS[1].path).graph.node if n.op_type == "BatchNormalization"]
    assert len(nodes) == 9 and all(len(node.output) == 1 for node in nodes)
