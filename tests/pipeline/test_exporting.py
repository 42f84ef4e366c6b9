"""The exported file: the user's names, the same bytes everywhere, and the same outputs in other programs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from tests.backends.precisions import needs_exact_sums
from workbench.backends.openvino.package import core
from workbench.core.exporting import Exported, ExportRequest
from workbench.core.json import encode
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.core.run import BuildConfig, RunRequest
from workbench.data import open_samples, read_recipe, recipe_shapes
from workbench.model import open_model
from workbench.pipeline.exporting import export, plan_digest
from workbench.precision import without_halves
from workbench.resources import sample_models

FASHION = sample_models() / "fashion" / "fashion_resnet.onnx"
MIXED = PrecisionPlan(Precision.FP16, (Rule(Precision.INT8, op="Conv"), Rule(Precision.FP32, first=1, last=1)))
CHILD = """
import sys
from workbench.core.json import decode
from workbench.core.exporting import ExportRequest
from workbench.pipeline.exporting import export
result = export(decode(sys.stdin.buffer.read(), ExportRequest), lambda event: None, lambda: False)
assert result.error is None, result.error
"""


def request_for(
    folder: Path, plan: PrecisionPlan, backend: str = "tensorrt_rtx", name: str = "out.onnx"
) -> ExportRequest:
    recipe = read_recipe(open_model(FASHION))
    folder.mkdir(exist_ok=True)
    run = RunRequest(
        id="x",
        folder=str(folder),
        model_path=str(FASHION),
        config=BuildConfig(backend=backend, plan=plan),
        recipe=recipe,
        calibration=recipe.calibration,
    )
    return ExportRequest("x", str(folder), run, str(folder / name))


def exported(folder: Path, plan: PrecisionPlan, backend: str = "tensorrt_rtx") -> Exported:
    result = export(request_for(folder, plan, backend), lambda event: None, lambda: False)
    assert result.error is None, result.error
    return result


def feeds(count: int) -> list[dict[str, np.ndarray]]:
    model = open_model(FASHION)
    recipe = read_recipe(model)
    samples = open_samples(recipe.evaluation, model, recipe, recipe_shapes(model, recipe))
    return [dict(samples.feed(index)) for index in range(count)]


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    with pytest.MonkeyPatch.context() as patch:  # made before `own_home` is set
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        return exported(tmp_path_factory.mktemp("int8"), PrecisionPlan(Precision.INT8))


def test_nodes_have_the_users_names_and_the_file_says_where_it_comes_from(int8: Exported) -> None:
    proto, source = onnx.load(int8.path), onnx.load(FASHION)
    onnx.checker.check_model(proto, full_check=True)
    theirs = {node.name for node in source.graph.node}
    names = [node.name for node in proto.graph.node]
    assert len(set(names)) == len(names)
    assert all(set(name.partition(":")[0].split("+")) <= theirs for name in names)
    told = {entry.key: entry.value for entry in proto.metadata_props}
    assert told["workbench.plan_sha256"] == plan_digest(PrecisionPlan(Precision.INT8))
    assert told["workbench.source_sha256"] == open_model(FASHION).sha256
    assert int8.cleanup["fold_batchnorm"] == 9


def test_inputs_and_outputs_stay_as_they_are_free_dimensions_too(int8: Exported) -> None:
    before, after = open_model(FASHION), open_model(int8.path)
    assert (after.inputs, after.outputs) == (before.inputs, before.outputs)


def test_the_file_gives_the_same_outputs_in_plain_onnx_runtime_and_openvino(int8: Exported) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    exact = onnxruntime.InferenceSession(int8.path, options)
    plain = onnxruntime.InferenceSession(int8.path)
    batch = {name: np.concatenate([feed[name] for feed in feeds(4)]) for name in feeds(1)[0]}
    expected = exact.run(None, batch)[0]
    assert expected.shape[0] == 4  # the free dimension is free

    def assert_same(got: np.ndarray) -> None:
        assert np.argmax(got, 1).tolist() == np.argmax(expected, 1).tolist()
        np.testing.assert_allclose(got, expected, atol=0.15)  # a step of INT8 more or less, summed in another order

    assert_same(plain.run(None, batch)[0])
    needs_exact_sums("openvino")
    assert_same(core().compile_model(int8.path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(batch)[0])


@pytest.mark.parametrize("plan", [PrecisionPlan(Precision.INT8), MIXED], ids=["int8", "mixed"])
def test_the_same_plan_gives_the_same_bytes_in_any_process(tmp_path: Path, plan: PrecisionPlan) -> None:
    files = []
    for seed in ("1", "2"):
        request = request_for(tmp_path / seed, plan)
        environment = dict(os.environ, PYTHONHASHSEED=seed, WORKBENCH_HOME=str(tmp_path / seed / "home"))
        subprocess.run([sys.executable, "-c", CHILD], input=encode(request), env=environment, check=True)
        files.append(Path(request.path).read_bytes())
    assert files[0] == files[1]


def test_a_mixed_plan_is_near_the_model_and_has_every_type(tmp_path: Path) -> None:
    result = exported(tmp_path, MIXED)
    kinds = {tensor.data_type for tensor in onnx.load(result.path).graph.initializer}
    assert {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT8, onnx.TensorProto.FLOAT} <= kinds
    assert result.asked == {"fp16": 23, "int8": 8, "fp32": 2}
    session = onnxruntime.InferenceSession(without_halves(result.path) or result.path)
    reference = onnxruntime.InferenceSession(str(FASHION))
    for feed in feeds(4):
        assert np.argmax(session.run(None, feed)[0]) == np.argmax(reference.run(None, feed)[0])


def test_the_model_itself_is_not_written_over(tmp_path: Path) -> None:
    copy = tmp_path / "model.onnx"
    copy.write_bytes(FASHION.read_bytes())
    request = request_for(tmp_path, PrecisionPlan(), name="model.onnx")
    request = msgspec.structs.replace(request, run=msgspec.structs.replace(request.run, model_path=str(copy)))
    error = export(request, lambda event: None, lambda: False).error
    assert error is not None and "is the model itself" in error.message
    assert copy.read_bytes() == FASHION.read_bytes()


def test_a_precision_the_target_form_lacks_is_refused(tmp_path: Path) -> None:
    request = request_for(tmp_path, PrecisionPlan(Precision.FP4_WEIGHTS), "openvino")
    error = export(request, lambda event: None, lambda: False).error
    assert error is not None and "FP4" in error.message and "INT4 weights" in error.hint
    assert not Path(request.path).exists()
