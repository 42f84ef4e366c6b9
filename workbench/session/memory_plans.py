"""Memory plans of the source graph and of the current run's engine graph, at the shapes of the run."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from workbench.core.memory_plan import MemoryPlan
from workbench.core.model import Model
from workbench.core.run import EngineGraph, Run

if TYPE_CHECKING:
    from workbench.session.session import Session

Plans = tuple[MemoryPlan, MemoryPlan]


class MemoryPlans:
    """Those of the current run; made when they are asked for, and once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._made: tuple[tuple[str, int], Plans] | None = None

    def get(self) -> Plans | None:
        """Of the source and of the engine; None where the current run has no engine."""
        from workbench.model.liveness import memory_plan

        model, run, engine = self._session.model, self._session.current, self._session.engine
        if model is None or run is None or engine is None:
            return None
        key = (run.id, id(engine))
        if self._made is None or self._made[0] != key:
            plans = memory_plan(model.graph, source_sizes(model, engine, run)), memory_plan(engine.graph)
            self._made = (key, plans)
        return self._made[1]


def source_sizes(model: Model, engine: EngineGraph, run: Run) -> dict[str, int]:
    """Bytes of source tensors at the run's input shapes, as far as they are known."""
    from workbench.model.dtypes import dtype_bytes

    found: dict[str, int] = {}
    for node in model.graph.layers:
        found |= dict(zip(node.outputs, engine.sizes.get(node.id, ()), strict=False))
    for spec in model.inputs:
        shape = run.shapes.get(spec.name, model.shapes.get(spec.name))
        if shape is not None:
            found[spec.name] = dtype_bytes(spec.dtype, prod(shape))
    return found
