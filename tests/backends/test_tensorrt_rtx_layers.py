"""Reading TensorRT's layer list, on texts kept from real builds (TensorRT for RTX 1.7.1, made without a GPU)."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.backends.tensorrt_rtx.kinds import kind_of, operations, precision_of, size_bytes, word_for
from workbench.backends.tensorrt_rtx.layers import EngineLayer, EngineTensor, first_profile, parse_block, parse_layer
from workbench.backends.tensorrt_rtx.owners import Owned, owned_nodes
from workbench.core.graph import LayerKind
from workbench.core.precision import Precision

DATA = Path(__file__).parent / "data"
TEXTS = sorted(path.name for path in DATA.glob("tensorrt_*.txt"))


def text_of(name: str) -> str:
    return (DATA / f"tensorrt_{name}.txt").read_text()


def layer(kind: str = "kgen", reads: str = "Float", writes: str = "Float", **more: object) -> EngineLayer:
    """A layer with one input and one output of these types (`""`: none)."""
    values: dict[str, object] = {
        "name": "__myl_MulAdd_myl0_0",
        "inputs": (EngineTensor("a", (1, 8), reads),) if reads else (),
        "outputs": (EngineTensor("b", (1, 8), writes),) if writes else (),
        "constants": (),
        "nodes": (),
        "tactic": "",
    }
    return EngineLayer(type=kind, stream="0", **{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TEXTS)
def test_every_line_and_tensor_of_a_real_block_is_read(name: str) -> None:
    text = (DATA / name).read_text()
    block = parse_block(text)
    tensors = sum(len(x.inputs) + len(x.constants) + len(x.outputs) for x in block.layers)
    assert not block.unread
    assert len(block.layers) == text.count("LayerType: ")
    assert tensors == text.count("{ Name: ")
    assert len(block.inputs) + len(block.outputs) == text.count("IOMode: ")
    assert sum(len(x.nodes) for x in block.layers) == text.count("[ONNX Layer: ")


def test_a_fused_layer_is_read_in_full() -> None:
    fused = parse_block(text_of("fused")).layers[3]
    assert fused.name == "__myl_CorrMulAddAddRelu_myl0_3"
    assert fused.type == "runtime_fusion"
    assert fused.nodes == ("n6", "n7", "n8", "n9")
    assert [tensor.name for tensor in fused.inputs] == ["__myln_k_arg__bb1_3_myl0", "__myln_k_arg__bb1_4_myl0"]
    assert fused.outputs[0] == EngineTensor("p.1_5_myl0", (1, 16, 16, 16), "Float", "(NHWC) Channel major format")
    assert operations(fused) == ("Corr", "Mul", "Add", "Add", "Relu")


INT8_10 = "Format/Datatype: Thirty-two wide channel vectorized row major Int8 format"
COPIED = f"{{ Name: Reformatted Input Tensor 0 to n0 + n1, Location: Device, Dimensions: [1,3,8,8], {INT8_10} }}"
TRT10 = f"""Layers:
Name: Reformatting CopyNode for Input Tensor 0 to n0 + n1, LayerType: Reformat, Inputs: [ {{ Name: x, Location: \
Device, Dimensions: [1,3,8,8], Format/Datatype: Row major linear FP32 }}], Outputs: [ {COPIED}], \
ParameterType: Reformat, Origin: REFORMAT, TacticValue: 0x00000000000003e8, StreamId: 0, Metadata:\x20
Name: n0 + n1, LayerType: CaskConvolution, Inputs: [ {COPIED}], Outputs: [ {{ Name: y, Location: Device, \
Dimensions: [1,8,8,8], Format/Datatype: Half }}], ParameterType: Convolution, Kernel: [3,3], \
Weights: {{"Type": "Int8", "Count": 216}}, Activation: RELU, TacticName: sm80_xmma_fprop_alignc8, \
TacticValue: 0x280b0ad3c23d8442, StreamId: 0, Metadata: [ONNX Layer: n0]\x1e[ONNX Layer: n1]

Bindings:
x
y
x [profile 1]
"""
"""As TensorRT 10 logs it: https://github.com/NVIDIA/TensorRT/issues/4397, and `trtexec --dumpLayerInfo` elsewhere."""


def test_the_block_of_tensorrt_10_is_read_as_its_json_is() -> None:
    block = first_profile(parse_block(TRT10))
    assert (block.inputs, block.outputs, block.unread) == (("x",), ("y",), ())
    copy, conv = block.layers
    assert copy.inputs == (EngineTensor("x", (1, 3, 8, 8), "Float", "Row major linear FP32"),)
    assert conv.inputs[0].dtype == "Int8"
    assert conv.outputs == (EngineTensor("y", (1, 8, 8, 8), "Half"),)
    assert (conv.tactic, conv.stream, conv.nodes) == ("sm80_xmma_fprop_alignc8", "0", ("n0", "n1"))
    assert precision_of(conv) is Precision.INT8
    assert kind_of(copy, has_own=False, has_added=False) is LayerKind.REFORMAT


def test_nodes_of_bodies_are_named_by_the_innermost() -> None:
    gemm = next(x for x in parse_block(text_of("control")).layers if x.type == "gemm")
    assert gemm.nodes == ("n1", "n1.then_branch.n0", "n1.then_branch.n1")


def test_a_rewritten_convolution_keeps_its_name() -> None:
    assert parse_block(text_of("nameless")).layers[0].nodes == ("n507",)


def test_names_with_commas_brackets_and_keywords_survive() -> None:
    name = "y, out/0 [Dimensions] {x}"
    line = (
        f"Name: k_myl0_0, LayerType: kgen, Inputs: [ {{ Name: {name}, Dimensions: [2], Datatype: Half }}], "
        f"Constants: [], Outputs: [ {{ Name: z, Dimensions: [], Datatype: FP8, Format: N/A }}], "
        "TacticName: t, StreamId: 1, EventId: 4, Metadata: [ONNX Layer: n0]\x1e[ONNX Layer: n1+n2:cast_x]"
    )
    read = parse_layer(line)
    assert read is not None
    assert read.inputs == (EngineTensor(name, (2,), "Half"),)
    assert read.outputs == (EngineTensor("z", (), "FP8", "N/A"),)
    assert (read.tactic, read.stream, read.nodes) == ("t", "1", ("n0", "n1+n2:cast_x"))


def test_names_with_line_breaks_survive() -> None:
    text = text_of("fused").replace("Name: x,", "Name: x\n{, [y\nName:z,")
    plain, broken = parse_block(text_of("fused")), parse_block(text)
    assert "Name: x\n" in text
    assert broken.unread == ()
    assert [one.nodes for one in broken.layers] == [one.nodes for one in plain.layers]
    assert broken.inputs == ("x\n{, [y\nName:z",)
    assert broken.layers[0].inputs[0].name == "x\n{, [y\nName:z"


def test_a_line_that_is_not_understood_is_kept_and_stops_nothing() -> None:
    first = text_of("fused").split("\n")[1]
    block = parse_block(f"Layers:\nSomething: new\n{first}\nand more\n\nI/O Tensors:\n what is this\n")
    assert block.unread == ("Something: new", "and more", " what is this")
    assert len(block.layers) == 1


def test_no_block_is_an_empty_one() -> None:
    assert parse_block("").layers == ()


def test_only_the_first_profile_is_kept() -> None:
    block = parse_block(text_of("profiles"))
    kept = first_profile(block)
    assert [x.name for x in kept.layers] == ["__myl_Move_myl0_0", "n0_myl0_1", "n2_myl0_2", "__myl_Move_myl0_3"]
    assert len(block.layers) == 9


# who owns what ----------------------------------------------------------------------------------------------------


def test_int8_helpers_serve_a_convolution_and_do_not_run_it() -> None:
    lines = parse_block(text_of("int8")).layers
    ops = {"n2": "Conv", "n3": "BatchNormalization", "n4": "Relu", "n5": "Conv", "n6": "BatchNormalization"}
    owned = owned_nodes(lines, ops)
    assert lines[0].name.startswith("__myl_MulMinMaxRounCast")
    assert "n2" in owned[0].served
    assert "n2" not in owned[0].own
    assert owned[1].own[0] == "n2"
    assert "n4" in owned[2].own  # Relu runs in the kernel that rescales the convolution and quantizes again
    assert "n5" in owned[2].served


def test_the_holder_of_a_body_gives_way_to_its_nodes() -> None:
    owned = owned_nodes([layer("gemm", nodes=("n1", "n1.then_branch.n0"))], {})
    assert owned == [Owned(("n1.then_branch.n0",), ())]


def test_attention_owns_what_kernels_beside_it_name_too() -> None:
    attention = layer(name="_gemm_mha_v2_myl0_4", nodes=("n1", "n2", "n3"))
    beside = layer(name="__myl_ReshTran_myl0_3", nodes=("n0", "n1", "n2"))
    owned = owned_nodes([beside, attention], {"n1": "MatMul", "n2": "Softmax", "n3": "MatMul"})
    assert [one.own for one in owned] == [("n0",), ("n1", "n2", "n3")]


# kinds and precisions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "own", "added", "kind"),
    [
        (layer("signal"), False, False, LayerKind.SYNC),
        (layer("wait"), False, False, LayerKind.SYNC),
        (layer("shape_call"), False, False, LayerKind.SHAPE),
        (layer("cjmp"), True, False, LayerKind.CONTROL),
        (layer("copy"), False, False, LayerKind.REFORMAT),
        (layer(name="__myl_Tran_myl0_1"), False, False, LayerKind.REFORMAT),
        (layer(name="__myl_Tran_myl0_1"), True, False, LayerKind.COMPUTE),
        (layer(name="__myl_MulMinMaxRounCast_myl0_1"), False, True, LayerKind.REFORMAT),
        (layer(name="__myl_MulAdd_myl0_1"), False, True, LayerKind.REFORMAT),
        (layer(name="__myl_MulAdd_myl0_1"), False, False, LayerKind.COMPUTE),
        (layer(name="__myl_CastMulCast_myl0_1", reads=""), False, True, LayerKind.CONSTANT),
        (layer("correlation", name="n3_myl0_3"), False, False, LayerKind.COMPUTE),
    ],
)
def test_what_a_layer_is_there_for(line: EngineLayer, own: bool, added: bool, kind: LayerKind) -> None:
    assert kind_of(line, own, added) is kind


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("__myl_MulMinMaxRounCastConc_myl0_0", "Quantize"),
        ("__myl_MulAdd_myl0_18", "Rescale"),
        ("__myl_CastTran_myl0_1", "Transpose"),
        ("__myl_Cast_myl0_1", "Cast"),
        ("__myl_Move_myl0_1", "Reformat"),
    ],
)
def test_layers_that_only_reformat_are_named_by_a_word(name: str, word: str) -> None:
    assert word_for(layer(name=name)) == word
    assert word_for(layer("wait", name="entry^bb^wait^3_myl0_1")) == "wait"


@pytest.mark.parametrize(
    ("line", "precision"),
    [
        (layer("correlation", "Float"), Precision.FP32),
        (layer("correlation", tactic="sm80_xmma_fprop_tf32f32_tf32f32_f32_nhwckrsc_nhwc"), Precision.TF32),
        (layer("correlation", tactic="sm80_xmma_fprop_f32f32_f32f32_f32_nhwckrsc_nhwc"), Precision.FP32),
        (layer("correlation", "Half"), Precision.FP16),
        (layer("gemm", "BFloat16", "Float"), Precision.BF16),
        (layer("correlation", "Int8", "Float"), Precision.INT8),
        (layer("gemm", "FP8", "Half"), Precision.FP8),
        (layer("gemm", "Half", constants=(EngineTensor("w", (8, 8), "Int4"),)), Precision.INT4_WEIGHTS),
        (layer("gemm", "Half", constants=(EngineTensor("w", (8, 8), "Int8"),)), Precision.INT8_WEIGHTS),
        (layer("kgen", "Int8", "Float"), Precision.FP32),
        (layer("kgen", "Half", "Int8"), Precision.FP16),
        (layer("kgen", "Int8", "Int8"), Precision.INT8),
        (layer("kgen", "Int64", "Bool"), None),
    ],
)
def test_the_precision_is_read_from_the_types(line: EngineLayer, precision: Precision | None) -> None:
    assert precision_of(line) is precision


def test_sizes_count_bits_and_free_dimensions_have_none() -> None:
    assert size_bytes(EngineTensor("a", (3, 5), "Int4")) == 8
    assert size_bytes(EngineTensor("a", (3, 5), "Half")) == 30
    assert size_bytes(EngineTensor("a", (-1, 5), "Float")) == 0
    assert size_bytes(EngineTensor("a", (), "Float")) == 4
