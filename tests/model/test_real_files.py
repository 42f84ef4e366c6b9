"""Tests as data: a model file, and what must be found in it.

The first table is made of files that come with the program or with onnx. The second needs the collection of real
models (a folder named by WORKBENCH_REAL_MODELS); without it, those tests are skipped.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest

from workbench.core.model import Model
from workbench.core.recipe import Recipe
from workbench.data import open_samples, read_recipe, recipe_shapes
from workbench.model import open_model, private_copy, sources_of
from workbench.model.walk import with_bodies
from workbench.resources import sample_models

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"
REAL = os.environ.get("WORKBENCH_REAL_MODELS", "")


class Found(NamedTuple):
    top: int  # nodes of the graph
    all: int  # with those in bodies
    parameters: int
    opset: int
    warnings: int = 0


LIGHT_MODELS = {
    "light_bvlc_alexnet": Found(40, 40, 0, 9),
    "light_densenet121": Found(1746, 1746, 768, 9),
    "light_inception_v1": Found(237, 237, 1072, 9),
    "light_resnet50": Found(415, 415, 1793, 9),
    "light_shufflenet": Found(446, 446, 120, 9),
    "light_squeezenet": Found(105, 105, 640, 9),
    "light_vgg19": Found(82, 82, 128, 9),
    "light_zfnet512": Found(38, 38, 1, 9),
}
REAL_MODELS = {
    "basic_pitch": Found(248, 248, 35741, 15),
    "dnsmos_p835": Found(48, 48, 287270, 12),
    "magika_v3_3": Found(95, 95, 784500, 15),
    "minilm_l6_int8": Found(385, 385, 22617152, 17),
    "ppocr_cls_v2": Found(566, 566, 133701, 11),
    "ppocrv4_det": Found(672, 672, 1171841, 12),
    "ppocrv4_rec": Found(860, 860, 2690367, 12),
    "silero_vad_v6": Found(5, 689, 545286, 16),
    "surfaces_gbr": Found(11, 11, 4545, 21),
    "surfaces_tree": Found(1, 1, 0, 21),
    "swift_f0": Found(358, 358, 29556, 18),
}
SAMPLES = {
    "ocr/ppocrv4_rec": Found(860, 860, 2690367, 12),
    "silero_vad/silero_vad": Found(5, 689, 545286, 16),
    "tree/tree_classifier": Found(1, 1, 0, 21),
}

needs_collection = pytest.mark.skipif(not REAL, reason="WORKBENCH_REAL_MODELS names no folder")


@pytest.mark.parametrize("name", LIGHT_MODELS)
def test_a_light_model_opens_as_it_is(name: str) -> None:
    _check(open_model(LIGHT / f"{name}.onnx"), LIGHT_MODELS[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_model_opens_as_it_is(name: str) -> None:
    _check(open_model(sample_models() / f"{name}.onnx"), SAMPLES[name])


@needs_collection
@pytest.mark.parametrize("name", REAL_MODELS)
def test_a_real_model_opens_as_it_is(name: str) -> None:
    _check(open_model(Path(REAL) / f"{name}.onnx"), REAL_MODELS[name])


@needs_collection
@pytest.mark.parametrize("name", REAL_MODELS)
def test_a_real_model_runs_with_what_was_guessed(name: str) -> None:
    model = open_model(Path(REAL) / f"{name}.onnx")
    _run_and_compare_shapes(model, Recipe())


@pytest.mark.parametrize("name", SAMPLES)
def test_what_was_inferred_is_what_runs(name: str) -> None:
    model = open_model(sample_models() / f"{name}.onnx")
    _run_and_compare_shapes(model, read_recipe(model))


def test_bodies_are_graphs_with_ids_of_their_own() -> None:
    """silero_vad: 5 nodes at the top, 684 in the branches of 25 Ifs."""
    model = open_model(sample_models() / "silero_vad" / "silero_vad.onnx")
    ids = [layer.id for layer in model.graph.walk()]
    assert len(set(ids)) == len(ids) == 689
    assert all(sources_of(name) == (name,) for name in ids)
    assert set(model.graph.subgraphs) == {"n2.then_branch", "n2.else_branch"}
    assert "n2.then_branch.n0" in ids
    copied = [node.name for node in with_bodies(private_copy(model).graph.node)]
    assert sorted(copied) == sorted(ids)


def _check(model: Model, found: Found) -> None:
    warnings = len(model.warnings)
    assert Found(model.top_level_nodes, model.all_nodes, model.parameters, model.opset, warnings) == found
    assert len({layer.id for layer in model.graph.walk()}) == model.all_nodes
    assert all(isinstance(size, int) for shape in model.shapes.values() for size in shape)
    assert len(model.sha256) == 64


def _run_and_compare_shapes(model: Model, recipe: Recipe) -> None:
    """ONNX Runtime takes the private copy, and every tensor has the shape that inference says."""
    shapes = recipe_shapes(model, recipe)
    proto = private_copy(model, shapes)
    said = {value.name: value for value in proto.graph.value_info if value.type.HasField("tensor_type")}
    weights = {tensor.name for tensor in proto.graph.initializer}
    have = {value.name for value in proto.graph.output} | weights
    made = [name for node in proto.graph.node for name in node.output]
    proto.graph.output.extend(said[name] for name in made if name in said and name not in have)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    results = session.run(None, open_samples("random", model, recipe, shapes, limit=1).feed(0))
    for output, result in zip(session.get_outputs(), results, strict=True):
        if output.name in said and isinstance(result, np.ndarray):
            assert _agrees(said[output.name].type.tensor_type, result.shape), output.name


def _agrees(said: onnx.TypeProto.Tensor, real: tuple[int, ...]) -> bool:
    """Whether what was inferred is true, as far as it goes."""
    if not said.HasField("shape"):
        return True
    dims = [dim.dim_value if dim.HasField("dim_value") else None for dim in said.shape.dim]
    return len(dims) == len(real) and all(dim in (None, size) for dim, size in zip(dims, real, strict=True))
