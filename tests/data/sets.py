"""A small model of any inputs, and what is asked of every sample set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from onnx import TensorProto

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.recipe import Color, Preprocess, Recipe
from workbench.data import SampleSet, open_samples
from workbench.model import open_model

GRAY = Recipe(preprocess=Preprocess(width=4, height=4, color=Color.GRAY, scale=1.0))


def model_of(folder: Path, *inputs: tuple[str, Sequence[int | str | None], int]) -> Model:
    proto = making.chain()
    del proto.graph.input[:]
    chosen = inputs or (("x", (1, 1, 4, 4), TensorProto.FLOAT),)
    proto.graph.input.extend(making.value(name, shape, dtype) for name, shape, dtype in chosen)
    proto.graph.node[0].input[0] = chosen[0][0]
    (folder / "model").mkdir(exist_ok=True)
    return open_model(making.save(proto, folder / "model"))


def open_set(source: Path | str, model: Model, recipe: Recipe = GRAY, **more: int) -> SampleSet:
    return open_samples(str(source), model, recipe, model.shapes, **more)


def refused(source: Path, model: Model, words: str, recipe: Recipe = GRAY) -> str:
    with pytest.raises(WorkbenchError) as caught:
        open_set(source, model, recipe)
    assert words in caught.value.message
    assert caught.value.hint
    return caught.value.message
