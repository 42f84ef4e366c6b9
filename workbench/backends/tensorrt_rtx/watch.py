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
_BESIDE = re.compile(r"^(Max Scratch|Total Host Persistent|Total Device Persistent) Memory: (\d+) bytes")
_BESIDE_NAMES = {"Max Scratch": "scratch", "Total Host Persistent": "host", "Total Device Persistent": "device"}
_LEVELS = {"ERROR": "error", "INTERNAL_ERROR": "error", "WARNING": "warning"}
_SILENT = "Determining refit engines"
"""The phase in which the compiler works: most of a build, in one step and without a word."""
_PLACE = re.compile(r"^\w+\.cpp:\d+: ")
"""Where in its own source."""
_NOISE = re.compile(
    r".*cudaError 35"  # no driver on a machine that only builds
    r"|.*Make sure (?:input|output) .* has Int64 binding"  # which every one of int64 gets
    r"|-{9}|(Input filename|ONNX IR version|Opset version|Producer name|Producer version|Domain|Model version"
    r"|Doc string): "  # the parser's banner
)


class BuildLog:
    """Keeps what matters of some ten thousand messages; passes remarks, warnings and errors on as log lines.

    `layers` is the `Layers:` message (empty until there is one), `memory` named bytes that add up to what the engine
    needs (of activations the largest over the profiles), `beside` what is in these or next to nothing: scratch and
    persistent memory; `errors` texts in the order they came.
    """

    def __init__(self, report: Report) -> None:
        self.layers = ""
        self.memory: dict[str, int] = {}
        self.beside: dict[str, int] = {}
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
        if found := _MEMORY.match(text):
            name = _MEMORY_NAMES[found[1]]
            self.memory[name] = max(self.memory.get(name, 0), int(found[2]))
        if found := _BESIDE.match(text):
            name = _BESIDE_NAMES[found[1]]
            self.beside[name] = max(self.beside.get(name, 0), int(found[2]))
        if level.endswith("ERROR"):
            self.errors.append(text)
        self._report(f"log/{_LEVELS.get(level, 'debug')}", 0, 0, one_line(_PLACE.sub("", text)))


class Watch:
    """Turns TensorRT's nested phases into reports, one at each begin and end, else at most one per 50 ms.

    What `report` raises stops the build and is kept in `stopped`.
    """

    def __init__(self, report: Report) -> None:
        self.stopped: Exception | None = None
        self._report = report
        self._path: list[str] = []
        self._steps: dict[str, tuple[int, int]] = {}  # done and total by phase
        self._last = 0.0

    def start(self, name: str, parent: str | None, total: int) -> None:
        self._leave_to(parent)
        self._path.append(name)
        self._steps[name] = (0, total)
        self._progress("its compiler is at work, and says nothing meanwhile" if name == _SILENT else "")

    def step(self, name: str, step: int) -> bool:
        """True: go on. Anything else, None too, would cancel the build."""
        self._steps[name] = (step + 1, self._steps.get(name, (0, 0))[1])
        if name in self._path and time.monotonic() - self._last >= _STEP_S:
            self._leave_to(name)
            self._progress()
        return self.stopped is None

    def finish(self, name: str) -> None:
        if name in self._path:
            self._leave_to(name)
            self._path.pop()
            self._progress()

    def tell(self, phase: str, done: int, total: int, text: str) -> None:
        """A report that never raises: TensorRT calls this and would print the error and go on."""
        try:
            self._report(phase, done, total, text)
        except Exception as error:  # noqa: BLE001  the border to C++: raised again when the build returns
            self.stopped = self.stopped or error

    def _leave_to(self, name: str | None) -> None:
        """All phases within `name` have ended; those of an outermost one are all."""
        while self._path and self._path[-1] != name:
            self._path.pop()

    def _progress(self, text: str = "") -> None:
        """A phase of one step says nothing until it ends: its total is told as not known."""
        self._last = time.monotonic()
        if self._path:
            done, total = self._steps[self._path[-1]]
            phase = "/".join(name.replace("/", " ") for name in self._path)
            self.tell(phase, *((min(done, total), total) if total > 1 else (0, 0)), text)


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
            watch.start(phase_name, parent_phase, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return watch.step(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            watch.finish(phase_name)

    return Monitor()
