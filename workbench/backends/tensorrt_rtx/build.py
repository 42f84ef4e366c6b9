"""One build: typed ONNX -> network -> serialized engine and the graph of its layers."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx

from workbench.backends._typed import free_inputs as set_free
from workbench.backends.base import Report
from workbench.backends.tensorrt_rtx.context import RUN_TIME
from workbench.backends.tensorrt_rtx.engine import TensorRtEngine
from workbench.backends.tensorrt_rtx.gpu import find_gpu
from workbench.backends.tensorrt_rtx.layers import parse_block
from workbench.backends.tensorrt_rtx.module import find_module, load_module, module_version
from workbench.backends.tensorrt_rtx.noise import stdout_caught
from workbench.backends.tensorrt_rtx.notes import is_tf32_asked
from workbench.backends.tensorrt_rtx.options import TimingCache
from workbench.backends.tensorrt_rtx.parse import REASONS, Network, Refusal, first_reason, parse, refused
from workbench.backends.tensorrt_rtx.said import SAID_FILE, Said, artefact_name, engine_of, read_engine
from workbench.backends.tensorrt_rtx.settings import add_profiles, builder_config, free_inputs
from workbench.backends.tensorrt_rtx.targets import check_targets, network_types, read_targets
from workbench.backends.tensorrt_rtx.watch import BuildLog, Watch, as_monitor
from workbench.core.errors import WorkbenchError
from workbench.core.json import encode, write_json
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig
from workbench.core.writing import written_whole

_has_failed = False
"""After a build that its compiler gave up, TensorRT silently builds a worse engine in the same process (1.7.1)."""

_ID = re.compile(r"(?<![\w.])n\d+(?:\.\w+\.n\d+)*(?!\w)")
_ABOUT_TYPES = re.compile(r"type|precision|float|half|b?fp?\d|u?int\d", re.IGNORECASE)
"""Refusals of the parser that another precision might cure."""
_QUOTED = re.compile(r"\(([^()]+)\)|'([^']+)'|\"([^\"]+)\"")


def build_engine(typed: TypedModel, config: BuildConfig, folder: Path, report: Report) -> TensorRtEngine:
    """Builds in this process. WorkbenchError names the node, op and reason where TensorRT gives them."""
    _refuse_after_a_failure()
    targets = _targets(config)
    trt = load_module()
    watch = Watch(report)
    log = BuildLog(watch.tell)
    with stdout_caught(log.noise):
        report("Parsing the ONNX", 0, 0, "")
        network = _network(trt, typed, config, targets, log)
        settings = builder_config(network, config, targets, tf32=is_tf32_asked(typed))
        add_profiles(network, settings, config.profiles, typed.shapes)
        settings.progress_monitor = as_monitor(trt, watch)
        cache = TimingCache(trt, settings, config.options)
        plan = network.builder.build_serialized_network(network.network, settings)
        if plan is not None and (kept := cache.keep()):
            report("log", 0, 0, kept)
    if plan is None or watch.stopped:
        raise _failure(typed, log, watch)
    said = Said(log.layers, log.memory, tuple(free_inputs(network)), log.beside)
    return _engine(typed, config, targets, folder, plan, said, log)


def engine_key(typed: TypedModel, config: BuildConfig) -> tuple[str, ...]:
    """What decides the bytes of an engine beside its ONNX; a module without named targets builds for the GPU here."""
    targets = _targets(config)
    asked = (config.profiles, typed.model.inputs if config.profiles else typed.shapes, _built_with(config))
    device = ",".join(targets) or str(find_gpu())
    return (find_module(), module_version(), sys.platform, device, str(is_tf32_asked(typed)), encode(asked).decode())


def _built_with(config: BuildConfig) -> list[tuple[str, str]]:
    return sorted((key, value) for key, value in config.options.items() if key not in RUN_TIME)


def reopen_engine(typed: TypedModel, config: BuildConfig, folder: Path) -> TensorRtEngine:
    """From the files of an earlier build."""
    return read_engine(typed, config, _targets(config), folder)


def _refuse_after_a_failure() -> None:
    if _has_failed:
        raise WorkbenchError(
            "A TensorRT build has failed in this process, and the next one would be silently worse.",
            "Build in a fresh process, as every run of the workbench does.",
        )


def _network(trt: Any, typed: TypedModel, config: BuildConfig, targets: Sequence[str], log: BuildLog) -> Network:
    """Parsed, and known to be of types that every target takes."""
    network, refusals = parse(trt, _onnx(typed, config), Path(typed.path), log)
    if refusals:
        raise _with_hint(typed, refusals) if _ABOUT_TYPES.search(refusals[0].reason) else refused(typed.model, refusals)
    if targets:
        check_targets(targets, *network_types(trt, network.network))
    return network


def _onnx(typed: TypedModel, config: BuildConfig) -> bytes:
    """The typed file, its shapes fixed; free again as in the user's model where profiles give them ranges."""
    path = Path(typed.path)
    if not config.profiles:
        return path.read_bytes()
    proto = onnx.load(path, load_external_data=False)
    set_free(proto, typed.model)
    data: bytes = proto.SerializeToString()
    return data


def _targets(config: BuildConfig) -> tuple[str, ...]:
    if not config.optimize:
        raise WorkbenchError(
            "TensorRT cannot run the source graph unfused.", "ONNX Runtime does; it is the honest 'before'."
        )
    if not find_module().startswith("tensorrt_rtx"):
        if config.target:
            raise WorkbenchError(
                "TensorRT builds for the GPU of this machine only.", "Leave the target empty, or use TensorRT for RTX."
            )
        return ()
    return read_targets(config.target)


def _engine(
    typed: TypedModel,
    config: BuildConfig,
    targets: tuple[str, ...],
    folder: Path,
    plan: Any,
    said: Said,
    log: BuildLog,
) -> TensorRtEngine:
    """Writes the serialized engine and what was said of it, each whole."""
    with written_whole(folder / artefact_name(targets), sync=False) as file:
        file.write(plan)
    write_json(folder / SAID_FILE, said)
    block = parse_block(said.layers)
    for line in block.unread:
        log.add("WARNING", f"This line of the layer list was not understood: {line}")
    return engine_of(typed, config, targets, folder, said, block)


def _failure(typed: TypedModel, log: BuildLog, watch: Watch) -> Exception:
    """What stopped the build: the caller's own cancel, or TensorRT's errors with the node they speak of."""
    global _has_failed
    _has_failed = True
    if watch.stopped:
        return watch.stopped
    node = next(filter(None, (_node_in(typed.model, text) for text in log.errors)), "")
    return _with_hint(typed, [Refusal(node, "", first_reason(log) or "its compiler gave no reason")])


def _with_hint(typed: TypedModel, refusals: list[Refusal]) -> WorkbenchError:
    """The way out where a precision may be to blame: another one for the node, or for all where none is named."""
    error = refused(typed.model, refusals)
    first = refusals[0]
    if first.reason in REASONS:
        return error
    if not first.node and any(asked != Precision.FP32 for asked in typed.asked.values()):
        return WorkbenchError(error.message, "Build it in FP32, or with OpenVINO or ONNX Runtime.")
    asked = typed.asked.get(first.node, Precision.FP32)
    if asked == Precision.FP32:
        return error
    return WorkbenchError(error.message, f"It was asked for in {asked.upper()}: give it FP32 by a rule of the plan.")


def _node_in(model: Model, text: str) -> str:
    """The node an error speaks of: by its id, or as the first reader of a tensor it names."""
    nodes = {layer.id: layer for layer in model.graph.walk()}
    for ident in _ID.findall(text):
        if ident in nodes:
            return str(ident)
    named = {name for groups in _QUOTED.findall(text) for name in groups if name}
    return next((ident for ident, layer in nodes.items() if named.intersection(layer.inputs)), "")
