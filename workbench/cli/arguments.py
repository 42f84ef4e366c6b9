"""The options of every command, and what they mean in nouns."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

import msgspec

from workbench import __version__
from workbench.backends.base import backend_ids
from workbench.cli.measuring import MEMORY, REPLAN, ROOFLINE, add_memory, add_replan, add_roofline
from workbench.cli.shapes import PROFILE_HELP, parse_profile, parse_shape
from workbench.cli.values import (
    as_backend,
    as_backends,
    as_count,
    as_counts,
    as_figure,
    as_methods,
    as_pair,
    as_pin,
    as_precision,
    as_precisions,
    as_seconds,
    as_streams,
    as_words,
    parse_dim,
    parse_measure,
    precisions_help,
)
from workbench.core.precision import Calibration, CalibrationMethod, Precision
from workbench.core.run import BuildConfig, TimingConfig
from workbench.core.sensitivity import Granularity
from workbench.pipeline.forms import FORMS

COMMANDS = (
    "doctor",
    "inspect",
    "plan",
    "calibrate",
    "culprits",
    "run",
    "export",
    "compare",
    "race",
    "tune",
    "search",
    "sweep",
    "roofline",
    "memory",
    "replan",
    "profiles",
    "diff",
    "runs",
    "import",
    "command",
    "migrate",
)
_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_METHODS = "|".join(CalibrationMethod)
_QUANTIZER_HELP = "another tool writes the plan: nncf:int8, modelopt:int8 …; `workbench doctor` lists them"
_SET_HELP = "a folder of images, .npy, .npz or .csv; `random`; `none`"


def make_parser() -> argparse.ArgumentParser:
    """The parser; `command` in its result names the module of this folder that carries it out."""
    parser = argparse.ArgumentParser(
        prog="workbench",
        description="Optimise neural networks for inference. `workbench [MODEL] [--screenshot PNG]` opens the window.",
    )
    parser.add_argument("--version", action="version", version=f"workbench {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add(commands, "doctor", "backends, versions, devices, precisions; what is missing and how to get it")
    inspect = _add(commands, "inspect", "what a model holds, and whether each backend takes it")
    inspect.add_argument("model", metavar="MODEL")
    _add_plan(_add(commands, "plan", "what each node would run in and why, or what is different between two plans"))
    _add_calibrate(_add(commands, "calibrate", "ranges of every tensor by every method, and what is odd about the set"))
    _add_run(_add(commands, "run", "build, time and check one configuration"))
    _add_export(_add(commands, "export", "a precision plan written into an ONNX file that runs elsewhere"))
    _add_compare(_add(commands, "compare", "several backends and precisions side by side"))
    _add_race(_add(commands, "race", "time finished runs interleaved, until it is decided which is faster"))
    _add_sweep(_add(commands, "sweep", "latency and throughput over batch sizes, free dimensions, threads and streams"))
    add_roofline(_add(commands, "roofline", ROOFLINE))
    add_memory(_add(commands, "memory", MEMORY))
    add_replan(_add(commands, "replan", REPLAN))
    _add_profiles(
        _add(commands, "profiles", "ranges of shapes to build for, what holds the batch, what memory they need")
    )
    _add_culprits(_add(commands, "culprits", "which layers cost the accuracy of a plan, and what exempting them gives"))
    tune = _add(commands, "tune", "search the backend's options that run a finished run's engine fastest here")
    tune.add_argument("run", metavar="RUN", help="id, end of an id, or name of a run")
    tune.add_argument("--seconds", type=as_seconds, default=60.0, metavar="S", help="in all (default 60)")
    _add_search(_add(commands, "search", "the best precision plan under a limit; killed, it goes on at the next start"))
    diff = _add(commands, "diff", "the layers of two engines of one model, aligned through their nodes")
    diff.add_argument("first", metavar="RUN_A", help="id, end of an id, or name of a run")
    diff.add_argument("second", metavar="RUN_B", help="another run of the same model")
    runs = _add(commands, "runs", "the history, newest first")
    runs.add_argument("--limit", type=as_count, default=50, metavar="N", help="how many (default 50; 0: all)")
    _add_command(_add(commands, "command", "a TensorRT run as a command of trtexec or Polygraphy, or a Python script"))
    _add_migrate(
        _add(commands, "migrate", "what is gone of a trtexec 10 command in TensorRT 11, and what does the same")
    )
    _add_import(_add(commands, "import", "what trtexec, ONNX Runtime or OpenVINO wrote elsewhere, as a run"))
    return parser


def _add_command(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", metavar="RUN", help="id, end of an id, or name of a run")
    command.add_argument("--as", dest="form", choices=list(FORMS), default="trtexec11", help="default: trtexec11")


def _add_migrate(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("line", metavar="COMMAND", help='in quotes: "trtexec --onnx=m.onnx --int8 --fp16 --calib=m.cache"')
    add("--out", type=Path, metavar="PLAN.toml", help="write the precision plan there")


def _add_import(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("files", metavar="FILE", type=Path, nargs="+", help="JSON or XML files about one engine: layers, times")
    add("--model", metavar="MODEL.onnx", help="the model it was built from: layers lead back to its nodes")
    add("--ledger", action="store_true", help="what was fused into what, what that saved, what was not")


def _add(commands: _Commands, name: str, text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else there")
    return command


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("model", metavar="MODEL")
    run.add_argument("--backend", type=as_backend, default="openvino", metavar="B", help=", ".join(backend_ids()))
    _add_precision(run)
    run.add_argument("--out", type=Path, metavar="DIR", help="write the run's files there as well")
    run.add_argument("--tuned", action="store_true", help="with the options that `workbench tune` found")
    run.add_argument("--layers", type=as_count, default=0, metavar="N", help="error of each layer, on N samples")
    run.add_argument("--unfused", action="store_true", help="onnxruntime: the source graph, node by node")
    run.add_argument("--ledger", action="store_true", help="what was fused into what, what that saved, what was not")
    run.add_argument("--advice", action="store_true", help="what the engine does that costs time, and what can be done")
    _add_shared(run)


def _add_plan(command: argparse.ArgumentParser) -> None:
    command.add_argument("model", metavar="MODEL")
    _add_precision(command).add_argument(
        "--diff", type=Path, nargs=2, metavar=("A.toml", "B.toml"), help="what is different from plan A to plan B"
    )
    command.add_argument("--backend", type=as_backend, metavar="B", help="say what it will not run as asked")
    _add_ranges(command)


def _add_precision(command: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """One precision for all nodes, or a plan; written by the workbench, or another tool."""
    plan = _add_plan_or_precision(command)
    command.add_argument("--quantizer", default="", metavar="Q", help=_QUANTIZER_HELP)
    _add_writing(command)
    return plan


def _add_plan_or_precision(command: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    plan = command.add_mutually_exclusive_group()
    plan.add_argument("--precision", type=as_precision, metavar="P", help=precisions_help())
    plan.add_argument("--plan", type=Path, metavar="FILE", help="a precision plan (TOML)")
    return plan


def _add_writing(command: argparse.ArgumentParser) -> None:
    """How a plan is written, beside what it asks for."""
    add = command.add_argument
    passes = "leave a clean-up pass out, and another with another --skip; `workbench doctor` lists them"
    add("--skip", action="append", default=[], metavar="PASS", help=passes)
    add("--clean", action="store_true", help="run the clean-up passes also where all is FP32")
    add("--block", type=as_count, default=0, metavar="N", help="weights that share a scale in INT4 (default 32)")


def _add_ranges(command: argparse.ArgumentParser) -> None:
    command.add_argument("--method", type=CalibrationMethod, choices=list(CalibrationMethod), metavar=_METHODS)
    _add_range_options(command)


def _add_range_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("--percentile", type=float, metavar="P", help="for --method percentile (default 99.99)")
    add("--samples", type=as_count, metavar="N", help="calibration samples (default 64)")


def _add_export(export: argparse.ArgumentParser) -> None:
    add = export.add_argument
    add("model", metavar="MODEL")
    add(
        "--backend",
        type=as_backend,
        default="tensorrt_rtx",
        metavar="B",
        help="whose form: " + ", ".join(backend_ids()),
    )
    _add_precision(export)
    add("-o", "--out", type=Path, required=True, metavar="FILE.onnx", help="the file to write")
    add("--calibration", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set, else random)")
    add("--evaluate", metavar="SET", help="the set whose inputs decide what is fixed (default: the recipe's set)")
    add("--shape", type=parse_shape, action="append", default=[], metavar="IN=1x3x224x224", help="fixes all shapes")
    add(
        "--fixed-shapes", action="store_true", help="free dimensions become those of --shape, of the recipe, or guesses"
    )
    _add_ranges(export)


def _add_compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument("model", metavar="MODEL")
    compare.add_argument("--backends", type=as_backends, default=("openvino", "onnxruntime"), metavar="B,..")
    compare.add_argument(
        "--precisions",
        type=as_precisions,
        default=(Precision.FP32, Precision.BF16, Precision.FP16, Precision.INT8),
        metavar="P,..",
        help=precisions_help(),
    )
    compare.add_argument(
        "--plan", type=Path, action="append", default=[], metavar="FILE", help="a precision plan as well; repeatable"
    )
    _add_writing(compare)
    compare.add_argument("--quantizers", type=as_words, default=(), metavar="Q,..", help=_QUANTIZER_HELP)
    compare.add_argument(
        "--methods", type=as_methods, default=(), metavar="M,..", help="an INT8 run for each of: " + _METHODS
    )
    compare.add_argument("--targets", type=as_words, default=(), metavar="SM,..", help="a run for each, e.g. sm86,sm89")
    compare.add_argument("--no-baseline", action="store_true", help="leave the unfused source graph out")
    compare.add_argument("--race-seconds", type=as_seconds, default=12.0, metavar="S", help="default: 12; 0: no race")
    compare.add_argument("--out", type=Path, metavar="DIR", help="write every run's files there as well")
    _add_shared(compare)


def _add_sweep(sweep: argparse.ArgumentParser) -> None:
    add = sweep.add_argument
    add("model", metavar="MODEL")
    add("--backend", type=as_backend, default="openvino", metavar="B", help=", ".join(backend_ids()))
    _add_precision(sweep)
    add("--dim", type=parse_dim, action="append", default=[], metavar="NAME=1,2,4", help="`batch`, or a free dimension")
    add(
        "--threads-each",
        type=as_counts,
        default=(),
        metavar="N,..",
        help="of a stream; 0: all physical cores (default)",
    )
    add("--streams-each", type=as_streams, default=(), metavar="N,..", help="inferences at work at once (default 1)")
    add("--price-per-hour", type=float, default=0.0, metavar="P", help="of this machine: the cost of a million samples")
    add("--limit-ms", type=float, metavar="MS", help="mark the best throughput whose median latency is within this")
    _add_shared(sweep)


def _add_search(search: argparse.ArgumentParser) -> None:
    add, limit = search.add_argument, search.add_mutually_exclusive_group()
    add("model", metavar="MODEL")
    limit.add_argument(
        "--within", type=as_figure, metavar="0.5%", help="the fastest that loses no more (default 0.5%%)"
    )
    limit.add_argument("--sqnr", type=as_figure, metavar="30dB", help="the fastest with so many dB: without a metric")
    limit.add_argument(
        "--faster", type=as_figure, metavar="2x", help="the most accurate that is so fast, FP32 being 1x"
    )
    limit.add_argument("--under", type=as_figure, metavar="4ms", help="the most accurate that takes no longer")
    add("--seconds", type=as_seconds, default=600.0, metavar="S", help="in all, earlier starts counted (default 600)")
    add("--backend", type=as_backend, default="openvino", metavar="B", help=", ".join(backend_ids()))
    add(
        "--precisions",
        type=as_precisions,
        default=(),
        metavar="P,..",
        help="that may be used (default: what runs here)",
    )
    add("--methods", type=as_methods, default=(), metavar="M,..", help="for ranges (default mse,max,percentile)")
    add(
        "--pin", type=as_pin, action="append", default=[], metavar="NODE=P", help="a node in this precision; repeatable"
    )
    add("--all", action="store_true", help="list every plan that was measured, not only the front")
    add("--out", type=Path, metavar="DIR", help="write the plans of the front there, the best one as best.toml")
    add("--confirm", metavar="SET", help="what the front is measured on again (default: the evaluation set)")
    add(
        "--plan",
        type=Path,
        metavar="FILE",
        help="a plan of yours (TOML): a candidate; all others keep its options",
    )
    _add_writing(search)
    _add_sets(search)
    _add_range_options(search)


def _add_profiles(profiles: argparse.ArgumentParser) -> None:
    add = profiles.add_argument
    add("model", metavar="MODEL")
    add("--backend", type=as_backend, default="tensorrt_rtx", metavar="B", help=", ".join(backend_ids()))
    _add_precision(profiles)
    add("--shape", type=parse_shape, action="append", default=[], metavar="IN=1x3x224x224")
    add("--profile", type=parse_profile, action="append", default=[], metavar="NAME=MIN:OPT:MAX", help=PROFILE_HELP)
    add(
        "--measure",
        type=parse_measure,
        metavar="DIM[=1,2,4]",
        help="build for each, and tell the memory of activations",
    )
    add("--free-batch", type=Path, metavar="FILE.onnx", help="write a copy in which no Reshape holds the batch, proven")
    add("--target", default="", metavar="SM[,SM]", help="GPUs to build for, e.g. sm89")
    add("--calibration", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set, else random)")
    add("--evaluate", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set)")
    _add_ranges(profiles)


def _add_race(race: argparse.ArgumentParser) -> None:
    race.add_argument("baseline", metavar="RUN_A", help="id, end of an id, or name of a run; speed-ups count from it")
    race.add_argument("rivals", metavar="RUN_B", nargs="+", help="the runs to time against it")
    race.add_argument("--seconds", type=as_seconds, default=60.0, metavar="S", help="at most (default 60)")


def _add_calibrate(calibrate: argparse.ArgumentParser) -> None:
    add = calibrate.add_argument
    add("model", metavar="MODEL")
    add("--calibration", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set, else random)")
    add("--evaluate", metavar="SET", help="the set it should be like (default: the recipe's evaluation set)")
    add("--backend", type=as_backend, default="openvino", metavar="B", help="whose forms: " + ", ".join(backend_ids()))
    add("--shape", type=parse_shape, action="append", default=[], metavar="IN=1x3x224x224")
    add("--out", type=Path, metavar="FILE.json", help="write the report, with histograms, there as well")
    _add_ranges(calibrate)


def _add_culprits(culprits: argparse.ArgumentParser) -> None:
    add = culprits.add_argument
    add("model", metavar="MODEL")
    add("--backend", type=as_backend, default="openvino", metavar="B", help="whose form: " + ", ".join(backend_ids()))
    _add_plan_or_precision(culprits)
    _add_writing(culprits)
    add("--by", type=Granularity, choices=list(Granularity), default=Granularity.LAYER, metavar="layer|group")
    add("--budget", type=as_count, default=0, metavar="N", help="plans to measure at most (default: by the layers)")
    add("--seconds", type=as_seconds, default=0.0, metavar="S", help="at most (default: no limit)")
    add("--limit", type=as_count, default=16, metavar="N", help="evaluation samples (default 16; 0: all)")
    add("--calibration", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set, else random)")
    add("--evaluate", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set, else random)")
    add("--shape", type=parse_shape, action="append", default=[], metavar="IN=1x3x224x224")
    add("--allow-code", action="store_true", help="let the recipe's task run its Python file, as it is now")
    add("--out", type=Path, metavar="PLAN.toml", help="write the plan with the culprits exempted")
    _add_ranges(culprits)


def _add_sets(command: argparse.ArgumentParser) -> None:
    """Samples and shapes, and how the backend is to run."""
    add = command.add_argument
    add("--calibration", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set, else random)")
    add("--evaluate", metavar="SET", help=f"{_SET_HELP} (default: the recipe's set, else 8 random inputs)")
    add("--limit", type=as_count, default=0, metavar="N", help="evaluation samples (default: all)")
    add("--shape", type=parse_shape, action="append", default=[], metavar="IN=1x3x224x224")
    add("--allow-code", action="store_true", help="let the recipe's task run its Python file, as it is now")
    add("--threads", type=as_count, default=0, metavar="N", help="default: all physical cores")
    add("--option", type=as_pair, action="append", default=[], metavar="KEY=VALUE", help="passed to the backend")


def _add_shared(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    _add_sets(command)
    _add_ranges(command)
    add("--profile", type=parse_profile, action="append", default=[], metavar="NAME=MIN:OPT:MAX", help=PROFILE_HELP)
    add("--target", default="", metavar="SM[,SM]", help="GPUs to build for, e.g. sm89")
    add("--seconds", type=as_seconds, default=3.0, metavar="S", help="of timing (default 3)")
    add("--no-time", action="store_true", help="build and check only")
    add("--rebuild", action="store_true", help="build anew, also where the same engine was built before")
    add("--report", type=Path, metavar="FILE.html", help="write a report")


def config_of(arguments: argparse.Namespace) -> BuildConfig:
    """What all runs of a command share but profiles; the backend and the plan come from the command."""
    return BuildConfig(
        shapes=dict(arguments.shape),
        target=arguments.target,
        threads=arguments.threads,
        options=dict(arguments.option),
    )


def timing_of(arguments: argparse.Namespace) -> TimingConfig:
    """The protocol; with --no-time one that asks for nothing."""
    if arguments.no_time:
        return TimingConfig(warmup_ms=0, warmup_iterations=0, seconds=0, min_iterations=0)
    return TimingConfig(seconds=arguments.seconds)


def ranges_of(arguments: argparse.Namespace, default: Calibration = Calibration()) -> Calibration:  # noqa: B008  frozen
    """How ranges are found: what is given, else what `default` (a plan's own) says."""
    given = {
        "method": getattr(arguments, "method", None),
        "percentile": arguments.percentile,
        "samples": arguments.samples or None,
    }
    return msgspec.structs.replace(default, **{name: value for name, value in given.items() if value is not None})
