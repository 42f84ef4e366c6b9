"""A graph that is run for what is inside it: tensors made outputs, and read one after another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from workbench.core.errors import WorkbenchError, runtime_reason
from workbench.precision.session import observing_session, runtime_errors

THREADS = 2
Feed = Mapping[str, NDArray[np.generic]]


class ExposedGraph:
    """`tensors` of a graph. Inputs come back as they are fed.

    The weights go into a file that ONNX Runtime maps, so that `proto`, which is taken apart, need not be kept. Fusions
    make it fast where the tensors come out of fused nodes; where all of them are asked for they cost memory only.
    """

    def __init__(self, proto: ModelProto, tensors: Iterable[str], *, is_fast: bool = True) -> None:
        self.tensors = list(tensors)
        inputs = {value.name for value in proto.graph.input}
        self._outputs = [name for name in self.tensors if name not in inputs]
        _expose(proto, self._outputs)
        self._session = observing_session(proto, THREADS, is_fast=is_fast)

    def values(self, feed: Feed, index: int) -> Iterator[tuple[str, NDArray[np.generic]]]:
        """Name and values of each tensor for one feed. Raises WorkbenchError that names sample `index`."""
        try:
            found = self._session.run(self._outputs, dict(feed)) if self._outputs else []
        except runtime_errors() as error:
            raise WorkbenchError(
                f"Calibration sample {index} does not run: {runtime_reason(error)}.",
                "Check the shapes and the preprocessing.",
            ) from error
        waiting = dict(zip(self._outputs, found, strict=True))
        del found
        for name in self.tensors:
            yield name, waiting.pop(name) if name in waiting else feed[name]


def _expose(proto: ModelProto, tensors: list[str]) -> None:
    """Makes tensors the only outputs of the graph, in place: nothing else need be kept. Declared shapes may lie."""
    del proto.graph.output[:]
    proto.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in tensors)
