"""What other quantizers write comes back in our form: every name leads back, and the plan says what it amounts to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto

from tests.precision.models import write_model
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan
from workbench.model import private_copy
from workbench.model.ids import sources_of
from workbench.precision.quantizers import adopt, find_quantizer, quantizers, run_quantizer
from workbench.precision.quantizers.base import Quantizer

RNG = np.random.default_rng(0)
INT8, WEIGHTS, FP16 = Precision.INT8, Precision.INT8_WEIGHTS, Precision.FP16


def chain(folder: Path) -> Model:
    """MatMul, Relu, MatMul, Add of both."""
    return write_model(
        folder,
        """(float[32,64] x) => (float[32,64] y) {
            a = MatMul (x, w)
            b = Relu (a)
            c = MatMul (b, v)
            y = Add (c, a)
        }""",
        {name: RNG.normal(size=(64, 64)).astype(np.float32) for name in ("w", "v")},
    )


def made(text: str, constants: dict[str, np.ndarray], opset: int = 21) -> ModelProto:
    """What a tool might give back for `chain`: any graph with its ends."""
    proto = onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["" : {opset}]> g {text}')
    for name, values in constants.items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    return proto


def base_of(folder: Path) -> ModelProto:
    model = chain(folder)
    return private_copy(model, model.shapes)


FEEDS = [{"x": RNG.normal(size=(32, 64)).astype(np.float32)} for _ in range(4)]


def test_onnx_runtimes_own_quantizer_comes_back_as_a_plan(tmp_path: Path) -> None:
    base = base_of(tmp_path)
    one = find_quantizer("ort:int8")
    proto = run_quantizer(one, base, FEEDS, [], tmp_path / "place", lambda _line: None, lambda: False)
    found = adopt(base, proto, one.title)
    ids = {node.name for node in base.graph.node}
    assert all(set(sources_of(node.name)) & ids for node in found.proto.graph.node)
    assert len({node.name for node in found.proto.graph.node}) == len(found.proto.graph.node)
    assert found.precisions["n0"] is INT8 and found.precisions["n2"] is INT8
    assert found.removed == {"n3": "folded"}  # into the Gemm that its pre-processing makes of n2
    plan = found.plan(PrecisionPlan(), "by it")
    assert {node for rule in plan.rules for node in rule.nodes} == set(found.precisions)
    assert plan.default is Precision.FP32 and not plan.quantizer


def test_what_rules_keep_out_is_left_alone(tmp_path: Path) -> None:
    base = base_of(tmp_path)
    one = find_quantizer("ort:int8")
    proto = run_quantizer(one, base, FEEDS, ["n2"], tmp_path / "place", lambda _line: None, lambda: False)
    precisions = adopt(base, proto, one.title).precisions
    assert precisions["n0"] is INT8 and "n2" not in precisions


def test_a_tool_that_gives_up_says_its_own_last_words(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(WorkbenchError, match="ONNX Runtime INT8 gave up: ") as refused:
        run_quantizer(
            find_quantizer("ort:int8"), base_of(tmp_path), [], [], tmp_path / "place", said.append, lambda: False
        )
    assert "log" in refused.value.hint and any("Traceback" in line for line in said)


def test_cancel_ends_the_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run_ort.py").write_text("import time\nwhile True:\n    time.sleep(3600)\n")
    monkeypatch.setattr("workbench.precision.quantizers.base.SCRIPTS", tmp_path)  # one that never ends by itself
    turns = iter([False] * (len(FEEDS) + 1))  # while samples are written, and once while it works
    with pytest.raises(Cancelled):
        run_quantizer(
            find_quantizer("ort:int8"),
            base_of(tmp_path),
            FEEDS,
            [],
            tmp_path / "place",
            lambda _line: None,
            lambda: next(turns, True),
        )
    assert not (tmp_path / "place" / "quantized.onnx").exists()


def test_weights_alone_are_weights_only(tmp_path: Path) -> None:
    text = """(float[32,64] x) => (float[32,64] y) {
        wf = DequantizeLinear (wq, s)
        [n0] a = MatMul (x, wf)
        [n1] b = Relu (a)
        vf = DequantizeLinear (vq, s)
        vt = Transpose (vf)
        [n2] c = MatMul (b, vt)
        [n3] y = Add (c, a)
    }"""
    stored = RNG.integers(-9, 9, (64, 64)).astype(np.int8)
    proto = made(text, {"wq": stored, "vq": stored, "s": np.float32(0.1)})
    found = adopt(base_of(tmp_path), proto, "a tool")
    assert found.precisions == {"n0": WEIGHTS, "n2": WEIGHTS}
    assert sorted(node.name for node in found.proto.graph.node if ":" in node.name) == [
        "n0:dequantizelinear",
        "n2:dequantizelinear",
        "n2:transpose",
    ]


def test_an_op_of_theirs_in_the_place_of_the_users_is_the_users(tmp_path: Path) -> None:
    text = """(float[32,64] x) => (float[32,64] y) {
        [n0_compressed] a = com.microsoft.MatMulNBits <K = 64, N = 64, bits = 4, block_size = 32> (x, wq, s)
        [n1] b = Relu (a)
        [n2] c = MatMul (b, v)
        [n3] y = Add (c, a)
    }"""
    stored, scales = np.zeros((64, 2, 16), np.uint8), np.ones((64, 2), np.float32)
    weights = RNG.normal(size=(64, 64)).astype(np.float32)
    proto = made(text, {"wq": stored, "s": scales, "v": weights})
    proto.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    found = adopt(base_of(tmp_path), proto, "a tool")
    assert found.precisions == {"n0": Precision.INT4_WEIGHTS} and not found.removed


def test_half_types_count_as_what_they_are(tmp_path: Path) -> None:
    text = """(float[32,64] x) => (float[32,64] y) {
        [n0] a = MatMul (x, w)
        [n1] b = Relu (a)
        bh = Cast <to = 10> (b)
        [n2] ch = MatMul (bh, v)
        c = Cast <to = 1> (ch)
        [n3] y = Add (c, a)
    }"""
    w = RNG.normal(size=(64, 64)).astype(np.float32)
    found = adopt(base_of(tmp_path), made(text, {"w": w, "v": w.astype(np.float16)}, 17), "a tool")
    assert found.precisions == {"n2": FP16}


def test_what_is_gone_was_folded_and_a_stolen_name_is_taken_back(tmp_path: Path) -> None:
    text = """(float[32,64] x) => (float[32,64] y) {
        [n1] xq = QuantizeLinear (x, s, z)
        [n0] xf = DequantizeLinear (xq, s, z)
        [n2] y = MatMul (xf, w)
    }"""
    w = RNG.normal(size=(64, 64)).astype(np.float32)
    found = adopt(base_of(tmp_path), made(text, {"w": w, "s": np.float32(0.1), "z": np.int8(0)}), "a tool")
    assert found.removed == dict.fromkeys(("n0", "n1", "n3"), "folded")
    assert [node.name for node in found.proto.graph.node] == ["n2:quantizelinear", "n2:dequantizelinear", "n2"]


def test_other_ends_are_refused(tmp_path: Path) -> None:
    text = "(float16[32,64] x) => (float[32,64] y) { y = Cast <to = 1> (x) }"
    with pytest.raises(WorkbenchError, match="changed what goes in or comes out: x"):
        adopt(base_of(tmp_path), made(text, {}, 17), "A tool")


def test_what_is_not_here_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKBENCH_NNCF_PYTHON", str(tmp_path / "no such python"))
    with pytest.raises(WorkbenchError, match="NNCF INT8 is not installed") as refused:
        find_quantizer("nncf:int8")
    assert "inference-workbench[nncf]" in refused.value.hint and "WORKBENCH_NNCF_PYTHON" in refused.value.hint
    with pytest.raises(WorkbenchError, match="no quantizer magic"):
        find_quantizer("magic")


def test_ids_are_unique_and_name_their_tool() -> None:
    known = quantizers()
    assert len({one.id for one in known}) == len(known) >= 10
    assert all(one.id.startswith(f"{one.tool}:") and one.summary for one in known)


@pytest.mark.parametrize("one", [one for one in quantizers() if one.tool != "ort"], ids=lambda one: one.id)
def test_every_tool_that_is_installed_gives_a_plan(one: Quantizer, tmp_path: Path) -> None:
    if one.reason():
        pytest.skip(one.reason())
    base = base_of(tmp_path)
    proto = run_quantizer(one, base, FEEDS, [], tmp_path / "place", lambda _line: None, lambda: False)
    found = adopt(base, proto, one.title)
    assert one.precision in found.precisions.values()
