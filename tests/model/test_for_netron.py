"""What Netron is given: nodes that know their ids, and engines in the form of ONNX files."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.model import making
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision
from workbench.model import open_model
from workbench.model.for_netron import DOMAIN, ID_KEY, engine_model, marked_source
from workbench.model.walk import with_bodies


def ids(proto: onnx.ModelProto) -> list[str]:
    nodes = with_bodies(proto.graph.node)
    return [entry.value for node in nodes for entry in node.metadata_props if entry.key == ID_KEY]


def test_every_node_of_the_model_carries_its_id_and_nothing_else_changes(tmp_path: Path) -> None:
    path = making.save(making.branching(depth=2), tmp_path)
    model = open_model(path)
    proto = onnx.load_from_string(marked_source(model))
    assert sorted(ids(proto)) == sorted(layer.id for layer in model.graph.walk())
    for node in with_bodies(proto.graph.node):
        del node.metadata_props[:]
    assert proto == onnx.load(path)


def test_a_file_that_has_changed_is_not_shown_as_the_one_that_was_opened(tmp_path: Path) -> None:
    model = open_model(making.save(making.linear(), tmp_path))
    making.save(making.chain(), tmp_path)
    with pytest.raises(WorkbenchError, match="has changed"):
        marked_source(model)


LAYERS = (
    Layer("l0", "reorder", "Reorder", ("x",), ("x",), Precision.FP32, kind=LayerKind.REFORMAT),
    Layer(
        "l1",
        "c",
        "Convolution",
        ("x", "w"),
        ("y",),
        Precision.INT8,
        ("n0", "n2"),
        tactic="jit_avx",
        attributes={"outputLayouts": "abcd", "": "nothing"},
        title="Conv+Relu",
    ),
    Layer("l2", "", "", ("y",), ("y",)),
)
ENGINE = Graph(
    "g",
    LAYERS,
    {
        "x": Tensor("x", ("n", 3), "float32"),
        "w": Tensor("w", (3, 3), "int8", constant=True),
        "y": Tensor("y", None, "odd"),
    },
    ("x",),
    ("y",),
)


def test_an_engine_is_an_onnx_file_with_time_tactic_precision_and_sources() -> None:
    proto = onnx.load_from_string(engine_model(ENGINE, {"l1": 0.0123456}))
    assert {node.domain for node in proto.graph.node} == {DOMAIN}
    reorder, conv, _ = proto.graph.node
    assert conv.op_type == "Conv+Relu"
    said = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in conv.attribute}
    assert said == {
        "time_ms": b"0.01235",
        "tactic": b"jit_avx",
        "precision": b"INT8",
        "kind": b"compute",
        "sources": b"n0 n2",
    }
    assert "time_ms" not in {attribute.name for attribute in reorder.attribute}
    assert {entry.key: entry.value for entry in conv.metadata_props}["outputLayouts"] == "abcd"
    assert ids(proto) == ["l0", "l1", "l2"]
    assert list(conv.input) == ["x@l0"], "weights are none of its inputs"
    outputs = [name for node in proto.graph.node for name in node.output]
    assert outputs == ["x@l0", "y", "y@l2"], "no tensor is given twice"
    assert [value.name for value in proto.graph.output] == ["y@l2"]


def test_an_engine_without_anything_can_be_written() -> None:
    assert onnx.load_from_string(engine_model(Graph(""), {})).graph.name == "engine"
