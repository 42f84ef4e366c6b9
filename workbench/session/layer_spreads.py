"""How the time of each layer spreads from one inference to the next, and in which block of the model a layer stands."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject

from workbench.core.errors import WorkbenchError
from workbench.core.run import Run

if TYPE_CHECKING:
    from workbench.session.session import Session

Samples = Mapping[str, NDArray[np.float32]]
KEPT = 8
OUTSIDE = "outside of all blocks"


class LayerSpreads(QObject):
    """Read from the run's folder, again while the run is at work; the last few are kept."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._samples: OrderedDict[tuple[str, int], Samples] = OrderedDict()
        self._blocks: OrderedDict[tuple[str, int], Mapping[str, str]] = OrderedDict()

    def samples(self, run: Run) -> Samples:
        """Ms of single inferences by layer id, in order; empty where the engine tells means only."""
        engine = self._session.runs.engine(run.id)
        if engine is None:
            return {}
        live = self._session.runs.live.get(run.id)
        at_work = run.id in self._session.runs.jobs
        key = (run.id, live.iterations if live is not None and at_work else -1)
        if key not in self._samples:
            self._samples[key] = self._read(run.id, tuple(layer.id for layer in engine.graph.walk()))
            while len(self._samples) > KEPT:
                self._samples.popitem(last=False)
        return self._samples[key]

    def blocks(self, run: Run) -> Mapping[str, str]:
        """The innermost named group of the model that an engine's layer stands in, by layer id."""
        session, engine = self._session, self._session.runs.engine(run.id)
        if session.model is None or engine is None or not session.is_of_model(run):
            return {}
        key = (run.id, id(engine))
        if key not in self._blocks:
            root = session.scopes.of_engine(session.model, engine.graph)[""]
            self._blocks[key] = {layer: scope.id or OUTSIDE for scope in root.walk() for layer in scope.layers}
            while len(self._blocks) > KEPT:
                self._blocks.popitem(last=False)
        return self._blocks[key]

    def _read(self, run_id: str, ids: tuple[str, ...]) -> Samples:
        try:
            table = self._session.runs.store.layer_samples(run_id)
        except WorkbenchError:
            return {}  # the means are there
        if table.shape[1] != len(ids):
            return {}
        columns = ((layer, table[:, column]) for column, layer in enumerate(ids))
        return {layer: times[~np.isnan(times)] for layer, times in columns if not np.isnan(times[:1]).all()}
