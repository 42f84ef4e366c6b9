"""Functions that a file defines itself: bodies of their calls in the graph, their nodes in the private copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.graph import LayerKind
from workbench.core.model import Model
from workbench.model import find_all_scopes, open_model, plain_copy, private_copy
from workbench.model.walk import with_bodies

HEAD = '<ir_version: 9, opset_import: ["" : 17, "own" : 1]>'
X = np.arange(6, dtype=np.float32).reshape(2, 3) - 3

SIMPLE = """
g (float[2,3] x) => (float[2,3] z) { a = own.scaled (x) y = own.scaled <by = 3.0> (a) z = Relu (y) }
<domain: "own", opset_import: ["" : 17]> unused (a) => (a2) { a2 = Neg (a) }
<domain: "own", opset_import: ["" : 17]> scaled <by: float = 2.0> (a) => (b) {
  k = Constant <value_float: float = @by> ()
  b = Mul (a, k)
}
"""
NESTED = """
g (float[2,3] x, bool c) => (float[2,3] z) {
  y = own.outer (x, c)
  z = If (c) <then_branch = t () => (float[2,3] t1) { t1 = own.inner (y, x) },
              else_branch = e () => (float[2,3] e1) { e1 = Neg (y) }>
}
<domain: "own", opset_import: ["" : 17, "own" : 1]> outer (a, flag) => (b) {
  h = own.inner (a)
  b = If (flag) <then_branch = t () => (t1) { s = Add (h, a) t1 = own.inner (s) },
                 else_branch = e () => (e1) { e1 = Sub (h, a) }>
}
<domain: "own", opset_import: ["" : 17]> inner (a, b) => (c) { t = Abs (a) c = Sqrt (t) }
"""
PASSED_ON = """
g (float[2,3] x) => (float[2,3] y, float[2,3] z) { y, z, w = own.both (x) }
<domain: "own", opset_import: ["" : 17]> both (a) => (a, b, c) { b = Neg (a) c = Abs (a) }
"""
OTHER_OPSET = SIMPLE.replace('"own", opset_import: ["" : 17]> scaled', '"own", opset_import: ["" : 12]> scaled')


def opened(folder: Path, text: str) -> Model:
    path = folder / "model.onnx"
    onnx.save(onnx.parser.parse_model(f"{HEAD} {text}"), path)
    return open_model(path)


def run(data: bytes, feed: dict[str, NDArray[np.generic]]) -> list[NDArray[np.generic]]:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    outputs: list[NDArray[np.generic]] = session.run(None, feed)
    return outputs


@pytest.mark.parametrize("text", [SIMPLE, NESTED], ids=["simple", "nested"])
@pytest.mark.parametrize("flag", [True, False])
def test_the_private_copy_computes_what_the_file_does(text: str, flag: bool, tmp_path: Path) -> None:
    model = opened(tmp_path, text)
    feed = {"x": X, "c": np.array(flag)} if "bool c" in text else {"x": X}
    for copy in (private_copy(model), plain_copy(model)):
        onnx.checker.check_model(copy)
        for mine, theirs in zip(
            run(copy.SerializeToString(), feed), run(Path(model.path).read_bytes(), feed), strict=True
        ):
            assert np.array_equal(mine, theirs)


def test_a_function_may_hand_on_what_it_was_given(tmp_path: Path) -> None:
    """ONNX Runtime refuses the file itself; its nodes in the private copy it runs."""
    copy = private_copy(opened(tmp_path, PASSED_ON))
    assert [node.name for node in copy.graph.node] == ["n0.body.n0", "n0.body.n1", "n0:output_0"]
    y, z = run(copy.SerializeToString(), {"x": X})
    assert np.array_equal(y, X) and np.array_equal(z, -X)


IDS = {
    "simple": (SIMPLE, ["n0", "n0.body.n0", "n0.body.n1", "n1", "n1.body.n0", "n1.body.n1", "n2"]),
    "nested": (
        NESTED,
        [
            "n0",
            "n0.body.n0",
            "n0.body.n0.body.n0",
            "n0.body.n0.body.n1",
            "n0.body.n1",
            "n0.body.n1.then_branch.n0",
            "n0.body.n1.then_branch.n1",
            "n0.body.n1.then_branch.n1.body.n0",
            "n0.body.n1.then_branch.n1.body.n1",
            "n0.body.n1.else_branch.n0",
            "n1",
            "n1.then_branch.n0",
            "n1.then_branch.n0.body.n0",
            "n1.then_branch.n0.body.n1",
            "n1.else_branch.n0",
        ],
    ),
}


@pytest.mark.parametrize("name", IDS)
def test_nodes_of_functions_have_one_id_in_the_graph_and_in_the_copy(name: str, tmp_path: Path) -> None:
    text, ids = IDS[name]
    model = opened(tmp_path, text)
    assert [layer.id for layer in model.graph.walk()] == ids
    calls = [layer for layer in model.graph.walk() if layer.op.startswith("own.")]
    assert all(call.kind is LayerKind.CONTROL for call in calls)
    copy = private_copy(model)
    left = [node.name for node in with_bodies(copy.graph.node)]
    assert sorted(left) == sorted(set(ids) - {call.id for call in calls})
    assert not copy.functions


def test_tensors_of_a_function_have_the_shapes_of_each_call(tmp_path: Path) -> None:
    graph = opened(tmp_path, SIMPLE).graph
    body = graph.subgraphs["n1.body"]
    assert (body.name, body.inputs, body.outputs) == ("scaled", ("a",), ("b",))
    assert {name: tensor.shape for name, tensor in body.tensors.items()} == {"a": (2, 3), "b": (2, 3), "k": ()}
    assert body.layers[0].attributes == {"value_float": "3"}
    assert find_all_scopes(graph).keys() == {"", "n0.body", "n1.body"}


def test_a_function_of_another_opset_is_inlined_where_its_operators_are_the_same(tmp_path: Path) -> None:
    model = opened(tmp_path, SIMPLE.replace('["" : 17]> scaled', '["" : 16]> scaled'))
    assert not private_copy(model).functions and not model.warnings


def test_a_function_of_another_opset_stays_a_call_and_is_said(tmp_path: Path) -> None:
    model = opened(tmp_path, OTHER_OPSET)
    copy = private_copy(model)
    assert [node.op_type for node in copy.graph.node] == ["scaled", "scaled", "Relu"]
    assert [function.name for function in copy.functions] == ["scaled"]
    assert any("'scaled' is of another opset" in text for text in model.warnings)


def test_functions_nested_too_deeply_are_refused(tmp_path: Path) -> None:
    deep = "t1 = own.f{0} (a)"
    for _ in range(3):
        deep = f"t1 = If (c) <then_branch = t () => (t1) {{ {deep} }}, else_branch = e () => (e1) {{ e1 = Neg (a) }}>"
    text = "g (float[2,3] x, bool b) => (float[2,3] y) { y = own.f14 (x, b) }"
    for level in range(15):
        inner = deep.replace("own.f{0} (a)", f"own.f{level - 1} (a, c)" if level else "Neg (a)")
        text += f'\n<domain: "own", opset_import: ["" : 17, "own" : 1]> f{level} (a, c) => (t1) {{ {inner} }}'
    with pytest.raises(WorkbenchError, match="inside each other"):
        opened(tmp_path, text)
