"""A built TensorRT engine: complete on a machine without a GPU, but for running it."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.backends._built import BuiltEngine, Facts
from workbench.backends.base import Runner
from workbench.backends.tensorrt_rtx.device import why_not_run
from workbench.backends.tensorrt_rtx.runtime import TensorRtRunner
from workbench.core.errors import WorkbenchError


class TensorRtEngine(BuiltEngine):
    """`targets` are the GPUs it was built for; empty: the one of this machine. `artefact` is the serialized engine."""

    def __init__(self, facts: Facts, *, targets: tuple[str, ...], options: Mapping[str, str]) -> None:
        super().__init__(facts)
        self.targets = targets
        self._options = options

    def runner(self, *, layers: bool = False) -> Runner:
        reason, hint = why_not_run(self.targets)
        if reason:
            raise WorkbenchError(reason, hint)
        return TensorRtRunner(self.artefact, self.graph, self._options, layers=layers)
