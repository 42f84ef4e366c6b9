"""What real files do that toy files do not, each in a file of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.core.graph import LayerKind
from workbench.core.json import decode, encode
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.model import open_model, private_copy
from workbench.model.sorting import execution_order, is_sorted


def test_an_unsorted_graph_is_sorted_and_keeps_its_ids(tmp_path: Path) -> None:
    proto = making.chain(3)
    nodes = [proto.graph.node[i] for i in (2, 0, 1)]
    model = open_model(making.save(making.model(nodes, [making.value("x")], [making.value("y")]), tmp_path))
    assert [layer.id for layer in model.graph.layers] == ["n1", "n2", "n0"]
    assert any("order" in warning for warning in model.warnings)
    copy = private_copy(model)
    assert [node.name for node in copy.graph.node] == ["n1", "n2", "n0"]
    onnx.checker.check_model(copy)


def test_a_body_that_takes_from_outside_waits_for_it(tmp_path: Path) -> None:
    proto = making.branching()
    proto.graph.node.append(helper.make_node("Abs", ["z"], ["x"]))
    proto.graph.input[0].name = "z"
    assert execution_order(proto.graph) == [1, 0]
    model = open_model(making.save(proto, tmp_path))
    assert [layer.op for layer in model.graph.layers] == ["Abs", "If"]
    assert [layer.op for layer in model.graph.walk()] == ["Abs", "If", "Neg", "Relu"]


@pytest.mark.parametrize("length", [1, 5])
def test_a_sorted_graph_stays_as_it_is(length: int) -> None:
    assert is_sorted(execution_order(making.chain(length).graph))


def test_what_the_checker_refuses_opens_with_a_warning(tmp_path: Path) -> None:
    """LayerNormalization came with opset 17; ONNX Runtime runs it in older files."""
    nodes = [helper.make_node("LayerNormalization", ["x", "w"], ["y"])]
    proto = making.model(nodes, [making.value("x")], [making.value("y")], [making.weight("w", 4)], opset=13)
    model = open_model(making.save(proto, tmp_path))
    assert any("checker" in warning for warning in model.warnings)


def test_names_may_be_empty_doubled_and_odd(tmp_path: Path) -> None:
    odd = '{"1": "1_minute_timer"}<img src=x>\n:0/ü'
    nodes = [helper.make_node("Relu", ["x.1"], ["387"], name=odd), helper.make_node("Neg", ["387"], [odd], name=odd)]
    proto = making.model(nodes, [making.value("x.1")], [making.value(odd)])
    model = open_model(making.save(proto, tmp_path))
    assert [layer.id for layer in model.graph.layers] == ["n0", "n1"]
    assert [layer.name for layer in model.graph.layers] == [odd, odd]
    assert model.outputs[0].name == odd
    assert [node.name for node in private_copy(model).graph.node] == ["n0", "n1"]


def test_free_dimensions_have_names_or_numbers(tmp_path: Path) -> None:
    proto = making.chain()
    proto.graph.input[0].CopyFrom(making.value("x", ("batch", "?", None, -1, 4, "p" * 330)))
    model = open_model(making.save(proto, tmp_path))
    assert model.inputs[0].shape == ("batch", "?0", "?1", "?2", 4, "p" * 330)


def test_declared_shapes_that_lie_are_not_believed(tmp_path: Path) -> None:
    proto = making.linear()
    proto.graph.output[0].CopyFrom(making.value("y", ()))
    proto.graph.value_info.append(making.value("y", (7, 7)))
    model = open_model(making.save(proto, tmp_path))
    assert model.graph.tensors["y"].shape == (1, 4)
    dims = private_copy(model).graph.output[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 4]


def test_declared_shapes_fill_what_is_behind_unknown_operators(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Secret", ["x"], ["t"], domain="own"),
        helper.make_node("Relu", ["t"], ["y"]),
    ]
    proto = making.model(nodes, [making.value("x")], [making.value("y", None)])
    proto.opset_import.append(helper.make_opsetid("own", 1))
    proto.graph.value_info.append(making.value("t", (1, 9)))
    graph = open_model(making.save(proto, tmp_path)).graph
    assert graph.layers[0].op == "own.Secret"
    assert graph.tensors["y"].shape == (1, 9)


def test_weights_are_counted_where_they_hide(tmp_path: Path) -> None:
    constant = helper.make_node("Constant", [], ["k"], value=making.weight("k", 4, 4))
    body = helper.make_graph(
        [helper.make_node("MatMul", ["x", "b"], ["t"])], "then", [], [making.value("t")], [making.weight("b", 4, 4)]
    )
    other = helper.make_graph([helper.make_node("Relu", ["x"], ["e"])], "else", [], [making.value("e")])
    choice = helper.make_node("If", ["c"], ["r"], then_branch=body, else_branch=other)
    nodes = [constant, choice, helper.make_node("MatMul", ["r", "k"], ["y"])]
    inputs = [making.value("x"), making.value("c", (), TensorProto.BOOL)]
    model = open_model(making.save(making.model(nodes, inputs, [making.value("y")]), tmp_path))
    assert (model.parameters, model.weights_bytes) == (32, 128)
    assert model.graph.layers[0].kind is LayerKind.CONSTANT
    assert model.graph.layers[1].kind is LayerKind.CONTROL
    assert model.graph.tensors["k"].constant


def test_external_data_is_read_into_the_private_copy(tmp_path: Path) -> None:
    values = np.arange(16, dtype=np.float32)
    (tmp_path / "w.bin").write_bytes(b"\0" * 8 + values.tobytes())
    path = making.save(making.external("w.bin", offset="8"), tmp_path)
    model = open_model(path)
    assert (model.warnings, model.weights_bytes, model.size_bytes) == ((), 64, path.stat().st_size + 72)
    copy = private_copy(model)
    assert np.array_equal(numpy_helper.to_array(copy.graph.initializer[0]).ravel(), values)
    assert not copy.graph.initializer[0].external_data
    (tmp_path / "w.bin").write_bytes(b"\1" * 72)
    with pytest.raises(WorkbenchError, match="changed"):
        private_copy(model)


def test_weights_that_are_not_numbers_are_told(tmp_path: Path) -> None:
    proto = making.linear()
    values = np.ones((4, 4), np.float32)
    values[1, 1] = np.nan
    proto.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "w"))
    assert any("NaN" in warning for warning in open_model(making.save(proto, tmp_path)).warnings)


def test_shape_arithmetic_is_told_from_data(tmp_path: Path) -> None:
    shape = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Gather", ["s", "zero"], ["n"])]
    joined = helper.make_node("Concat", ["n", "rest"], ["target"], axis=0)
    nodes = [
        *shape,
        joined,
        helper.make_node("Reshape", ["x", "target"], ["y"]),
        helper.make_node("Relu", ["y"], ["z"]),
    ]
    weights = [numpy_helper.from_array(np.array([0]), "zero"), numpy_helper.from_array(np.array([2, 2]), "rest")]
    proto = making.model(nodes, [making.value("x", ("n", 4))], [making.value("z", None)], weights)
    model = open_model(making.save(proto, tmp_path))
    assert [layer.kind.value for layer in model.graph.layers] == ["shape", "shape", "shape", "compute", "compute"]
    copy = private_copy(model, {"x": (3, 4)})
    assert [dim.dim_value for dim in copy.graph.output[0].type.tensor_type.shape.dim] == [3, 2, 2]
    assert len(copy.graph.node) == 5  # folding finds shapes and takes nothing out


def test_precision_is_told_by_types(tmp_path: Path) -> None:
    half = numpy_helper.from_array(np.ones((4, 4), np.float16), "h")
    scale, zero = (
        numpy_helper.from_array(np.array(v, t), n) for n, v, t in (("s", 0.1, np.float32), ("z", 0, np.int8))
    )
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
        helper.make_node("Cast", ["d"], ["c"], to=TensorProto.FLOAT16),
        helper.make_node("MatMul", ["c", "h"], ["m"]),
        helper.make_node("ArgMax", ["m"], ["y"]),
    ]
    proto = making.model(nodes, [making.value("x")], [making.value("y", None, TensorProto.INT64)], [half, scale, zero])
    model = open_model(making.save(proto, tmp_path))
    expected = [Precision.INT8, Precision.INT8, Precision.FP16, Precision.FP16, None]
    assert [layer.precision for layer in model.graph.layers] == expected


def test_attributes_are_short_strings(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["t"], kernel_shape=[1, 1], auto_pad="SAME_UPPER", group=1),
        helper.make_node("LeakyRelu", ["t"], ["y"], alpha=0.25),
        helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(np.array([1, 2]))),
    ]
    inputs = [making.value("x", (1, 1, 4, 4))]
    proto = making.model(nodes, inputs, [making.value("y", None)], [making.weight("w", 1, 1, 1, 1)])
    conv, leaky, constant = open_model(making.save(proto, tmp_path)).graph.layers
    assert conv.attributes == {"kernel_shape": "[1, 1]", "auto_pad": "SAME_UPPER", "group": "1"}
    assert leaky.attributes == {"alpha": "0.25"}
    assert constant.attributes == {"value": "int64 2: 1, 2"}


def test_calls_of_the_files_own_functions_open_as_bodies(tmp_path: Path) -> None:
    body = [helper.make_node("Relu", ["a"], ["b"], name="n0")]
    own = helper.make_function("own", "f", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    node = helper.make_node("f", ["x"], ["y"], domain="own")
    model = open_model(
        making.save(making.model([node], [making.value("x")], [making.value("y")], functions=[own]), tmp_path)
    )
    assert (model.top_level_nodes, model.all_nodes) == (1, 2)
    assert [node.name for node in private_copy(model).graph.node] == ["n0.body.n0"]
    assert model.warnings == ()


def test_an_opset_newer_than_the_library_opens(tmp_path: Path) -> None:
    model = open_model(making.save(making.chain(), tmp_path))
    assert model.opset == 17
    proto = making.chain()
    proto.opset_import[0].version = 99
    assert open_model(making.save(proto, tmp_path)).opset == 99


def test_a_model_is_json_and_back(tmp_path: Path) -> None:
    model = open_model(making.save(making.branching(2), tmp_path))
    assert decode(encode(model), Model) == model
    assert json.loads(encode(model))["graph"]["subgraphs"]


def test_weights_that_an_old_file_lists_as_inputs_are_weights_in_its_copy(tmp_path: Path) -> None:
    proto = making.linear()
    proto.ir_version = 3
    proto.graph.input.append(making.value("w", (4, 4)))
    model = open_model(making.save(proto, tmp_path))
    copy = private_copy(model)
    assert [spec.name for spec in model.inputs] == ["x"]
    assert [value.name for value in copy.graph.input] == ["x"]
    assert copy.ir_version == 4
