"""A TensorRT run as commands of other tools."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from workbench.core.errors import WorkbenchError
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.core.profile import OptimizationProfile
from workbench.core.run import BuildConfig, RunRequest
from workbench.pipeline.forms import FORMS, command_text
from workbench.precision.plan_file import read_plan

PROFILE = OptimizationProfile({"x": (1, 3, 8, 8)}, {"x": (4, 3, 8, 8)}, {"x": (8, 3, 8, 8)})


def request_of(folder: Path, model: str = "/models/my model.onnx", **config: object) -> RunRequest:
    fields = {"backend": "tensorrt_rtx", "plan": PrecisionPlan(default=Precision.FP16)} | config
    return RunRequest("id", str(folder), model, BuildConfig(**fields))  # type: ignore[arg-type]


def words_of(text: str) -> list[str]:
    """The words of the build, which is the last line of the shell's."""
    line = text.replace(" \\\n", " ").splitlines()[-1]
    return shlex.split(line)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_begins_with_the_export_of_the_typed_onnx(form: str, tmp_path: Path) -> None:
    text = command_text(request_of(tmp_path, shapes={"x": (1, 3, 8, 8)}), form)
    line = next(line for line in text.splitlines() if "workbench export" in line)
    words = shlex.split(line[line.index("workbench export") :])
    assert words[2] == "/models/my model.onnx"
    assert words[-2:] == ["-o", "my model.fp16.onnx"]
    assert "--fixed-shapes" in words
    assert "x=1x3x8x8" in words
    assert "my model.fp16.onnx" in text.split("workbench export")[1].split("\n", 1)[1]


def test_trtexec_11_takes_the_types_of_the_file_and_10_is_told_to(tmp_path: Path) -> None:
    request = request_of(tmp_path, options={"workspace_mib": "64", "aux_streams": "0", "weight_streaming": "on"})
    new, old = (words_of(command_text(request, form)) for form in ("trtexec11", "trtexec10"))
    assert "--stronglyTyped" in old
    assert "--stronglyTyped" not in new
    for words in (new, old):
        assert {"--noTF32", "--maxAuxStreams=0", "--memPoolSize=workspace:64M", "--allowWeightStreaming"} <= set(words)
        assert "--exportTimes=times.json" in words
        assert not {"--fp16", "--int8", "--best"} & set(words)
    assert "--useCudaGraph" in old, "so that 10 measures as 11 does"


def test_tf32_is_allowed_only_where_the_plan_asks_for_it(tmp_path: Path) -> None:
    request = request_of(tmp_path, plan=PrecisionPlan(default=Precision.TF32))
    assert "--noTF32" not in words_of(command_text(request, "trtexec11"))
    assert "--tf32" in words_of(command_text(request, "polygraphy"))
    assert "set_flag(trt.BuilderFlag.TF32)" in command_text(request, "python")


def test_profiles_are_said_in_every_form(tmp_path: Path) -> None:
    wide = OptimizationProfile({"x": (8, 3, 8, 8)}, {"x": (8, 3, 8, 8)}, {"x": (64, 3, 8, 8)})
    request = request_of(tmp_path, profiles=(PROFILE, wide))
    words = words_of(command_text(request, "trtexec11"))
    assert words.index("--profile=0") < words.index("--minShapes=x:1x3x8x8") < words.index("--profile=1")
    assert "--maxShapes=x:64x3x8x8" in words
    words = words_of(command_text(request, "polygraphy"))
    assert words.count("--trt-opt-shapes") == 2
    assert "x:[4,3,8,8]" in words
    assert "profile.set_shape('x', (1, 3, 8, 8), (4, 3, 8, 8), (8, 3, 8, 8))" in command_text(request, "python")
    assert "--fixed-shapes" not in command_text(request, "trtexec11")


def test_names_that_hold_a_colon_are_quoted_as_trtexec_wants_it(tmp_path: Path) -> None:
    side = {"in:0": (1, 4)}
    request = request_of(tmp_path, profiles=(OptimizationProfile(side, side, side),))
    assert "--minShapes='in:0':1x4" in words_of(command_text(request, "trtexec11"))


def test_what_a_form_cannot_say_is_a_comment(tmp_path: Path) -> None:
    request = request_of(tmp_path, target="sm89,sm120", options={"odd": "1\n2"})
    text = command_text(request, "trtexec11")
    assert "# Built for sm89, sm120 ahead of time; trtexec builds for the GPU that it runs on." in text
    assert "# The option odd=1 2 has no counterpart." in text
    words = words_of(command_text(request, "polygraphy"))
    assert words[0] == "POLYGRAPHY_USE_TENSORRT_RTX=1"
    assert words[words.index("--compute-capabilities") :][1:3] == ["8.9", "12.0"]


@pytest.mark.parametrize(("targets", "module"), [(("sm89",), "tensorrt_rtx"), ((), "tensorrt")])
def test_a_run_without_a_target_is_said_as_it_was_built(
    targets: tuple[str, ...], module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorRT for RTX has a default target; TensorRT 10 and 11 build for the GPU here."""
    monkeypatch.setattr("workbench.backends.tensorrt_rtx.TensorRtBackend.targets", lambda self, target: targets)
    script = command_text(request_of(tmp_path), "python")
    assert f"import {module} as trt" in script
    assert ("ComputeCapability.SM89" in script) == bool(targets)
    assert ("--compute-capabilities" in words_of(command_text(request_of(tmp_path), "polygraphy"))) == bool(targets)
    assert ("Built for sm89 ahead of time" in command_text(request_of(tmp_path), "trtexec11")) == bool(targets)


def test_attention_may_become_products_in_every_form_that_can_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.pipeline.forms.recipe._has_attention", lambda request: True)
    request = request_of(tmp_path)
    assert "--decomposableAttentions=*" in words_of(command_text(request, "trtexec11"))
    assert "attention.decomposable = True" in command_text(request, "python")
    ast.parse(command_text(request, "python"))
    assert "# It cannot let Attention become products" in command_text(request, "polygraphy")


def test_a_plan_with_rules_goes_by_a_file_that_holds_it(tmp_path: Path) -> None:
    plan = PrecisionPlan(default=Precision.FP16, rules=(Rule(Precision.FP32, op="Softmax"),))
    lines = command_text(request_of(tmp_path, plan=plan), "trtexec11").splitlines()
    words = shlex.split(next(line for line in lines if line.startswith("workbench export")))
    assert read_plan(Path(words[words.index("--plan") + 1])) == plan


def test_a_run_of_another_backend_has_no_such_command(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="not built by TensorRT"):
        command_text(request_of(tmp_path, backend="openvino"), "python")


def test_the_script_builds_the_engine(tmp_path: Path, model_path: Path) -> None:
    """With the module that is here; the engine does not run without a GPU, but it is one."""
    pytest.importorskip("tensorrt_rtx_bindings")
    request = request_of(tmp_path, str(model_path), target="sm89", profiles=(PROFILE,), options={"aux_streams": "0"})
    text = command_text(request, "python")
    ast.parse(text)
    name = re.search(r"parse_from_file\('(.*)'\)", text)
    assert name is not None
    onnx.save(onnx.load(model_path), tmp_path / name[1])
    (tmp_path / "build.py").write_text(text, "utf-8")
    done = subprocess.run([sys.executable, "build.py"], cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert next(tmp_path.glob("*.engine")).stat().st_size > 1000
