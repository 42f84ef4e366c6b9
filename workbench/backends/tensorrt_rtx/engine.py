"""A built TensorRT engine: complete on a machine without a GPU, but for running it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from workbench.backends.base import Engine, Runner
from workbench.backends.tensorrt_rtx.device import why_not_run
from workbench.backends.tensorrt_rtx.runtime import TensorRtRunner
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Fate, Graph
from workbench.core.model import Shape


class TensorRtEngine(Engine):
    """`targets` are the GPUs it was built for; empty: the one of this machine. `artefact` is the serialized engine."""

    def __init__(
        self,
        *,
        graph: Graph,
        fates: Mapping[str, Fate],
        memory: Mapping[str, int],
        artefact: Path,
        targets: tuple[str, ...],
        shapes: Mapping[str, Shape],
        notes: tuple[str, ...],
        versions: Mapping[str, str],
    ) -> None:
        self.graph = graph
        self.fates = fates
        self.size_bytes = artefact.stat().st_size
        self.memory = memory
        self.artefact: Path = artefact
        self.targets = targets
        self.shapes = shapes
        self.notes = notes
        self.versions = versions

    def runner(self, *, layers: bool = False) -> Runner:
        reason, hint = why_not_run(self.targets)
        if reason:
            raise WorkbenchError(reason, hint)
        return TensorRtRunner(self.artefact, self.graph, layers=layers)
