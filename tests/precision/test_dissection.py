"""Graphs taken apart: what a chunk holds is bounded, whatever the model, and chunks fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from workbench.core.graph import Layer
from workbench.measure.reference import Reference
from workbench.precision.aside import WeightsAside
from workbench.precision.dissection import FIRST_TENSORS, Dissection, tensor_bytes

TENSOR = 4 * 64 * 32 * 32
LONG = 1000


def chain(length: int, *, shortcut: int = 0) -> ModelProto:
    """`length` Relus and Negs in a row on [1, 64, 32, 32]; every `shortcut`-th adds what was there so long before."""
    nodes, last = [], "x"
    for i in range(length):
        if shortcut and i % shortcut == shortcut - 1:
            nodes.append(helper.make_node("Add", [last, f"t{i - shortcut}" if i > shortcut else "x"], [f"t{i}"]))
        else:
            nodes.append(helper.make_node("Relu" if i % 2 else "Abs", [last], [f"t{i}"]))
        last = f"t{i}"
    return model_of(nodes, last, [])


def model_of(nodes: list[onnx.NodeProto], output: str, weights: list[TensorProto]) -> ModelProto:
    for i, node in enumerate(nodes):
        node.name = f"n{i}"
    value = helper.make_tensor_value_info
    inputs = [value("x", TensorProto.FLOAT, [1, 64, 32, 32])]
    graph = helper.make_graph(nodes, "g", inputs, [value(output, TensorProto.FLOAT, None)], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def dissected(model: ModelProto, limits: tuple[int, int] = (8 * TENSOR, 2**20)) -> Dissection:
    layers = {node.name: Layer(node.name, "", node.op_type) for node in model.graph.node}
    return Dissection(model, model, layers, limits)


@pytest.mark.parametrize("shortcut", [0, 10])
def test_a_thousand_nodes_never_hold_more_than_one_chunk_and_what_later_ones_read(shortcut: int) -> None:
    cut = dissected(chain(LONG, shortcut=shortcut))
    assert [name for chunk in cut.chunks for name in chunk] == [f"t{i}" for i in range(LONG)]
    assert all(len(chunk) * TENSOR <= 8 * TENSOR for chunk in cut.chunks)
    assert cut.carried_bytes <= (2 if shortcut else 1) * TENSOR


def test_the_first_chunk_is_small_so_that_it_is_there_at_once() -> None:
    cut = dissected(chain(200), limits=(2**40, 2**40))
    assert len(cut.chunks[0]) == FIRST_TENSORS < len(cut.chunks[1])


def test_chunks_are_bounded_by_their_weights_too() -> None:
    weights = [numpy_helper.from_array(np.ones((64, 64, 1, 1), np.float32), f"w{i}") for i in range(20)]
    nodes = [helper.make_node("Conv", [f"t{i - 1}" if i else "x", f"w{i}"], [f"t{i}"]) for i in range(20)]
    cut = dissected(model_of(nodes, "t19", weights), limits=(2**40, 3 * 64 * 64 * 4))
    assert [len(chunk) for chunk in cut.chunks] == [3] * 6 + [2]


def test_a_tensor_larger_than_the_limit_has_a_chunk_of_its_own() -> None:
    assert [len(c) for c in dissected(chain(5), limits=(TENSOR // 2, 1)).chunks] == [1] * 5


def test_parts_read_only_what_was_made_before_and_kept() -> None:
    cut = dissected(chain(100, shortcut=7))
    held: set[str] = {"x"}
    for index in range(len(cut.chunks)):
        chunk = cut.chunk(index)
        for part in (chunk.reference, chunk.typed):
            assert set(part.inputs) <= held
        held |= set(chunk.cuts)
        for part in (chunk.reference_alone, chunk.typed_alone):
            assert set(part.inputs) <= held
            assert set(part.outputs.values()) == set(chunk.cuts)
        held = (held & chunk.kept) | {"x"}


def test_a_node_of_two_outputs_may_be_parted_by_a_chunks_end() -> None:
    nodes = [
        *(helper.make_node("Abs", [f"t{i - 1}" if i else "x"], [f"t{i}"]) for i in range(FIRST_TENSORS - 1)),
        helper.make_node("Split", [f"t{FIRST_TENSORS - 2}"], ["left", "right"], axis=1),
        helper.make_node("Add", ["left", "right"], ["y"]),
    ]
    cut = dissected(model_of(nodes, "y", []))
    assert "left" in cut.chunks[0] and "right" in cut.chunks[1]
    x = np.random.default_rng(1).normal(size=(1, 64, 32, 32)).astype(np.float32)
    known = {"x": x}
    for index in range(2):
        part = cut.chunk(index).reference
        made = Reference(part.onnx()).infer({name: known[name] for name in part.inputs})
        known |= {tensor: made[name] for name, tensor in part.outputs.items()}
    assert np.array_equal(known["y"], np.abs(x)[:, :32] + np.abs(x)[:, 32:])


def test_weights_set_aside_are_read_from_their_file(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=(64, 64, 1, 1)).astype(np.float32)
    weights = [numpy_helper.from_array(values, name) for name in ("w0", "w1")]
    nodes = [helper.make_node("Conv", [a, w], [b]) for a, w, b in (("x", "w0", "t"), ("t", "w1", "y"))]
    model = model_of(nodes, "y", weights)
    x = np.ones((1, 64, 32, 32), np.float32)
    expected = Reference(model.SerializeToString()).infer({"x": x})["y"]
    with WeightsAside(tmp_path / "weights") as aside:
        model = aside.take(model)
        assert aside.path.stat().st_size == 2 * values.nbytes
        assert len(model.SerializeToString()) < 1000
        assert np.array_equal(Reference(model.SerializeToString(), 1, tmp_path).infer({"x": x})["y"], expected)
    assert not aside.path.exists()


def test_constants_of_nodes_are_weights_too(tmp_path: Path) -> None:
    big = numpy_helper.from_array(np.ones((64, 32, 32), np.float32), "c")
    nodes = [helper.make_node("Constant", [], ["c"], value=big), helper.make_node("Add", ["x", "c"], ["y"])]
    model = model_of(nodes, "y", [])
    with WeightsAside(tmp_path / "weights") as aside:
        cut = dissected(aside.take(model))
        assert [tensor.name for tensor in cut.tensors] == ["y"]
        x = np.ones((1, 64, 32, 32), np.float32)
        part = cut.chunk(0).reference
        assert np.all(Reference(part.onnx(), 1, tmp_path).infer({"x": x})["y"] == 2)


def test_the_bytes_of_a_tensor_are_guessed_where_its_shape_is_open() -> None:
    assert tensor_bytes((TensorProto.FLOAT16, (2, 3))) == 12
    assert tensor_bytes((TensorProto.FLOAT, ("batch", 3))) == tensor_bytes(None) == 2**20
