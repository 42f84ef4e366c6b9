"""trtexec 10 commands, and what is said of them."""

from __future__ import annotations

import shlex

import pytest

from workbench.cli.arguments import make_parser
from workbench.core.errors import WorkbenchError
from workbench.core.precision import CalibrationMethod, Precision
from workbench.pipeline.migration import Migration, migrate, migration_text
from workbench.precision import plan_text
from workbench.precision.plan_parse import parse_plan_file


def gone(found: Migration) -> list[str]:
    return [finding.option for finding in found.gone]


@pytest.mark.parametrize(
    ("flags", "default", "narrow"),
    [
        ("--fp16", Precision.FP16, None),
        ("--bf16", Precision.BF16, None),
        ("", Precision.TF32, None),
        ("--noTF32", Precision.FP32, None),
        ("--stronglyTyped", Precision.TF32, None),
        ("--stronglyTyped --noTF32 --fp16 --int8", Precision.FP32, None),
        ("--int8", Precision.INT8, None),
        ("--int8 --fp16", Precision.FP16, Precision.INT8),
        ("--fp8 --bf16", Precision.BF16, Precision.FP8),
        ("--int4 --fp16", Precision.FP16, Precision.INT4_WEIGHTS),
        ("--best", Precision.FP16, Precision.INT8),
    ],
)
def test_the_plan_allows_what_weak_typing_was_allowed(flags: str, default: Precision, narrow: Precision | None) -> None:
    plan = migrate(f"trtexec --onnx=m.onnx {flags}").plan
    assert plan.default is default
    assert {rule.precision for rule in plan.rules} == ({narrow} if narrow else set())
    assert not any(rule.op in ("Softmax", "") for rule in plan.rules), "only products are narrowed"
    assert parse_plan_file(plan_text(plan), "p.toml").plan == plan


def test_int8_with_a_cache_is_said_whole() -> None:
    found = migrate("trtexec --onnx=m.onnx --int8 --fp16 --calib=m.cache --saveEngine=m.plan --useCudaGraph")
    assert gone(found) == ["--int8", "--fp16", "--calib=m.cache"]
    assert [finding.option for finding in found.idle] == ["--useCudaGraph"]
    assert found.kept == ("--onnx=m.onnx", "--saveEngine=m.plan")
    assert found.plan.calibration.method is CalibrationMethod.ENTROPY, "as the calibrator of trtexec"
    assert shlex.split(found.trtexec) == ["trtexec", "--onnx=m.typed.onnx", "--saveEngine=m.plan"]
    assert found.export.endswith("--calibration SET -o m.typed.onnx")
    text = migration_text(found)
    assert "Gone in TensorRT 11:\n  --int8: " in text
    assert 'default = "fp16"' in text


@pytest.mark.parametrize("flags", ["--fp16", "--int8 --fp16", "--shapes=x:1x3 --noTF32", "--minShapes=x:1x3 --fp16"])
def test_the_commands_are_such_as_the_workbench_takes(flags: str) -> None:
    found = migrate(f"trtexec --onnx=m.onnx {flags} --memPoolSize=workspace:1G --maxAuxStreams=0")
    for line in filter(None, (found.workbench, found.export)):
        arguments = make_parser().parse_args(shlex.split(line)[1:])
        assert arguments.model == "m.onnx"
    assert dict(make_parser().parse_args(shlex.split(found.workbench)[1:]).option) == {
        "aux_streams": "0",
        "workspace_mib": "1024",
    }


def test_layer_precisions_become_rules_only_where_they_were_binding() -> None:
    line = "trtexec --onnx=m.onnx --fp16 --layerPrecisions=/norm/*:fp32,'a[0]':fp16,b:int32"
    assert not migrate(line).plan.rules
    assert any("no effect" in note for note in migrate(line).notes)
    found = migrate(f"{line} --precisionConstraints=obey")
    assert [(rule.name, rule.precision) for rule in found.plan.rules] == [
        ("/norm/*", Precision.FP32),
        ("a[[]0]", Precision.FP16),
    ]
    assert "No rule can say b:int32." in found.notes


def test_profiles_of_shapes_stay_and_are_those_of_the_workbench() -> None:
    found = migrate("trtexec --onnx=m.onnx --fp16 --minShapes=x:1x3,y:1 --optShapes=x:4x3,y:2 --maxShapes=x:8x3,y:3")
    assert "--profile x=1x3:4x3:8x3 --profile y=1:2:3" in found.workbench
    assert "--maxShapes=x:8x3,y:3" in found.trtexec


def test_several_profiles_are_all_said_in_the_order_of_their_numbers() -> None:
    one = "--profile=1 --minShapes=x:8x3 --optShapes=x:16x3 --maxShapes=x:32x3"
    found = migrate(f"trtexec --onnx=m.onnx {one} --profile=0 --minShapes=x:1x3 --optShapes=x:2x3 --maxShapes=x:4x3")
    assert "--profile x=1x3:2x3:4x3 --profile x=8x3:16x3:32x3" in found.workbench
    given = make_parser().parse_args(shlex.split(found.workbench)[1:]).profile
    assert [sides[0] for _, sides in given] == [(1, 3), (8, 3)]


@pytest.mark.parametrize(
    ("size", "mib"),
    [("64", "64"), ("0.5G", "512"), ("2048K", "2"), ("1024B", "1"), ("2.5", "2"), ("1T", ""), ("x", "")],
)
def test_sizes_of_the_workspace_have_units_and_fractions(size: str, mib: str) -> None:
    found = migrate(f"trtexec --onnx=m.onnx --memPoolSize=tacticSharedMem:48K,workspace:{size}")
    assert ("workspace_mib" in found.workbench) == bool(mib)
    assert found.workbench.endswith(f"workspace_mib={mib}" if mib else "tf32")
    assert f"workspace:{size}" in found.trtexec, "trtexec reads its own units"


@pytest.mark.parametrize(
    ("flag", "new"),
    [
        ("--tacticSources=-CUDNN,+CUBLAS,-JIT_CONVOLUTIONS", "--tacticSources=-JIT_CONVOLUTIONS"),
        ("--tacticSources=-cudnn", ""),
        ("--preview=+profileSharing0806", ""),
        ("--inputIOFormats=fp16:chw+hwc8,int32:chw", "--inputIOFormats=chw+hwc8,chw"),
    ],
)
def test_values_that_trtexec_11_refuses_are_gone_and_the_rest_of_them_stays(flag: str, new: str) -> None:
    found = migrate(f"trtexec --onnx=m.onnx {flag}")
    assert gone(found) == [flag]
    assert found.trtexec == f"trtexec --onnx=m.onnx {new}".rstrip()
    assert found.kept == ("--onnx=m.onnx", *([new] if new else []))
    assert not gone(migrate(f"trtexec --onnx=m.onnx {new}"))


def test_inputs_and_outputs_that_were_halves_are_halves_in_the_plan() -> None:
    both = "--inputIOFormats=fp16:chw --outputIOFormats=fp16:chw,int32:chw"
    found = migrate(f"trtexec --onnx=m.onnx --fp16 {both}")
    assert not found.plan.keep_io
    assert "--plan m.toml" in found.export
    assert "keep_io = false" in migration_text(found)
    one = migrate("trtexec --onnx=m.onnx --fp16 --inputIOFormats=fp16:chw")
    assert one.plan.keep_io
    assert any("both be halves, or neither" in note for note in one.notes)


def test_a_command_from_a_document_has_its_dashes_back() -> None:
    found = migrate("trtexec \u2014onnx=m.onnx -\u2013fp16 \u2013\u2013noTF32")
    assert (found.model, found.plan.default, gone(found)) == ("m.onnx", Precision.FP16, ["--fp16"])
    assert migrate(r"trtexec.exe --onnx=C:\models\m.onnx").model == r"C:\models\m.onnx"


def test_a_file_that_may_have_qdq_is_told_what_to_do_then() -> None:
    (note,) = (n for n in migrate("trtexec --onnx=m.onnx --int8 --fp16").notes if "Where it has Q/DQ" in n)
    assert "--precision fp16" in note


def test_old_words_get_the_new_ones_and_unknown_ones_are_told() -> None:
    found = migrate("/opt/bin/trtexec --onnx=m.onnx \\\n --workspace=64 --buildOnly --plugins=a.so --frobnicate=1 -h")
    assert {"--memPoolSize=workspace:64", "--skipInference", "--staticPlugins=a.so"} <= set(shlex.split(found.trtexec))
    assert found.unknown == ("--frobnicate=1",)
    assert any("--noCudaGraph" in note for note in found.notes), "10 measured without, 11 with"


def test_a_strongly_typed_command_needs_no_plan() -> None:
    found = migrate("trtexec --onnx=m.onnx --stronglyTyped")
    assert found.export == ""
    assert found.trtexec == "trtexec --onnx=m.onnx"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "names no --onnx"),
        ("trtexec --fp16", "names no --onnx"),
        ("trtexec --onnx='m.onnx", "cannot be read"),
        ("x" * 200_000, "characters"),
    ],
)
def test_what_is_no_command_is_refused_in_a_sentence(line: str, said: str) -> None:
    with pytest.raises(WorkbenchError, match=said):
        migrate(line)
