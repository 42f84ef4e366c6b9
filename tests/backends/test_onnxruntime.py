"""ONNX Runtime keeps the contract, with its optimisations and node by node."""

from __future__ import annotations

import time
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests.backends import models, opening
from tests.backends.contract import BackendContract
from tests.backends.precisions import built
from workbench.backends.base import load_backend
from workbench.backends.onnxruntime.problems import explain
from workbench.core.errors import WorkbenchError
from workbench.core.graph import FateKind, Graph, Layer, LayerKind
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig
from workbench.model import open_model


class TestOnnxRuntime(BackendContract):
    backend_id = "onnxruntime"


class TestSourceGraph(BackendContract):
    """Node by node: the honest "before"."""

    backend_id = "onnxruntime"

    @classmethod
    def config(cls, model: Model) -> BuildConfig:
        return BuildConfig(backend=cls.backend_id, shapes=dict(model.shapes), threads=1, optimize=False)

    def test_every_node_that_is_not_constant_is_a_layer_of_its_own(self, built: object) -> None:
        for name in ("residual", "transformer"):
            _, engine, _ = built(name)  # type: ignore[operator]
            assert all(layer.sources_exact and len(layer.sources) == 1 for layer in engine.graph.layers)
            assert {fate.kind for fate in engine.fates.values()} == {FateKind.ALONE}


def test_conv_bn_add_relu_is_one_layer(tmp_path: Path) -> None:
    _, _, engine = built("onnxruntime", "residual", Precision.FP32, tmp_path)
    assert ("n6", "n7", "n8", "n9") in [layer.sources for layer in engine.graph.layers]


def test_layers_in_bodies_are_shown_and_timed_apart_from_their_holder(tmp_path: Path) -> None:
    model, _, engine = built("onnxruntime", "control", Precision.FP32, tmp_path)
    assert set(engine.graph.subgraphs) == {"l3.then_branch", "l3.else_branch"}
    assert engine.fates["n3.then_branch.n0"].layers == ("l3.then_branch.l0",)
    feed = {"x": abs(opening.feed_of(model)["x"])}  # the then-branch
    with engine.runner(layers=True) as runner:
        for _ in range(5):
            runner.time(feed)
        times = runner.layer_times()
    assert "l3.then_branch.l1" in times
    assert "l3.else_branch.l0" not in times
    assert times["l3"] >= 0


def test_layer_times_come_at_the_first_question_and_go_on(tmp_path: Path) -> None:
    model, _, engine = built("onnxruntime", "residual", Precision.FP32, tmp_path)
    feed = opening.feed_of(model)
    with engine.runner(layers=True) as runner:
        assert runner.layer_times() == {}
        runner.time(feed)
        first = runner.layer_times()
        assert set(first) == {layer.id for layer in engine.graph.layers}
        deadline = time.monotonic() + 20
        while runner.layer_times() == first and time.monotonic() < deadline:
            runner.time(feed)
        assert runner.layer_times() != first


def test_profiles_leave_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _, engine = built("onnxruntime", "residual", Precision.FP32, tmp_path)
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    with engine.runner(layers=True) as runner:
        assert list(place.iterdir())
        runner.time(opening.feed_of(model))
        runner.layer_times()
    assert not list(place.iterdir())


def test_fp16_runs_in_fp32_between_casts_and_the_layers_say_so(tmp_path: Path) -> None:
    _, _, engine = built("onnxruntime", "residual", Precision.FP16, tmp_path)
    computing = [layer for layer in engine.graph.layers if layer.kind is LayerKind.COMPUTE]
    assert {layer.precision for layer in computing} == {Precision.FP32}
    assert ("n6", "n7", "n8", "n9") in [layer.sources for layer in computing]


def test_int8_convolutions_in_channels_last_keep_their_nodes_and_moves_around_them_have_none(tmp_path: Path) -> None:
    _, _, engine = built("onnxruntime", "residual", Precision.INT8, tmp_path)
    integer = [layer for layer in engine.graph.layers if layer.op == "QLinearConv"]
    # the first has three channels
    assert [layer.sources for layer in integer] == [("n3", "n4", "n5"), ("n6", "n7")]
    assert [layer.sources for layer in engine.graph.layers if layer.op == "QLinearAdd"] == [("n8", "n9")]
    assert {layer.precision for layer in integer} == {Precision.INT8}
    moves = [layer for layer in engine.graph.layers if layer.op == "Transpose"]
    assert moves
    assert {(layer.kind, layer.sources) for layer in moves} == {(LayerKind.REFORMAT, ())}
    assert not [node for node, fate in engine.fates.items() if fate.kind is FateKind.SPLIT]


def test_a_product_that_became_a_gemm_between_reshapes_gives_the_shape_of_its_node(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["a"]),
        helper.make_node("Sigmoid", ["a"], ["y"]),
    ]
    constants = [models.weights("w", 4, 64), models.weights("b", 64)]
    proto = models.make(nodes, [models.value("x", [2, 3, 4])], [models.value("y", [2, 3, 64])], constants)
    onnx.save(proto, tmp_path / "product.onnx")
    typed = opening.typed(open_model(tmp_path / "product.onnx"), tmp_path)
    config = BuildConfig("onnxruntime", threads=1)
    graph = load_backend("onnxruntime").build(typed, config, tmp_path, lambda *step: None).graph
    (gemm,) = (layer for layer in graph.layers if layer.op == "Gemm")
    assert graph.tensors[gemm.outputs[0]].shape == (2, 3, 64)


def test_bf16_is_rounded_and_every_conv_still_has_its_layer(tmp_path: Path) -> None:
    _, _, engine = built("onnxruntime", "residual", Precision.BF16, tmp_path)
    by_id = {layer.id: layer for layer in engine.graph.layers}
    for node in ("n0", "n3", "n6"):
        assert any("Conv" in by_id[layer].op for layer in engine.fates[node].layers)


def test_fixed_shapes_that_break_a_branch_never_taken_are_set_free(tmp_path: Path) -> None:
    """Silero VAD: with 576 samples the branch for 8 kHz cannot be, and the optimiser refuses the whole."""
    path = Path(__file__).parents[2] / "sample_models" / "silero_vad" / "silero_vad.onnx"
    model = open_model(path)
    shapes = {"input": (1, 576), "state": (2, 1, 128), "sr": ()}
    typed = opening.typed(model, tmp_path, shapes=shapes)
    config = BuildConfig(backend="onnxruntime", shapes=shapes, threads=1)
    engine = load_backend("onnxruntime").build(typed, config, tmp_path, lambda *step: None)
    assert "free input shapes" in engine.notes[0]
    assert FateKind.UNKNOWN not in {fate.kind for fate in engine.fates.values()}


def test_an_operation_it_does_not_know_is_named(tmp_path: Path) -> None:
    node = helper.make_node("Foo", ["x"], ["y"], domain="my.ops")
    proto = models.make([node], [models.value("x", [1, 3])], [models.value("y", [1, 3])], domain="my.ops")
    onnx.save_model(proto, tmp_path / "foo.onnx")
    model = open_model(tmp_path / "foo.onnx")
    backend = load_backend("onnxruntime")
    verdict = backend.verdict(model)
    assert not verdict.accepted
    assert "my.ops.Foo" in verdict.reason
    assert set(verdict.nodes) == {"n0"}
    with pytest.raises(WorkbenchError, match=r"my\.ops\.Foo"):
        backend.build(opening.typed(model, tmp_path), BuildConfig(threads=1), tmp_path, lambda *step: None)


def test_a_type_without_a_kernel_is_named(tmp_path: Path) -> None:
    make = helper.make_node
    nodes = [
        make("Cast", ["x"], ["b"], to=TensorProto.BFLOAT16),
        make("Cast", ["w"], ["c"], to=TensorProto.BFLOAT16),
        make("MatMul", ["b", "c"], ["d"]),
        make("Cast", ["d"], ["y"], to=TensorProto.FLOAT),
    ]
    values = models.value("x", [1, 3]), models.value("y", [1, 3])
    onnx.save_model(models.make(nodes, [values[0]], [values[1]], [models.weights("w", 3, 3)]), tmp_path / "b.onnx")
    verdict = load_backend("onnxruntime").verdict(open_model(tmp_path / "b.onnx"))
    assert verdict.reason == (
        "ONNX Runtime refuses the MatMul node n2: it has no kernel for it on the CPU with bfloat16."
    )


def test_an_error_without_a_node_is_still_a_sentence() -> None:
    problem = explain("[ONNXRuntimeError] : 1 : FAIL : something\nodd", Graph("g", (Layer("n0", "n0", "Relu"),)))
    assert problem.message == "ONNX Runtime cannot load this model: something odd."
    assert problem.nodes == {}
