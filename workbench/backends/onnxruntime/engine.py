"""An ONNX Runtime engine and its runners."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backends._built import BuiltEngine, Facts
from workbench.backends._feeds import fitted
from workbench.backends.base import Feed, Runner
from workbench.backends.onnxruntime.devices import CPU, TENSORRT
from workbench.backends.onnxruntime.package import bound, errors
from workbench.backends.onnxruntime.profile import Profiler
from workbench.core.errors import WorkbenchError, runtime_reason
from workbench.core.graph import Graph


class OnnxRuntimeEngine(BuiltEngine):
    """`session` serves latency. `executed` is the graph it runs, saved with layer ids as node names."""

    def __init__(
        self,
        facts: Facts,
        *,
        session: Any,
        executed: Path,
        threads: int,
        device: str = CPU,
        tuned: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(facts)
        self._session, self._executed, self._threads = session, executed, threads
        self._device, self._tuned = device, tuned

    def runner(self, *, layers: bool = False) -> Runner:
        """TensorRT's provider runs whole subgraphs, of whose inside it tells no times."""
        if not layers or self._device == TENSORRT:
            return OnnxRuntimeRunner(self._session, self.graph)
        return ProfilingRunner(
            self._session, self.graph, self._executed, self._threads, device=self._device, tuned=self._tuned
        )


class OnnxRuntimeRunner(Runner):
    """Inputs are bound before time is taken (`bound`)."""

    def __init__(self, session: Any, graph: Graph) -> None:
        self._session = session
        self._specs = {name: graph.tensors[name] for name in graph.inputs}
        self._outputs = [output.name for output in session.get_outputs()]
        self._infer: Callable[[], Any] | None = None
        self._bound: Feed | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._infer = self._bound = self._session = None

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        found = _guarded(self._session.run, None, fitted(feed, self._specs))
        return {name: np.asarray(value) for name, value in zip(self._outputs, found, strict=True)}

    def time(self, feed: Feed) -> float:
        if self._infer is None or feed is not self._bound:
            self._infer, self._bound = bound(self._session, fitted(feed, self._specs)), feed
        infer = self._infer
        try:  # not by `_guarded`: its call is 5 % of what a small tree takes
            started = time.perf_counter_ns()
            infer()
            return (time.perf_counter_ns() - started) / 1e6
        except errors() as error:
            raise _failed(error) from error


class ProfilingRunner(OnnxRuntimeRunner):
    """Times come with the profiler's cost: 1-6 % on convolutions, three times as long for a net of half a ms."""

    def __init__(
        self, session: Any, graph: Graph, executed: Path, threads: int, *, device: str, tuned: Mapping[str, str]
    ) -> None:
        super().__init__(session, graph)
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-profile-")
        holders = _holders(graph)
        count = sum(1 for _ in graph.walk())
        folder = Path(self._folder.name)
        self._profiler = Profiler(executed, folder, threads, holders, count, device=device, tuned=tuned)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._profiler.close()
        self._folder.cleanup()
        super().__exit__(kind, error, trace)

    def time(self, feed: Feed) -> float:
        if feed is not self._bound:
            self._profiler.bind(fitted(feed, self._specs))
            self._bound = feed
        took: float = _guarded(self._profiler.run)
        return took

    def layer_times(self) -> dict[str, float]:
        return self._profiler.means()

    def layer_samples(self) -> dict[str, list[float]]:
        return self._profiler.singles()


def _holders(graph: Graph) -> dict[str, str]:
    """Layer in a body -> the layer that holds the body."""
    found: dict[str, str] = {}
    for key, body in graph.subgraphs.items():
        holder = key.rpartition(".")[0]
        found |= {layer.id: holder for layer in body.layers}
        found |= _holders(body)
    return found


def _guarded(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except errors() as error:
        raise _failed(error) from error


def _failed(error: Exception) -> WorkbenchError:
    return WorkbenchError(
        f"ONNX Runtime failed to infer: {runtime_reason(error)}.", "Check shapes and values of the inputs."
    )
