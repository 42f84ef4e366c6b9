"""migrate: a trtexec 10 command, taken apart."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.pipeline.migration.options import GONE, IDLE, KNOWN, RENAMED, TIMED_OTHERWISE
from workbench.pipeline.migration.values import are_halves, in_11, mebibytes

_LONGEST = 100_000
_PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
_WORDS = {
    "fp32": Precision.FP32,
    "fp16": Precision.FP16,
    "bf16": Precision.BF16,
    "int8": Precision.INT8,
    "fp8": Precision.FP8,
    "int4": Precision.INT4_WEIGHTS,
}
_HALVES = (Precision.FP16, Precision.BF16)
_BINDING = ("obey", "prefer")
_SIDES = ("minShapes", "optShapes", "maxShapes")
_FORMATS = ("inputIOFormats", "outputIOFormats")
_TYPESET = re.compile(r"^-*[\u2013\u2014][-\u2013\u2014]*")  # what documents make of two hyphens
_WINDOWS = re.compile(r"\b[A-Za-z]:\\")

Option = tuple[str, str]
"""Name without dashes, and value or ""."""


class Finding(msgspec.Struct, frozen=True):
    """One option as it was written, and what is to be said of it."""

    option: str
    text: str


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """`export` and `trtexec` are for TensorRT 11; `workbench` builds, times and checks in one. `plan` does the same."""

    model: str
    plan: PrecisionPlan
    plan_file: str
    gone: tuple[Finding, ...] = ()
    idle: tuple[Finding, ...] = ()
    unknown: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    export: str = ""
    trtexec: str = ""
    workbench: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether `--precision` says all that the plan says."""
        return self.plan == PrecisionPlan(default=self.plan.default)


def migrate(line: str, plan_file: str = "") -> Migration:
    """Raises WorkbenchError for what is no trtexec command with `--onnx`. `plan_file` is where the plan will lie."""
    options = _options(line)
    given = dict(options)
    model = given.get("onnx", "")
    if not model:
        raise WorkbenchError(
            "The command names no --onnx=FILE.", "Paste the whole line: trtexec --onnx=m.onnx --fp16 …"
        )
    plan = _plan(options)
    found = Migration(
        model=model,
        plan=plan,
        plan_file=plan_file or f"{Path(model).stem}.toml",
        gone=tuple(_gone(options)),
        idle=tuple(Finding(_word(o), IDLE[o[0]]) for o in options if o[0] in IDLE),
        unknown=tuple(_word(o) for o in options if o[0] not in KNOWN | GONE.keys() | RENAMED.keys()),
        kept=tuple(_word(o) for o in _kept(options)),
        notes=tuple(_notes(given, plan, options)),
    )
    found = msgspec.structs.replace(found, export=_export(found))
    return msgspec.structs.replace(found, trtexec=_trtexec(found, options), workbench=_workbench(found, options))


def _options(line: str) -> list[Option]:
    if len(line) > _LONGEST:
        raise WorkbenchError(f"The command has {len(line):,} characters.", "Paste one command.")
    try:
        words = [_TYPESET.sub("--", word) for word in shlex.split(_one_line(line))]
    except ValueError as error:
        raise WorkbenchError(f"The command cannot be read: {error}.", "Check its quotes.") from error
    pairs = (word.removeprefix("--").partition("=") for word in words if word.startswith("--") and len(word) > 2)
    return [(name, value) for name, _, value in pairs]


def _one_line(text: str) -> str:
    """Without line breaks that continue; a path of Windows keeps its backslashes."""
    joined = text.replace("\\\r\n", " ").replace("\\\n", " ")
    return joined.replace("\\", "\\\\") if _WINDOWS.search(joined) else joined


def _gone(options: list[Option]) -> Iterator[Finding]:
    for option in options:
        name, value = option
        reason = GONE[name] if name in GONE else in_11(name, value)[1]
        if reason:
            yield Finding(_word(option), reason)


def _kept(options: list[Option]) -> Iterator[Option]:
    """What TensorRT 11 takes as it is, or with what is left of its value."""
    for name, value in options:
        if name in KNOWN and name not in IDLE:
            new = in_11(name, value)[0]
            if new or not value:
                yield name, new


def _word(option: Option) -> str:
    return one_line(f"--{option[0]}={option[1]}" if option[1] else f"--{option[0]}", 2000)


def _plan(options: list[Option]) -> PrecisionPlan:
    """What weak typing was allowed: floats in the default, products narrower where that was allowed too."""
    names = {name for name, _ in options}
    given = dict(options)
    if "stronglyTyped" in names:  # the others had no effect beside it
        return PrecisionPlan(default=_full(names))
    narrow = next((word for word in ("fp8", "int8", "int4") if word in names), "int8" if "best" in names else "")
    wide = Precision.FP16 if names & {"fp16", "best"} else Precision.BF16 if "bf16" in names else _full(names)
    plan = PrecisionPlan(default=wide)
    if narrow and wide in (Precision.FP32, Precision.TF32):
        plan = PrecisionPlan(default=_WORDS[narrow])
    elif narrow:
        ops = _PRODUCTS if narrow != "int4" else ("MatMul", "Gemm")
        plan = msgspec.structs.replace(plan, rules=tuple(Rule(_WORDS[narrow], op=op) for op in ops))
    if given.get("precisionConstraints") in _BINDING:
        plan = msgspec.structs.replace(plan, rules=(*plan.rules, *_layer_rules(given.get("layerPrecisions", ""))))
    if wide in _HALVES and all(are_halves(given.get(name, "")) for name in _FORMATS):
        plan = msgspec.structs.replace(plan, keep_io=False)
    if plan.needs_calibration and "calib" in names:  # trtexec's was IInt8EntropyCalibrator2
        plan = msgspec.structs.replace(plan, calibration=Calibration(CalibrationMethod.ENTROPY))
    return plan


def _full(names: Collection[str]) -> Precision:
    return Precision.FP32 if "noTF32" in names else Precision.TF32


def _layer_rules(spec: str) -> Iterator[Rule]:
    """`conv1:fp16,block*:fp32`: the later wins in both worlds; a layer of TensorRT has the name of its node."""
    for name, precision in _layers(spec):
        if precision in _WORDS and name:
            escaped = name.replace("[", "[[]").replace("?", "[?]")
            yield Rule(_WORDS[precision], name=escaped, note="--layerPrecisions")


def _layers(spec: str) -> list[tuple[str, str]]:
    parts = (part.rpartition(":") for part in spec.split(",") if part)
    return [(name.strip("'\""), precision) for name, _, precision in parts]


def _notes(given: Mapping[str, str], plan: PrecisionPlan, options: list[Option]) -> Iterator[str]:
    if plan.needs_calibration:
        yield "INT8 and FP8 need samples: give a folder, .npz or .csv in the place of SET (a cache cannot be read)."
    if plan.needs_calibration and "calib" not in given:
        yield "Without --calib trtexec 10 made ranges up where the ONNX has no Q/DQ: good for times only."
        yield f"Where it has Q/DQ, those stand: take --precision {_beside(plan, given)} instead, and no samples."
    if not plan.keep_io:
        yield "Inputs and outputs were halves: so the plan lets them be (keep_io = false)."
    elif any(are_halves(given.get(name, "")) for name in _FORMATS):
        yield "The plan keeps the types of inputs and outputs: it lets both be halves, or neither."
    if "best" in given:
        yield "--best took what was fastest of each layer; compare: workbench compare MODEL --precisions fp16,int8."
    if "stronglyTyped" in given:
        yield "The command was strongly typed already: the ONNX has its precisions, and the plan leaves them."
    if "layerPrecisions" in given and given.get("precisionConstraints") not in _BINDING:
        yield "--layerPrecisions had no effect without --precisionConstraints=obey or prefer: it is left out."
    others = [f"{name}:{word}" for name, word in _layers(given.get("layerPrecisions", "")) if word not in _WORDS]
    if others:
        yield f"No rule can say {one_line(', '.join(others), 200)}."
    if "layerOutputTypes" in given:
        yield "--layerOutputTypes has no counterpart: give the nodes themselves a precision by a rule."
    if undone := [new for old, new in TIMED_OTHERWISE.items() if old not in given]:
        yield f"trtexec 11 measures otherwise; for numbers as before add {' '.join(undone)}."


def _beside(plan: PrecisionPlan, given: Mapping[str, str]) -> str:
    """What all runs in that Q/DQ does not narrow."""
    return (plan.default if plan.default in _HALVES else _full(given.keys())).value


def _precision(found: Migration) -> list[str]:
    return ["--precision", found.plan.default.value] if found.is_plain else ["--plan", found.plan_file]


def _typed_name(found: Migration) -> str:
    return f"{Path(found.model).stem}.typed.onnx"


def _export(found: Migration) -> str:
    """Empty where the file is as TensorRT 11 takes it."""
    if found.plan.precisions <= {Precision.FP32, Precision.TF32}:
        return ""
    words = ["workbench", "export", found.model, "--backend", "tensorrt_rtx", *_precision(found)]
    words += ["--calibration", "SET"] if found.plan.needs_calibration else []
    return shlex.join([*words, "-o", _typed_name(found)])


def _trtexec(found: Migration, options: list[Option]) -> str:
    model = _typed_name(found) if found.export else found.model
    words = []
    for name, value in options:
        if name == "onnx":
            words.append(f"--onnx={model}")
        elif name in RENAMED:
            words.append(_word((RENAMED[name], value)))
        elif name == "workspace":
            words.append(f"--memPoolSize=workspace:{value}")
        else:
            words += [_word(option) for option in _kept([(name, value)])]
    return shlex.join(["trtexec", *words])


def _workbench(found: Migration, options: list[Option]) -> str:
    given = dict(options)
    words = ["workbench", "run", found.model, "--backend", "tensorrt_rtx", *_precision(found)]
    words += ["--calibration", "SET"] if found.plan.needs_calibration else []
    for profile in _profiles(options):
        low, usual, high = (dict(_layers(profile.get(side, ""))) for side in _SIDES)
        for name, shape in {**low, **high, **usual}.items():
            words += ["--profile", f"{name}={low.get(name, shape)}:{shape}:{high.get(name, shape)}"]
    for name, shape in dict(_layers(given.get("shapes", ""))).items():
        words += ["--shape", f"{name}={shape}"]
    if given.get("maxAuxStreams", "").isdecimal():
        words += ["--option", f"aux_streams={given['maxAuxStreams']}"]
    if limit := _workspace(given):
        words += ["--option", f"workspace_mib={limit}"]
    words += ["--option", "weight_streaming=on"] if "allowWeightStreaming" in given else []
    return shlex.join(words)


def _profiles(options: list[Option]) -> list[dict[str, str]]:
    """The three sides of each, in the order of their numbers: `--profile=N` stands before its sides."""
    found: dict[int, dict[str, str]] = {}
    number = 0
    for name, value in options:
        if name == "profile":
            number = int(value) if value.isdecimal() and len(value) < 4 else number
        elif name in _SIDES:
            found.setdefault(number, {})[name] = value
    return [found[number] for number in sorted(found)]


def _workspace(given: Mapping[str, str]) -> str:
    return next((mebibytes(size) for name, size in _pools(given) if name == "workspace"), "")


def _pools(given: Mapping[str, str]) -> list[tuple[str, str]]:
    old = [("workspace", given["workspace"])] if given.get("workspace") else []
    return [*_layers(given.get("memPoolSize", "")), *old]
