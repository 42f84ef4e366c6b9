"""The clean base graph: same numbers, fewer nodes, names that lead back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.precision.models import CONV_BN, conv_bn_constants, infer, sqnr_db, write_model
from workbench.core.model import Model
from workbench.model import open_model
from workbench.precision.base import base_graph
from workbench.precision.cleaning import Cleaned


def based(model: Model) -> Cleaned:
    result = base_graph(model, model.shapes)
    onnx.checker.check_model(result.proto)
    return result


def names(base: Cleaned) -> list[str]:
    return [node.name for node in base.proto.graph.node]


def assert_same_numbers(folder: Path, model: Model, base: Cleaned, *, least_db: float = 120.0) -> None:
    rng = np.random.default_rng(0)
    feed = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in model.shapes.items()}
    path = folder / "base.onnx"
    onnx.save(base.proto, str(path))
    for mine, theirs in zip(infer(str(path), feed), infer(model.path, feed), strict=True):
        assert sqnr_db(mine, theirs) > least_db


def test_batchnorm_goes_into_the_conv_and_both_names_stay(tmp_path: Path) -> None:
    model = write_model(tmp_path, CONV_BN, conv_bn_constants())
    base = based(model)
    assert names(base) == ["n0+n1", "n2"]
    assert base.notes == ("Clean-up: 1 BatchNormalization folded into Convs.",)
    assert base.counts == {"fold_batchnorm": 1}
    assert_same_numbers(tmp_path, model, base)


def test_batchnorm_goes_into_a_transposed_conv_along_its_second_axis(tmp_path: Path) -> None:
    text = """
    (float[1,3,8,8] x) => (float[1,4,10,10] y) {
      a = ConvTranspose (x, w)
      y = BatchNormalization (a, gamma, beta, mean, variance)
    }
    """
    constants = conv_bn_constants()
    constants["w"] = constants["w"].transpose(1, 0, 2, 3).copy()
    model = write_model(tmp_path, text, constants)
    base = based(model)
    assert names(base) == ["n0+n1"]
    assert_same_numbers(tmp_path, model, base)


@pytest.mark.parametrize("why", ["the conv's output is read twice", "it is an output", "the weights are computed"])
def test_batchnorm_stays_where_folding_would_be_wrong(tmp_path: Path, why: str) -> None:
    text = CONV_BN
    if why == "the conv's output is read twice":
        text = text.replace("y = Relu (c)", "r = Relu (c) y = Add (r, a)")
    elif why == "it is an output":
        text = text.replace("[1,4,8,8] y)", "[1,4,8,8] y, float[1,4,8,8] a)")
    else:
        text = text.replace("float[1,3,8,8] x)", "float[1,3,8,8] x, float[4,3,3,3] v)").replace("w, b)", "v, b)")
    model = write_model(tmp_path, text, {k: v for k, v in conv_bn_constants().items() if k in text})
    base = based(model)
    assert [node.op_type for node in base.proto.graph.node].count("BatchNormalization") == 1
    assert_same_numbers(tmp_path, model, base)


DEPTHWISE = """
(float[1,3,6,6] x) => (float[1,3,6,6] y) {
  n = BatchNormalization (x, gamma, beta, mean, variance)
  r = Relu (n)
  y = Conv <group = 3, pads = [1,1,1,1]> (r, w, b)
}
"""


def depthwise_constants(gamma: list[float]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    ones = np.ones(3, np.float32)
    return {
        "gamma": np.float32(gamma),
        "beta": np.zeros(3, np.float32),
        "mean": ones / 3,
        "variance": ones,
        "w": rng.standard_normal((3, 1, 3, 3)).astype(np.float32),
        "b": ones,
    }


def test_channels_before_a_depthwise_conv_are_equalized_without_changing_the_result(tmp_path: Path) -> None:
    model = write_model(tmp_path, DEPTHWISE, depthwise_constants([8.0, 1.0, 0.01]))
    base = based(model)
    assert base.counts == {"equalize": 1}
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in base.proto.graph.initializer}
    np.testing.assert_array_equal(weights["gamma:equalized"], np.float32([8.0, 8.0, 0.64]))
    np.testing.assert_array_equal(
        weights["w:equalized"] * np.float32([1, 8, 64]).reshape(3, 1, 1, 1), depthwise_constants([1] * 3)["w"]
    )
    assert [list(node.output) for node in base.proto.graph.node] == [["n:equalized"], ["r:equalized"], ["y"]]
    assert_same_numbers(tmp_path, model, base)


@pytest.mark.parametrize("why", ["alike", "an output", "read by others", "not depthwise"])
def test_channels_are_left_alone_where_equalizing_is_wrong_or_useless(tmp_path: Path, why: str) -> None:
    text, constants = DEPTHWISE, depthwise_constants([8.0, 1.0, 0.01])
    if why == "alike":
        constants = depthwise_constants([1.0, 1.5, 1.9])
    elif why == "an output":
        text = text.replace("[1,3,6,6] y)", "[1,3,6,6] y, float[1,3,6,6] r)")
    elif why == "read by others":
        text = text.replace("[1,3,6,6] y)", "[1,3,6,6] y, float[1,3,6,6] z)").replace("y = ", "z = Neg (r) y = ")
    else:
        text, constants["w"] = text.replace("group = 3, ", ""), np.ones((3, 3, 3, 3), np.float32)
    model = write_model(tmp_path, text, constants)
    assert "equalize" not in based(model).counts


def test_weights_that_come_through_other_nodes_become_constants(tmp_path: Path) -> None:
    text = """
    (float[1,4] x) => (float[1,3] y) {
      k = Constant <value = float {2.0}> ()
      i = Identity (k)
      t = Transpose <perm = [1, 0]> (w)
      s = Mul (t, i)
      y = MatMul (x, s)
    }
    """
    model = write_model(tmp_path, text, {"w": np.arange(12, dtype=np.float32).reshape(3, 4)})
    base = based(model)
    assert names(base) == ["n4"]
    assert base.removed == {"n1": "absorbed", "n0": "folded", "n2": "folded", "n3": "folded"}
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in base.proto.graph.initializer}
    np.testing.assert_array_equal(weights["s"], np.arange(12, dtype=np.float32).reshape(3, 4).T * 2)
    assert_same_numbers(tmp_path, model, base)


def test_a_constant_that_others_need_as_well_keeps_its_nodes(tmp_path: Path) -> None:
    text = """
    (float[1,4] x) => (float[1,4] y, float[4,4] t) {
      t = Transpose <perm = [1, 0]> (w)
      y = MatMul (x, t)
    }
    """
    model = write_model(tmp_path, text, {"w": np.arange(16, dtype=np.float32).reshape(4, 4)})
    base = based(model)
    assert names(base) == ["n0", "n1"]
    assert_same_numbers(tmp_path, model, base)


def test_random_weights_are_not_folded(tmp_path: Path) -> None:
    text = "(float[1,4] x) => (float[1,4] y) { r = RandomNormal <shape = [4, 4]> () y = MatMul (x, r) }"
    assert names(based(write_model(tmp_path, text))) == ["n0", "n1"]


def test_identity_and_dropout_go_unless_they_make_an_output(tmp_path: Path) -> None:
    text = """
    (float[4] x) => (float[4] y, float[4] z) {
      a = Identity (x)
      b = Dropout (a)
      c = Relu (b)
      y = Identity (c)
      z, mask = Dropout (c)
    }
    """
    base = based(write_model(tmp_path, text))
    assert names(base) == ["n2", "n3", "n4"]
    assert base.removed == {"n0": "absorbed", "n1": "absorbed"}
    assert base.proto.graph.node[0].input == ["x"]


def test_an_identity_read_inside_a_body_is_followed_there(tmp_path: Path) -> None:
    text = """
    (bool c, float[4] x) => (float[4] y) {
      i = Identity (x)
      y = If (c) <
        then_branch = t () => (float[4] a) { a = Relu (i) },
        else_branch = e () => (float[4] b) { b = Neg (i) }
      >
    }
    """
    base = based(write_model(tmp_path, text))
    then = next(a.g for a in base.proto.graph.node[0].attribute if a.name == "then_branch")
    assert base.removed == {"n0": "absorbed"}
    assert list(then.node[0].input) == ["x"]


def test_an_old_opset_is_lifted_and_added_nodes_say_whom_they_serve(tmp_path: Path) -> None:
    text = "(float[2,3,4] x) => (float[2,3,4] y) { a = Relu (x) y = Softmax <axis = 1> (a) }"
    model = write_model(tmp_path, text, opset=11)
    base = based(model)
    assert base.proto.opset_import[0].version == 17
    assert "Opset 11 was lifted to 17" in base.notes[0]
    assert names(base)[0] == "n0"
    assert "n1" in names(base)
    assert all(name in ("n0", "n1") or name.startswith("n1:lift_") for name in names(base))
    assert_same_numbers(tmp_path, model, base)


def test_a_file_older_than_its_own_rules_is_lifted_and_what_replaces_a_node_has_its_id(tmp_path: Path) -> None:
    """Opset 7, IR 3, the weights not listed as inputs; Upsample has become Resize."""
    text = """
    (float[1,3,4,4] x) => (float[1,4,8,8] y) {
      a = Conv <pads = [1,1,1,1]> (x, w)
      b = Upsample <scales = [1.0, 1.0, 2.0, 2.0], mode = "nearest"> (a)
      y = Relu (b)
    }
    """
    weights = {"w": np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)}
    written = onnx.load(write_model(tmp_path, text, weights, opset=7).path)
    written.ir_version = 3
    onnx.save(written, str(tmp_path / "old.onnx"))
    model = open_model(tmp_path / "old.onnx")
    base = based(model)
    assert [(node.name, node.op_type) for node in base.proto.graph.node if ":" not in node.name] == [
        ("n0", "Conv"),
        ("n1", "Resize"),
        ("n2", "Relu"),
    ]
    assert_same_numbers(tmp_path, model, base)


def test_a_new_opset_stays(tmp_path: Path) -> None:
    base = based(write_model(tmp_path, "(float[2] x) => (float[2] y) { y = Relu (x) }", opset=21))
    assert (base.proto.opset_import[0].version, base.notes) == (21, ())


def test_a_file_with_bodies_keeps_its_old_opset_and_says_so(tmp_path: Path) -> None:
    text = """
    (bool c, float[4] x) => (float[4] y) {
      y = If (c) <
        then_branch = t () => (float[4] a) { a = Relu (x) },
        else_branch = e () => (float[4] b) { b = Neg (x) }
      >
    }
    """
    base = based(write_model(tmp_path, text, opset=11))
    assert base.proto.opset_import[0].version == 11
    assert "stays at opset 11" in base.notes[0]


def test_the_base_graph_is_the_same_every_time(tmp_path: Path) -> None:
    model = write_model(tmp_path, CONV_BN, conv_bn_constants())
    first, second = (based(model).proto.SerializeToString(deterministic=True) for _ in range(2))
    assert first == second
