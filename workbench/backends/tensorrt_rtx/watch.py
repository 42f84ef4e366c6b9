"""What a build says while it runs: its log, in which the engine's layers stand, and its progress."""

from __future__ import annotations

import re
import time
from typing import Any

from workbench.backends.base import Report
from workbench.core.errors import one_line

_STEP_S = 0.05
_MEMORY = re.compile(r"^Total (Activation|Weights) Memory: (\d+) bytes")
_MEMORY_NAMES = {"Activation": "activations", "Weights": "weights"}
_PHASES = {
    "Cloning network graph": "prepare",
    "Preparing graph for optimization": "prepare",
    "Optimizing graph": "optimise",
}
"""TensorRT's phases -> ours; all others are the compiler's. The two below only hold others."""
_HOLDERS = ("Building engine", "Building engine from subgraph")
_NOISE = re.compile(
    r".*cudaError 35"  # no driver on a machine that only builds
    r"|.*Make sure input .* has Int64 binding"  # which every int64 input gets
    r"|-{9}|(Input filename|ONNX IR version|Opset version|Producer name|Producer version|Domain|Model version"
    r"|Doc string): "  # the parser's banner
)


class BuildLog:
    """Keeps what matters of some ten thousand messages; passes remarks, warnings and errors on as log lines.

    `layers` is the `Layers:` message (empty until there is one), `memory` named bytes that add up to what the engine
    needs (of activations the largest over the profiles), `errors` texts in the order they came.
    """

    def __init__(self, report: Report) -> None:
        self.layers = ""
        self.memory: dict[str, int] = {}
        self.errors: list[str] = []
        self._report = report

    def add(self, level: str, text: str) -> None:
        """`level` is TensorRT's: VERBOSE, INFO, WARNING, ERROR or INTERNAL_ERROR."""
        if text.startswith("Layers:"):
            self.layers = text
        elif level != "VERBOSE" and not _NOISE.match(text):
            self._keep(level, text)

    def noise(self, text: str) -> None:
        """A line the library wrote to standard output by itself; such lines tell why a compiler gave up."""
        if text.strip():
            self._keep("ERROR" if "Error" in text or "Exception" in text else "INFO", text)

    def _keep(self, level: str, text: str) -> None:
        found = _MEMORY.match(text)
        if found:
            name = _MEMORY_NAMES[found[1]]
            self.memory[name] = max(self.memory.get(name, 0), int(found[2]))
        if level.endswith("ERROR"):
            self.errors.append(text)
        self._report("log", 0, 0, f"{level.lower().replace('_', ' ')}: {one_line(text)}")


class Watch:
    """Turns TensorRT's nested phases into reports, at most one per 50 ms and phase.

    Most of the time passes in one phase of a single step ("Determining refit engines": the compiler), in which
    TensorRT says nothing. What `report` raises stops the build and is kept in `stopped`.
    """

    def __init__(self, report: Report) -> None:
        self.stopped: Exception | None = None
        self._report = report
        self._totals: dict[str, int] = {}
        self._last = 0.0

    def start(self, name: str, total: int) -> None:
        self._totals[name] = total
        self._progress(name, 0)

    def step(self, name: str, step: int) -> bool:
        """True: go on. Anything else, None too, would cancel the build."""
        if time.monotonic() - self._last >= _STEP_S:
            self._progress(name, step + 1)
        return self.stopped is None

    def tell(self, phase: str, done: int, total: int, text: str) -> None:
        """A report that never raises: TensorRT calls this and would print the error and go on."""
        try:
            self._report(phase, done, total, text)
        except Exception as error:  # noqa: BLE001  the border to C++: raised again when the build returns
            self.stopped = self.stopped or error

    def _progress(self, name: str, done: int) -> None:
        """A phase of one step says nothing until it ends: its total is told as not known."""
        if name not in _HOLDERS:
            self._last = time.monotonic()
            total = self._totals.get(name, 0)
            self.tell(_PHASES.get(name, "compile"), done, total if total > 1 else 0, name)


def as_logger(trt: Any, log: BuildLog) -> Any:
    """An ILogger that feeds `log`."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: Any, message: str) -> None:
            log.add(severity.name, message)

    return Logger()


def as_monitor(trt: Any, watch: Watch) -> Any:
    """An IProgressMonitor that feeds `watch`; None where this TensorRT has none."""
    if not hasattr(trt, "IProgressMonitor"):
        return None

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            watch.start(phase_name, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return watch.step(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            pass

    return Monitor()
