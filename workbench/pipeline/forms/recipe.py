"""What a TensorRT build was made from, as all forms need it, and the words they share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.backends.base import load_backend
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.model import Shape
from workbench.core.precision import Calibration, Precision, PrecisionPlan
from workbench.core.profile import OptimizationProfile
from workbench.core.run import BuildConfig, RunRequest
from workbench.pipeline.artefacts import read_source
from workbench.precision import write_plan

BACKEND = "tensorrt_rtx"
PLAN_FILE = "plan.toml"


class BuildRecipe(msgspec.Struct, frozen=True):
    """`export` is the shell line that writes `onnx`. `profiles` are of inputs with free dimensions; none: all fixed.

    `attention`: the model has Attention nodes, which may become products where there is no kernel for them.
    `remarks` are sentences for comment lines. `targets` are compute capabilities (`sm89`); none: this machine's GPU.
    """

    export: str
    onnx: str
    engine: str
    profiles: tuple[OptimizationProfile, ...] = ()
    tf32: bool = False
    aux_streams: str = ""
    workspace_mib: str = ""
    weight_streaming: bool = False
    attention: bool = False
    targets: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def build_recipe(request: RunRequest) -> BuildRecipe:
    """Raises WorkbenchError for a run of another backend."""
    config = request.config
    if config.backend != BACKEND:
        raise WorkbenchError("This run was not built by TensorRT.", "Choose a run of TensorRT.")
    stem = f"{Path(request.model_path).stem}.{config.plan.default.value}{'+' * bool(config.plan.rules)}"
    free = _free_inputs(request)
    options = dict(config.options)
    return BuildRecipe(
        export=_export(request, f"{stem}.onnx"),
        onnx=f"{stem}.onnx",
        engine=f"{stem}.engine",
        profiles=tuple(_of_inputs(profile, free) for profile in config.profiles) if free else (),
        tf32=Precision.TF32 in config.plan.precisions,
        aux_streams=_count(options, "aux_streams"),
        workspace_mib=_count(options, "workspace_mib"),
        weight_streaming=options.pop("weight_streaming", "off") == "on",
        attention=_has_attention(request),
        targets=_targets(config),
        remarks=tuple(f"The option {name}={value} has no counterpart." for name, value in options.items()),
    )


def _targets(config: BuildConfig) -> tuple[str, ...]:
    """Those named, else what the backend builds for without a name: none of a module that builds for the GPU here."""
    return tuple(re.findall(r"sm\d+", config.target)) or load_backend(config.backend).targets("")


def _count(options: dict[str, str], name: str) -> str:
    """Takes a number out of the options; what is none stays, for a remark."""
    return options.pop(name) if options.get(name, "").isdecimal() else ""


def comment(text: str) -> str:
    return f"# {one_line(text, 20_000)}"


def text_of(recipe: BuildRecipe, comments: Sequence[str], words: Sequence[str]) -> str:
    """Comments, the export, the build; an option a line, so that it can be read."""
    lines = [words[0], *(shlex.quote(word) for word in words[1:])]
    remarks = [comment(text) for text in (*recipe.remarks, *comments)]
    return "\n".join([*remarks, recipe.export, " \\\n  ".join(lines)]) + "\n"


def dims(shape: Shape, sign: str = "x") -> str:
    return sign.join(map(str, shape))


def _free_inputs(request: RunRequest) -> set[str]:
    """Inputs with a free dimension, where the build was given profiles for them."""
    if not request.config.profiles:
        return set()
    model = read_source(Path(request.folder))
    named = {name for profile in request.config.profiles for name in profile.opt}
    return {spec.name for spec in model.inputs if spec.is_dynamic} & named if model else named


def _has_attention(request: RunRequest) -> bool:
    model = read_source(Path(request.folder))
    return model is not None and any(node.op == "Attention" for node in model.graph.walk())


def _of_inputs(profile: OptimizationProfile, names: set[str]) -> OptimizationProfile:
    sides = ({n: s for n, s in side.items() if n in names} for side in (profile.min, profile.opt, profile.max))
    return OptimizationProfile(*sides)


def _export(request: RunRequest, name: str) -> str:
    """`workbench export MODEL …` with the plan of the run."""
    config = request.config
    words = ["workbench", "export", request.model_path, "--backend", config.backend, *_plan(request)]
    if config.plan.uses_calibration and request.calibration:
        words += ["--calibration", request.calibration]
    if request.evaluation:
        words += ["--evaluate", request.evaluation]
    if not config.profiles:
        words += ["--fixed-shapes", *_shapes(config)]
    return shlex.join([*words, "-o", name])


def _shapes(config: BuildConfig) -> list[str]:
    return [word for name, shape in config.shapes.items() for word in ("--shape", f"{name}={dims(shape)}")]


def _plan(request: RunRequest) -> list[str]:
    """The precision, or the file of a plan that says more, which is written beside the run."""
    plan = request.config.plan
    plain = PrecisionPlan(default=plan.default)
    usual = not plan.needs_calibration or plan.calibration == Calibration()
    if usual and msgspec.structs.replace(plan, calibration=plain.calibration) == plain:
        return ["--precision", plan.default.value]
    path = Path(request.folder) / PLAN_FILE
    write_plan(path, plan, (), read_source(Path(request.folder)))
    return ["--plan", str(path)]
