"""An OpenVINO engine and its runners."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.backends._built import BuiltEngine, Facts
from workbench.backends._feeds import fitted
from workbench.backends.base import Feed, Runner
from workbench.backends.openvino.package import core
from workbench.backends.openvino.problems import explain
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph

Options = Mapping[str, str | int | bool]


def compile_model(model: Any, options: Options, graph: Graph) -> Any:
    """Raises WorkbenchError with op and reason."""
    try:
        return core().compile_model(model, "CPU", dict(options))
    except RuntimeError as error:
        raise explain(str(error), graph).error() from error


class OpenVinoEngine(BuiltEngine):
    """`compiled` serves latency; the model that counts layer times is compiled when it is asked for."""

    def __init__(
        self, facts: Facts, *, model: Any, compiled: Any, options: Options, order_of: Mapping[str, int]
    ) -> None:
        super().__init__(facts)
        self._model, self._compiled, self._options, self._order_of = model, compiled, options, order_of

    def runner(self, *, layers: bool = False) -> Runner:
        if not layers:
            return OpenVinoRunner(self._compiled, self.graph, {})
        counting = compile_model(self._model, {**self._options, "PERF_COUNT": True}, self.graph)
        return OpenVinoRunner(counting, self.graph, _ids_by_name(counting, self._order_of))


def _ids_by_name(compiled: Any, order_of: Mapping[str, int]) -> dict[str, str]:
    """Names of execution nodes (they differ from one compilation to the next) -> layer ids."""
    layer_at = {order: layer for layer, order in order_of.items()}
    found = {}
    for op in compiled.get_runtime_model().get_ordered_ops():
        order = int(op.get_rt_info()["execOrder"].astype(str))
        if order in layer_at:
            found[op.get_friendly_name()] = layer_at[order]
    return found


class OpenVinoRunner(Runner):
    """One infer request with its own input tensors. `ids`: names of execution nodes -> layer ids; empty: no times."""

    def __init__(self, compiled: Any, graph: Graph, ids: Mapping[str, str]) -> None:
        self._request = compiled.create_infer_request()
        self._ids = ids
        self._outputs = graph.outputs
        self._inputs = [self._request.get_input_tensor(index) for index in range(len(compiled.inputs))]
        self._specs = {name: graph.tensors[name] for name in graph.inputs}
        self._bound: Feed | None = None
        self._has_run = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inputs.clear()
        self._request = None
        self._bound = None

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        self._bind(feed)
        self._infer()
        tensors = [self._request.get_output_tensor(index) for index in range(len(self._outputs))]
        return {name: np.array(_data(tensor)) for name, tensor in zip(self._outputs, tensors, strict=True)}

    def time(self, feed: Feed) -> float:
        """By OpenVINO's own clock around the same call, as benchmark_app has it: Python's binding, which makes a dict
        of copied outputs each time, adds 15 us to what a program in another language would see."""
        if feed is not self._bound:
            self._bind(feed)
        self._infer()
        return float(self._request.latency)

    def layer_times(self) -> dict[str, float]:
        """OpenVINO keeps a running mean since it compiled, in whole microseconds."""
        if not (self._ids and self._has_run):
            return {}
        found = dict.fromkeys(self._ids.values(), 0.0)
        for info in self._request.get_profiling_info():
            if info.node_name in self._ids:
                found[self._ids[info.node_name]] = info.real_time.total_seconds() * 1000
        return found

    def _bind(self, feed: Feed) -> None:
        values = fitted(feed, self._specs)
        for name, tensor in zip(self._specs, self._inputs, strict=True):
            _fill(tensor, values[name])
        self._bound = feed

    def _infer(self) -> None:
        try:
            self._request.infer(share_outputs=True)  # else it copies them, into memory that no engine needs
        except RuntimeError as error:
            raise WorkbenchError(f"OpenVINO failed to infer: {str(error)[-300:]}", "Try other shapes.") from error
        self._has_run = True


def _fill(tensor: Any, values: NDArray[np.generic]) -> None:
    if tuple(tensor.shape) != values.shape:  # of an engine for a range of shapes
        tensor.shape = values.shape
    if tensor.element_type.get_type_name() == "string":
        tensor.str_data[...] = values
    else:
        tensor.data[...] = values


def _data(tensor: Any) -> Any:
    return tensor.str_data if tensor.element_type.get_type_name() == "string" else tensor.data
