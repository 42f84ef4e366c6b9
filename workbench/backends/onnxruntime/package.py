"""The onnxruntime package and its sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from workbench.backends._options import choice
from workbench.core.errors import WorkbenchError

_SPINNING = {"on": "1", "off": "0"}
SPIN_US = 1000
"""How long idle threads spin for the next inference: its default, some 45 ms, burns a core while the next engine is
timed. Stopping them at the end of each inference (`session.force_spinning_stop`) costs 30 us each: 30 % of silero's."""
INSTALL = "Install it: pip install onnxruntime"


@cache
def package() -> Any:
    """The module. Raises WorkbenchError where it is missing or broken."""
    try:
        import onnxruntime
    except (ImportError, OSError, RuntimeError) as error:
        raise WorkbenchError(f"ONNX Runtime cannot be imported: {error}.", INSTALL) from error
    return onnxruntime


@cache
def errors() -> tuple[type[Exception], ...]:
    """Everything a session raises: each of its status codes is a class of its own, without a common base.

    Raises WorkbenchError where the package is missing.
    """
    package()
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    found = [item for item in vars(state).values() if isinstance(item, type) and issubclass(item, Exception)]
    return (*found, RuntimeError, ValueError)


def version() -> str:
    return str(package().__version__)


def session(
    model: str | bytes,
    *,
    optimize: bool,
    threads: int,
    save: Path | None = None,
    profile: Path | None = None,
    tuned: Mapping[str, str] = MappingProxyType({}),
    providers: Sequence[str] = ("CPUExecutionProvider",),
) -> Any:
    """An inference session, on the CPU by default. Raises what `errors()` lists.

    `threads` 0: all physical cores. `save` is where the graph it really runs is written; `profile` a prefix of the
    file that `end_profiling()` writes. Idle threads spin for `SPIN_US` at most. `tuned` are options of
    `OnnxRuntimeBackend`.
    """
    ort = package()
    options = ort.SessionOptions()
    levels, modes = ort.GraphOptimizationLevel, ort.ExecutionMode
    known = {"all": levels.ORT_ENABLE_ALL, "extended": levels.ORT_ENABLE_EXTENDED, "basic": levels.ORT_ENABLE_BASIC}
    level = choice(tuned, "graph_level", known, "all")
    options.graph_optimization_level = level if optimize else levels.ORT_DISABLE_ALL
    modes_known = {"sequential": modes.ORT_SEQUENTIAL, "parallel": modes.ORT_PARALLEL}
    options.execution_mode = choice(tuned, "execution", modes_known, "sequential")
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1 if options.execution_mode == modes.ORT_SEQUENTIAL else threads
    options.add_session_config_entry("session.intra_op.allow_spinning", choice(tuned, "spinning", _SPINNING, "on"))
    options.log_severity_level = 4  # what matters comes as an exception; the rest would go to stderr
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.spin_duration_us", str(SPIN_US))
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "0")  # weight-only means weights only
    if save:
        options.optimized_model_filepath = str(save)
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    return ort.InferenceSession(model, options, providers=list(providers))


def bound(made: Any, values: Mapping[str, Any]) -> Callable[[], Any]:
    """An inference of a session with inputs that are bound now, where every input and output is a tensor of numbers:
    then neither they nor the outputs are converted while it is timed."""
    ends = [*made.get_inputs(), *made.get_outputs()]
    if not all(end.type.startswith("tensor(") and "string" not in end.type for end in ends):
        return partial(made.run, None, dict(values))
    binding = made.io_binding()
    for name, value in values.items():
        binding.bind_ortvalue_input(name, package().OrtValue.ortvalue_from_numpy(value))
    for output in made.get_outputs():
        binding.bind_output(output.name, "cpu")
    return partial(made.run_with_iobinding, binding)
