"""A plan into ONNX: what is left untouched, hints, mixtures, determinism, large files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.precision import hard
from tests.precision.models import (
    CONV_BN,
    ROUNDING,
    SIGNED,
    UNSIGNED,
    compiled,
    constants_of,
    conv_bn_constants,
    infer,
    nodes_of,
    proto_of,
    seen,
    sqnr_db,
    write_model,
)
from workbench.core.dialect import Dialect
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.precision import Precision, Rule
from workbench.model import open_model, private_copy, sources_of
from workbench.precision import observe
from workbench.precision.saving import save_model

FP32, BF16, FP16, INT8 = Precision.FP32, Precision.BF16, Precision.FP16, Precision.INT8
FEED = {"x": np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)}


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return write_model(tmp_path, CONV_BN, conv_bn_constants())


@pytest.mark.parametrize(
    ("default", "dialect", "hint"),
    [(FP32, SIGNED, "fp32"), (FP32, UNSIGNED, "fp32"), (BF16, UNSIGNED, "bf16"), (FP16, UNSIGNED, "fp16")],
)
def test_float32_and_hints_leave_the_private_copy_untouched(
    tmp_path: Path, model: Model, default: Precision, dialect: Dialect, hint: str
) -> None:
    typed = compiled(model, tmp_path / "out", default, dialect)
    assert proto_of(typed) == private_copy(model, model.shapes)
    assert (typed.hint, typed.removed, typed.notes) == (hint, {}, ())
    assert typed.asked == {"n0": hint, "n1": hint, "n2": hint}


@pytest.mark.parametrize("default", [FP32, BF16, FP16, INT8])
@pytest.mark.parametrize("dialect", [SIGNED, UNSIGNED], ids=["signed", "unsigned"])
def test_the_same_plan_gives_the_same_bytes_and_keeps_the_interface(
    tmp_path: Path, model: Model, default: Precision, dialect: Dialect
) -> None:
    observed = seen(model, FEED)
    first, second = (compiled(model, tmp_path / name, default, dialect, observed) for name in "ab")
    assert Path(first.path).read_bytes() == Path(second.path).read_bytes()
    proto, source = proto_of(first), onnx.load(model.path)
    assert list(proto.graph.input) == list(source.graph.input)
    assert list(proto.graph.output) == list(source.graph.output)
    assert all(sources_of(node.name) for node in proto.graph.node)


@pytest.mark.parametrize(("precision", "dialect"), [(INT8, ROUNDING), (FP16, ROUNDING), (Precision.FP8, SIGNED)])
def test_a_precision_the_backend_lacks_is_refused_by_name(
    tmp_path: Path, model: Model, precision: Precision, dialect: Dialect
) -> None:
    with pytest.raises(WorkbenchError, match=f"{precision.label} is not available with {dialect.name}"):
        compiled(model, tmp_path / "out", precision, dialect)


def test_int8_fp16_and_fp32_stand_in_one_graph(tmp_path: Path) -> None:
    text = """
    (float[1,4] x) => (float[1,4] z) {
      a = MatMul (x, w)
      b = Sigmoid (a)
      c = MatMul (b, w)
      d = MatMul (c, w)
      z = Relu (d)
    }
    """
    weights = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
    model = write_model(tmp_path, text, {"w": weights})
    feed = {"x": np.float32([[1, -2, 3, -4]])}
    rules = (Rule(FP16, op="Sigmoid"), Rule(FP16, nodes=("n2",)), Rule(FP32, nodes=("n3",)))
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, feed), rules)
    nodes = nodes_of(typed)
    assert nodes["n0"].input[0] == "x:dequantized"
    assert nodes["n1"].input[0] == "a:fp16"
    assert list(nodes["n2"].input) == ["b", "w:fp16"]
    assert list(nodes["n3"].input) == ["c:fp32", "w"]
    assert set(constants_of(typed)) >= {"w", "w:fp16", "w:int8"}
    assert sqnr_db(infer(typed.path, feed)[0], infer(model.path, feed)[0]) > 25.0


def test_a_hint_beside_int8_is_for_the_rest(tmp_path: Path, model: Model) -> None:
    typed = compiled(model, tmp_path / "out", BF16, UNSIGNED, seen(model, FEED), (Rule(INT8, op="Conv"),))
    assert typed.hint == "bf16"
    assert "n0+n1:quantize_x" in nodes_of(typed)
    assert typed.asked == {"n0": "int8", "n1": "bf16", "n2": "bf16"}


def test_a_hint_that_rules_ask_for_holds_where_int8_is_the_default(tmp_path: Path, model: Model) -> None:
    typed = compiled(model, tmp_path / "out", INT8, UNSIGNED, seen(model, FEED), (Rule(BF16, op="Relu"),))
    assert typed.hint == "bf16"


def test_what_a_hint_cannot_do_per_node_is_said(tmp_path: Path, model: Model) -> None:
    some = compiled(model, tmp_path / "a", FP32, UNSIGNED, rules=(Rule(BF16, op="Relu"),))
    assert some.hint == "fp32"
    assert some.notes == ("1 node asked to run in BF16 runs in FP32: unsigned has BF16 only for the whole model.",)
    most = compiled(model, tmp_path / "b", BF16, UNSIGNED, rules=(Rule(FP32, op="Relu"),))
    assert most.hint == "bf16"
    assert most.notes == ("1 node asked to run in FP32 runs in BF16: unsigned has BF16 only for the whole model.",)


def test_weights_beyond_the_limit_of_protobuf_go_beside_the_file(tmp_path: Path, model: Model) -> None:
    text = "(float[1,64] x) => (float[1,64] y) { y = MatMul (x, w) }"
    wide = write_model(tmp_path, text, {"w": np.eye(64, dtype=np.float32)}, name="wide.onnx")
    data = tmp_path / "out" / "typed.onnx.data"
    path = save_model(private_copy(wide, wide.shapes), tmp_path / "out", limit=100)
    assert data.stat().st_size >= 64 * 64 * 4
    ones = {"x": np.ones((1, 64), np.float32)}
    np.testing.assert_array_equal(infer(str(path), ones)[0], ones["x"])
    save_model(private_copy(model, model.shapes), tmp_path / "out")
    assert not data.exists()


def test_initializers_listed_as_inputs_are_constants_once_rewritten(tmp_path: Path) -> None:
    """As files of IR 3 have them; a weight that is also an input could not be replaced by int8."""
    proto = onnx.parser.parse_model(
        '<ir_version: 3, opset_import: ["" : 9]> g (float[1,2] x, float[2,2] w) => (float[1,2] y) { y = MatMul (x, w) }'
    )
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.eye(2, dtype=np.float32), "w"))
    path = tmp_path / "old.onnx"
    onnx.save(proto, str(path))
    model = open_model(path)
    feed = {"x": np.float32([[1, 2]])}
    typed = compiled(model, tmp_path / "out", INT8, SIGNED, seen(model, feed))
    assert [value.name for value in proto_of(typed).graph.input] == ["x"]
    np.testing.assert_allclose(infer(typed.path, feed)[0], [[1, 2]], rtol=0.01)


def test_a_file_that_is_half_already_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "half.onnx"
    onnx.save(hard.float16(), path)
    model = open_model(path)
    with pytest.raises(WorkbenchError, match="Nothing to quantize") as caught:
        observe(model, model.shapes, [], total=0, progress=lambda done, total: None, cancelled=lambda: False)
    assert "computes in FP16 already" in caught.value.hint
