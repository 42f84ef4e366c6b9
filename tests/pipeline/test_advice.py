"""Each rule of advice on a graph that shows what it looks for, and on one that does not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.pipeline.fusing import layer, node
from workbench.core.advice import Advice, Advised
from workbench.core.graph import Fate, FateKind, Graph, Layer, LayerKind, Tensor
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.core.run import BuildConfig, EngineGraph
from workbench.pipeline.advice import advise, find_rules
from workbench.pipeline.advice_text import advice_text, edit_text

SIZE = 1000
FP32, FP16, INT8 = Precision.FP32, Precision.FP16, Precision.INT8
REFORMAT = LayerKind.REFORMAT


def graph(nodes: Sequence[Layer], outputs: str = "y", weights: str = "", **shapes: tuple[int, ...]) -> Graph:
    names = {name for one in nodes for name in (*one.inputs, *one.outputs)}
    constants = weights.split()
    tensors = {n: Tensor(n, shapes.get(n, (250,)), "float32", SIZE, n in constants) for n in names}
    return Graph("source", tuple(nodes), tensors, ("x",), tuple(outputs.split()))


def engine(source: Graph, *layers: Layer, folded: str = "", outputs: str = "y", **dtypes: str) -> EngineGraph:
    """Fates by the sources of the layers; every tensor has 1,000 bytes of float32 where `dtypes` names no other."""
    went: dict[str, list[str]] = {}
    for one in layers:
        for key in one.sources:
            went.setdefault(key, []).append(one.id)
    fates = {
        n.id: Fate(FateKind.ALONE, tuple(went[n.id])) if n.id in went else Fate(FateKind.FOLDED) for n in source.layers
    }
    names = {name for one in layers for name in (*one.inputs, *one.outputs)}
    tensors = {name: Tensor(name, (250,), dtypes.get(name, "float32"), SIZE) for name in names}
    sizes = {n.id: tuple(SIZE for _ in n.outputs) for n in source.layers}
    return EngineGraph(Graph("engine", layers, tensors, ("x",), tuple(outputs.split())), fates, sizes)


def found(
    source: Graph, made: EngineGraph, rule: str, config: BuildConfig | None = None, **more: object
) -> list[Advice]:
    """What one rule says, whatever it gains."""
    from workbench.pipeline.advice.base import Seen

    given = {"ms": {}, "asked": {}, **more}
    seen = Seen(source, made, config or BuildConfig("null"), given["ms"], given["asked"])  # type: ignore[arg-type]
    return list(find_rules()[rule].look(seen))


def planned(backend: str, default: Precision = FP32, *rules: Rule, **fields: object) -> BuildConfig:
    return BuildConfig(backend, PrecisionPlan(default, rules, **fields))  # type: ignore[arg-type]


# rules -------------------------------------------------------------------------------------------------------------


def test_rules_are_the_files_of_the_folder_and_each_says_what_it_looks_for() -> None:
    files = {path.stem for path in (Path(__file__).parents[2] / "workbench/pipeline/advice").glob("*.py")}
    rules = find_rules()
    assert set(rules) == files - {"__init__", "base"} and len(rules) >= 9
    assert all(rule.LOOKS and not rule.LOOKS.endswith(".") for rule in rules.values())


BN = graph([node(0, "Conv", "x w", "a"), node(1, "BatchNormalization", "a s", "y")], weights="w s")


def test_a_batchnorm_behind_its_conv_can_be_folded_into_it() -> None:
    apart = engine(BN, layer(0, "n0", "x w", "a"), layer(1, "n1", "a s", "y"))
    (advice,) = found(BN, apart, "batchnorm", ms={"l0": 3.0, "l1": 1.0})
    assert advice.layers == ("l1",) and advice.nodes == ("n1",)
    assert advice.ms == advice.gain_ms == 1.0 and advice.gain_bytes == 2 * SIZE
    assert advice.edit is not None and advice.edit.clean and advice.edit.unskip == ("fold_batchnorm",)


def test_a_batchnorm_in_the_layer_of_its_conv_or_without_a_conv_is_no_advice() -> None:
    together = engine(BN, layer(0, "n0 n1", "x w", "y"))
    assert found(BN, together, "batchnorm") == []
    alone = graph([node(0, "Relu", "x", "a"), node(1, "BatchNormalization", "a s", "y")], weights="s")
    assert found(alone, engine(alone, layer(0, "n0", "x", "a"), layer(1, "n1", "a", "y")), "batchnorm") == []
    shared = graph([*BN.layers, node(2, "Relu", "a", "z")], outputs="y z", weights="w s")
    apart = engine(shared, layer(0, "n0", "x w", "a"), layer(1, "n1", "a", "y"), layer(2, "n2", "a", "z"))
    assert found(shared, apart, "batchnorm") == []


def test_a_batchnorm_that_the_clean_up_could_not_fold_has_no_fix() -> None:
    apart = engine(BN, layer(0, "n0", "x w", "a"), layer(1, "n1", "a s", "y"))
    (advice,) = found(BN, apart, "batchnorm", planned("openvino", clean=True))
    assert advice.edit is None and "could not fold" in advice.why_not


ATTENTION = graph(
    [
        node(0, "MatMul", "x k", "s"),
        node(1, "Mul", "s c", "m"),
        node(2, "Softmax", "m", "p"),
        node(3, "IsNaN", "p", "i"),
        node(4, "Where", "i zero p", "g"),
        node(5, "MatMul", "g v", "y"),
    ],
    weights="c zero",
)


def test_attention_in_several_kernels_is_found_through_scale_and_guards() -> None:
    split = engine(ATTENTION, layer(0, "n0", "x k", "s"), layer(1, "n1 n2 n3 n4", "s", "g"), layer(2, "n5", "g v", "y"))
    (advice,) = found(ATTENTION, split, "attention", planned("tensorrt_rtx"))
    assert advice.title == "Attention in 3 kernels" and set(advice.layers) == {"l0", "l1", "l2"}
    assert advice.gain_bytes == 2 * 2 * SIZE  # s and g, written once and read once
    assert advice.edit is not None and advice.edit.precision is FP16
    assert set(advice.edit.nodes) == {"n0", "n1", "n2", "n3", "n4", "n5"}


def test_attention_elsewhere_has_no_fix_and_says_why() -> None:
    split = engine(ATTENTION, layer(0, "n0", "x k", "s"), layer(1, "n1 n2 n3 n4 n5", "s v", "y"))
    assert found(ATTENTION, split, "attention", planned("openvino"))[0].why_not.startswith("OpenVINO decides")
    half = engine(ATTENTION, layer(0, "n0", "x k", "s", precision=FP16), layer(1, "n1 n2 n3 n4 n5", "s v", "y"))
    assert found(ATTENTION, half, "attention", planned("tensorrt_rtx", FP16))[0].edit is None


def test_a_mask_that_is_prepared_elsewhere_does_not_split_attention() -> None:
    masked = graph(
        [
            node(0, "Sub", "one x", "a"),
            node(1, "Mul", "a big", "b"),
            node(2, "MatMul", "q k", "s"),
            node(3, "Add", "s b", "m"),
            node(4, "Softmax", "m", "p"),
            node(5, "MatMul", "p v", "y"),
        ],
        weights="one big",
    )
    whole = engine(masked, layer(0, "n0 n1", "x", "b"), layer(1, "n2 n3 n4 n5", "q k b v", "y"))
    assert found(masked, whole, "attention") == []
    split = engine(masked, layer(0, "n0 n1", "x", "b"), layer(1, "n2", "q k", "s"), layer(2, "n3 n4 n5", "s b v", "y"))
    (advice,) = found(masked, split, "attention")
    assert advice.title == "Attention in 2 kernels" and advice.nodes == ("n2", "n3", "n4", "n5")
    assert advice.gain_bytes == 2 * SIZE, "the scores alone: the mask is read in any case"


@pytest.mark.parametrize(
    ("backend", "said"),
    [("TensorRT 10 (imported)", ""), ("OpenVINO (imported)", "OpenVINO decides"), ("ONNX Runtime (imported)", "This ")],
)
def test_an_imported_engine_gets_the_advice_of_its_maker(backend: str, said: str) -> None:
    split = engine(ATTENTION, layer(0, "n0", "x k", "s"), layer(1, "n1 n2 n3 n4 n5", "s v", "y"))
    (advice,) = found(ATTENTION, split, "attention", planned(backend))
    assert advice.why_not.startswith(said)
    assert (advice.edit is not None) == (said == "")


def test_attention_in_one_kernel_or_a_softmax_over_weights_is_no_advice() -> None:
    whole = engine(ATTENTION, layer(0, "n0 n1 n2 n3 n4 n5", "x k v", "y"))
    assert found(ATTENTION, whole, "attention") == []
    classes = graph([node(0, "MatMul", "x w", "s"), node(1, "Softmax", "s", "y")], weights="w")
    split = engine(classes, layer(0, "n0", "x", "s"), layer(1, "n1", "s", "y"))
    assert found(classes, split, "attention") == []


QKV = graph([node(i, "MatMul", f"x w{i}", f"y{i}") for i in range(3)], outputs="y0 y1 y2", weights="w0 w1 w2")


def test_three_products_of_one_tensor_in_kernels_of_their_own_read_it_three_times() -> None:
    apart = engine(QKV, *(layer(i, f"n{i}", "x", f"y{i}") for i in range(3)), outputs="y0 y1 y2")
    (advice,) = found(QKV, apart, "qkv")
    assert advice.nodes == ("n0", "n1", "n2") and advice.gain_bytes == 2 * SIZE
    assert advice.edit is None and "side by side" in advice.why_not


def test_merged_products_and_two_products_are_no_advice() -> None:
    merged = engine(QKV, layer(0, "n0 n1 n2", "x", "y0"), outputs="y0 y1 y2")
    assert found(QKV, merged, "qkv") == []
    two = msgspec.structs.replace(QKV, layers=QKV.layers[:2])
    assert found(two, engine(two, layer(0, "n0", "x", "y0"), layer(1, "n1", "x", "y1")), "qkv") == []


def conv(out: int, into: int) -> Graph:
    nodes = [node(0, "Conv", "x w", "a"), node(1, "Conv", "a v", "b"), node(2, "Relu", "b", "y")]
    return graph(nodes, weights="w v", w=(into, 3, 3, 3), v=(out, into, 3, 3))


@pytest.mark.parametrize(
    ("out", "into", "tactic", "wasted"),
    [(24, 16, "brgconv_avx512_f32", 8 / 32), (24, 16, "jit_avx2_f32", 0), (16, 24, "brgconv_avx512_f32", 0)],
)
def test_output_channels_that_fill_no_vector_are_told_by_the_kernels_name(
    out: int, into: int, tactic: str, wasted: float
) -> None:
    source = conv(out, into)
    made = engine(source, layer(0, "n0", "x", "a"), layer(1, "n1", "a", "b", tactic=tactic), layer(2, "n2", "b", "y"))
    advice = found(source, made, "channels", ms={"l0": 1.0, "l1": 4.0, "l2": 1.0})
    assert [one.gain_ms for one in advice] == ([pytest.approx(4 * wasted)] if wasted else [])


def test_tensor_cores_want_both_counts_in_multiples_of_their_type() -> None:
    source = conv(12, 20)
    for precision, wasted in ((FP16, 1 - 12 / 16 * 20 / 24), (INT8, 1 - 12 / 16 * 20 / 32), (FP32, 0.0)):
        made = engine(source, layer(0, "n0", "x", "a"), layer(1, "n1", "a", "b", precision=precision))
        advice = found(source, made, "channels", planned("tensorrt_rtx"))
        expected = [round(wasted * 2 * SIZE)] if wasted else []
        assert [one.gain_bytes for one in advice if "n1" in one.nodes] == expected


def test_a_single_score_and_the_classes_of_an_output_are_what_they_are() -> None:
    classes = graph(
        [node(0, "Conv", "x w", "a"), node(1, "MatMul", "a v", "y")], weights="w v", w=(1, 16, 3, 3), v=(16, 10)
    )
    fast = "brgconv_avx512_f32"
    made = engine(classes, layer(0, "n0", "x", "a", tactic=fast), layer(1, "n1", "a", "y", tactic=fast))
    assert found(classes, made, "channels") == []


CHAIN = graph(
    [
        node(0, "Conv", "x w", "a"),
        node(1, "Relu", "a", "b"),
        node(2, "Conv", "b v", "c"),
        node(3, "Relu", "c", "y"),
    ],
    outputs="a y",
    weights="w v",
)


def test_a_chain_cut_by_an_output_is_told_where_the_engine_fuses_such_a_chain_elsewhere() -> None:
    made = engine(CHAIN, layer(0, "n0", "x", "a"), layer(1, "n1", "a", "b"), layer(2, "n2 n3", "b", "y"), outputs="a y")
    (advice,) = found(CHAIN, made, "broken_chain")
    assert set(advice.layers) == {"l0", "l1"} and advice.gain_bytes == SIZE and advice.text.startswith("a:")
    never = engine(
        CHAIN, *(layer(i, f"n{i}", r, w) for i, (r, w) in enumerate(("xa", "ab", "bc", "cy"))), outputs="a y"
    )
    assert found(CHAIN, never, "broken_chain") == []
    assert (
        found(
            CHAIN,
            msgspec.structs.replace(made, graph=msgspec.structs.replace(made.graph, outputs=("y",))),
            "broken_chain",
        )
        == []
    )


def test_shapes_computed_at_run_time_can_be_computed_before_where_they_are_fixed() -> None:
    source = graph([node(0, "Shape", "x", "s"), node(1, "Reshape", "x s", "y")])
    made = engine(source, layer(0, "n0", "x", "s", kind=LayerKind.SHAPE), layer(1, "n1", "x s", "y"))
    (advice,) = found(source, made, "shape_ops")
    assert advice.layers == ("l0",) and advice.edit is not None and advice.edit.clean
    (tried,) = found(source, made, "shape_ops", planned("openvino", clean=True))
    assert tried.edit is None and "hangs on values" in tried.why_not
    assert found(source, engine(source, layer(0, "n1", "x", "y")), "shape_ops") == []
    tensors = made.graph.tensors | {"x": Tensor("x", ("?", 10), "float32", 0)}
    free = msgspec.structs.replace(made, graph=msgspec.structs.replace(made.graph, tensors=tensors))
    (varied,) = found(source, free, "shape_ops", planned("TensorRT 10 (imported)"))
    assert varied.edit is None and varied.why_not.startswith("Its shapes vary"), "nobody gave profiles, but it has some"


def test_casts_at_the_ends_go_where_inputs_and_outputs_may_be_halves() -> None:
    source = graph([node(0, "Conv", "x w", "a"), node(1, "Relu", "a", "y")], weights="w")
    made = engine(
        source,
        layer(0, "", "x", "x1", kind=REFORMAT),
        layer(1, "n0", "x1", "a", precision=FP16),
        layer(2, "n1", "a", "y", precision=FP16),
        x1="float16",
        a="float16",
    )
    (advice,) = found(source, made, "conversions", planned("tensorrt_rtx", FP16))
    assert set(advice.layers) == {"l0", "l2"} and advice.gain_bytes == SIZE  # half of x and of y
    assert advice.edit is not None and advice.edit.keep_io is False
    assert found(source, made, "conversions", planned("tensorrt_rtx", FP16, keep_io=False)) == []
    assert found(source, made, "conversions", planned("openvino", Precision.BF16)) == []  # halves are a hint there


def test_casts_inside_a_half_plan_lead_to_the_nodes_that_its_rules_keep_in_float() -> None:
    source = graph([node(i, "Relu", r, w) for i, (r, w) in enumerate(("xa", "ab", "by"))])
    made = engine(
        source,
        layer(0, "n0", "x", "a", precision=FP16),
        layer(1, "", "a", "a1", kind=REFORMAT),
        layer(2, "n1", "a1", "b"),
        layer(3, "", "b", "b1", kind=REFORMAT),
        layer(4, "n2", "b1", "y", precision=FP16),
        **dict.fromkeys(("x", "a", "b1", "y"), "float16"),
    )
    asked = {"n0": FP16, "n1": FP32, "n2": FP16}
    (advice,) = found(source, made, "conversions", planned("tensorrt_rtx", FP16, keep_io=False), asked=asked)
    assert set(advice.layers) == {"l1", "l3"} and advice.edit is not None
    assert advice.edit.nodes == ("n1",) and advice.edit.precision is FP16


def test_reformats_are_the_engines_own_choice() -> None:
    source = graph([node(0, "Conv", "x w", "y")], weights="w")
    made = engine(source, layer(0, "", "x", "x1", kind=REFORMAT), layer(1, "n0", "x1", "y"))
    (advice,) = found(source, made, "conversions", ms={"l0": 0.5, "l1": 1.0})
    assert advice.gain_ms == 0.5 and advice.edit is None and "engine chose" in advice.why_not


def quantized(middle: Precision) -> tuple[Graph, EngineGraph]:
    """8-bit Conv, a dequantize layer, a product in `middle`, a quantize layer, 8-bit Conv."""
    source = graph([node(i, "Conv", f"{r} w{i}", w) for i, (r, w) in enumerate(("xa", "ab", "by"))], weights="w0 w1 w2")
    made = engine(
        source,
        layer(0, "n0", "x", "a", precision=INT8),
        layer(1, "n1", "a", "a1", kind=REFORMAT),
        layer(2, "n1", "a1", "b", precision=middle),
        layer(3, "n2", "b", "b1", kind=REFORMAT),
        layer(4, "n2", "b1", "y", precision=INT8),
        **dict.fromkeys(("x", "a", "b1", "y"), "int8"),
    )
    return source, made


def test_unfused_q_dq_leads_to_the_product_that_the_plan_keeps_in_float() -> None:
    asked = {"n0": INT8, "n1": FP32, "n2": INT8}
    (advice,) = found(*quantized(FP32), "unfused_qdq", planned("openvino", INT8), asked=asked)
    assert set(advice.layers) == {"l1", "l3"} and advice.edit is not None
    assert advice.edit.nodes == ("n1",) and advice.edit.precision is INT8


def test_unfused_q_dq_without_such_a_product_has_no_fix() -> None:
    every = dict.fromkeys(("n0", "n1", "n2"), INT8)
    assert "could not take" in found(*quantized(FP32), "unfused_qdq", asked=every)[0].why_not
    assert "stand in the file" in found(*quantized(FP32), "unfused_qdq")[0].why_not


def test_the_quantize_layer_at_an_input_is_needed() -> None:
    source = graph([node(0, "Conv", "x w", "y")], weights="w")
    made = engine(source, layer(0, "n0", "x", "x1", kind=REFORMAT), layer(1, "n0", "x1", "y"), x1="int8")
    assert found(source, made, "unfused_qdq") == []


def float_out(writes: str) -> tuple[Graph, EngineGraph]:
    source = graph([node(0, "Conv", "x w", "a"), node(1, "Relu", "a", "b"), node(2, "Conv", "b v", "y")], weights="w v")
    made = engine(
        source,
        layer(0, "n0", "x", "a", precision=INT8),
        layer(1, "n1", "a", "b"),
        layer(2, "n2", "b", "y", precision=INT8),
        x="int8",
        a=writes,
        b="int8",
    )
    return source, made


def test_int8_in_and_float_out_that_is_rounded_again_is_told_and_fp16_offered_on_tensorrt() -> None:
    asked = dict.fromkeys(("n0", "n1", "n2"), INT8)
    (advice,) = found(*float_out("float32"), "float_out", planned("tensorrt_rtx", INT8), asked=asked)
    assert set(advice.layers) == {"l0", "l1"} and advice.nodes == ("n0",) and advice.gain_bytes == 6 * SIZE // 4
    assert advice.edit is not None and advice.edit.default is FP16 and not advice.edit.nodes
    by_rule = planned("tensorrt_rtx", FP32, Rule(INT8, op="Conv"))
    (ruled,) = found(*float_out("float32"), "float_out", by_rule, asked={"n0": INT8, "n1": FP32, "n2": INT8})
    assert ruled.edit is not None and ruled.edit.nodes == ("n0", "n2") and ruled.edit.precision is FP16
    (elsewhere,) = found(*float_out("float32"), "float_out", planned("openvino", INT8), asked=asked)
    assert elsewhere.edit is None and "decided by the engine" in elsewhere.why_not


def test_int8_out_is_no_advice() -> None:
    assert found(*float_out("int8"), "float_out") == []


# all together ------------------------------------------------------------------------------------------------------


def advised(ms: dict[str, float]) -> Advised:
    apart = engine(BN, layer(0, "n0", "x w", "a"), layer(1, "n1", "a s", "y"))
    return advise(BN, apart, BuildConfig("null"), ms)


def test_what_gains_less_than_one_percent_is_counted_and_left_out() -> None:
    assert [one.rule for one in advised({"l0": 1.0, "l1": 0.1}).advice] == ["batchnorm"]
    small = advised({"l0": 1000.0, "l1": 0.1})
    assert small.advice == () and small.small == 1
    assert "nothing. Looked for" in advice_text(small) and "1 more would gain less than 1 %" in advice_text(small)


def test_advice_in_words_says_gain_evidence_formula_and_action() -> None:
    text = advice_text(advised({"l0": 3.0, "l1": 1.0}))
    assert "1. 1 BatchNormalization not folded: up to 1.000 ms of 4.000 ms (25.0 %) ESTIMATE" in text
    assert "1 layer (l1), nodes n1, 1.000 ms measured" in text and "how estimated: the time of these layers" in text
    assert "do: Fold BatchNormalization before the build (--clean)" in text
    untimed = advised({})
    assert "KiB less to move an inference ESTIMATE" in advice_text(untimed)
    assert untimed.advice[0].edit is not None and "--clean" in edit_text(untimed.advice[0].edit)
