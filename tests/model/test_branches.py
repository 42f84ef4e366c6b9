"""Branches that a known value decides, in place of the Ifs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from workbench.model import open_model, private_copy, take_branches
from workbench.model.walk import with_bodies

Feed = dict[str, NDArray[np.generic]]
NESTED = """
(float[2,3] x, int64 rate) => (float[2,3] y) {
  limit = Constant <value = int64 {16000}> ()
  low = Less (rate, limit)
  i = If (low) <
    then_branch = slow () => (float[2,3] t) { k = Add (x, x) t = Reshape (k, wrong) },
    else_branch = fast () => (float[2,3] e) {
      k = Mul (x, w)
      s = Shape (k)
      two = Constant <value = int64[2] {2, 3}> ()
      same = Equal (s, two)
      number = Cast <to = 6> (same)
      all = ReduceMin <keepdims = 0> (number)
      yes = Cast <to = 9> (all)
      e = If (yes) <
        then_branch = a () => (float[2,3] k2) { k2 = Relu (k) },
        else_branch = b () => (float[2,3] k) { }
      >
    }
  >
  y = Neg (i)
}
"""
X = np.arange(6, dtype=np.float32).reshape(2, 3) - 3


def written(folder: Path, text: str) -> Path:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {text}')
    for name, values in (("wrong", np.array([7])), ("w", np.full((2, 3), 2, np.float32))):
        if name in text:
            model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    onnx.save(model, folder / "model.onnx")
    return folder / "model.onnx"


def run(model: onnx.ModelProto, feed: Feed) -> NDArray[np.generic]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: NDArray[np.generic] = session.run(None, feed)[0]
    return result


def test_a_fixed_input_decides_and_the_nested_if_follows(tmp_path: Path) -> None:
    proto = private_copy(open_model(written(tmp_path, NESTED)))
    rate = np.array(48000)
    gone = take_branches(proto, {"rate": rate})
    left = [(node.name, node.op_type) for node in proto.graph.node]
    assert left == [("n2.else_branch.n0", "Mul"), ("n2.else_branch.n7.then_branch.n0", "Relu"), ("n3", "Neg")]
    assert {"n2": "folded", "n1": "folded", "n2.then_branch.n1": "removed"}.items() <= gone.items()
    assert [value.name for value in proto.graph.input] == ["x", "rate"]
    assert np.array_equal(run(proto, {"x": X, "rate": rate}), -np.maximum(2 * X, 0))
    every = {node.name for node in with_bodies(private_copy(open_model(tmp_path / "model.onnx")).graph.node)}
    assert every == set(gone) | {name for name, _ in left}


@pytest.mark.parametrize("flag", [True, False])
def test_an_output_that_a_branch_only_hands_on_is_copied(tmp_path: Path, flag: bool) -> None:
    text = """
    (float[2,3] x, bool f) => (float[2,3] y) {
      a = Neg (x)
      y = If (f) < then_branch = t () => (float[2,3] a) { }, else_branch = e () => (float[2,3] b) { b = Relu (a) } >
    }
    """
    proto = private_copy(open_model(written(tmp_path, text)))
    gone = take_branches(proto, {"f": np.array(flag)})
    assert gone["n1"] == "folded"
    assert [node.name for node in proto.graph.node] == (["n0", "n1:output_0"] if flag else ["n0", "n1.else_branch.n0"])
    assert np.array_equal(run(proto, {"x": X, "f": np.array(flag)}), -X if flag else np.maximum(-X, 0))


def test_nothing_is_touched_where_nothing_is_decided(tmp_path: Path) -> None:
    text = """
    (float[2,3] x, bool f, int64 n) => (float[2,3] y) {
      y = If (f) <
        then_branch = t () => (float[2,3] a) { a = Neg (x) }, else_branch = e () => (float[2,3] b) { b = Relu (x) }
      >
      dead = Neg (x)
    }
    """
    proto = private_copy(open_model(written(tmp_path, text)))
    before = proto.SerializeToString(deterministic=True)
    assert take_branches(proto, {"n": np.array(1)}) == {}
    assert proto.SerializeToString(deterministic=True) == before
