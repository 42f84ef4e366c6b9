"""What each product would cost and save: layer times of two engines, and the exact simulator one product at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.core.errors import WorkbenchError
from workbench.core.precision import Rule
from workbench.core.run import RunRequest
from workbench.core.search import Choice, Unit
from workbench.pipeline.evaluating import PlanEvaluator
from workbench.pipeline.searching.bench import Bench
from workbench.pipeline.searching.space import Space, plan_of, products
from workbench.pipeline.telling import Teller
from workbench.precision.matching import Matcher

SAMPLES = 8
"""For the noise of one product alone: it ranks, and claims nothing."""


def timed_units(bench: Bench, space: Space, low: Choice, matcher: Matcher) -> tuple[Unit, ...]:
    """Products with the ms that each saves in `low`, which has all of them there; the noise is not known yet."""
    nodes = frozenset(products(bench.model))
    before = _layer_ms(bench, Choice(low.high), space, matcher, nodes)
    after = _layer_ms(bench, low, space, matcher, nodes)
    layers = {layer.id: layer for layer in bench.model.graph.layers}
    return tuple(
        Unit(node, layers[node].op, matcher.reference(node), before.get(node, 0.0) - after.get(node, 0.0))
        for node in matcher.ids
        if node in nodes
    )


def _layer_ms(bench: Bench, choice: Choice, space: Space, matcher: Matcher, nodes: frozenset[str]) -> dict[str, float]:
    try:
        with bench.built(plan_of(space, choice, matcher)) as built:
            return bench.layer_ms(built, nodes)
    except WorkbenchError:
        return {}  # an engine that tells no layer times: the ranking goes by accuracy alone


class NoiseProbe:
    """The noise of single products, by the exact simulator; what it has measured it knows at its next start."""

    def __init__(self, teller: Teller, request: RunRequest, folder: Path, space: Space, low: Choice) -> None:
        """Raises WorkbenchError where the model cannot be simulated."""
        assert low.low is not None
        method = msgspec.structs.replace(space.base.calibration, method=low.method)
        self._plan = msgspec.structs.replace(space.base, calibration=method, default=low.high, rules=())
        self._low = low.low
        whole = msgspec.structs.replace(self._plan, default=low.low)
        limited = msgspec.structs.replace(
            request,
            evaluation_limit=min(request.evaluation_limit or SAMPLES, SAMPLES),
            config=msgspec.structs.replace(request.config, plan=whole),
        )
        folder.mkdir(parents=True, exist_ok=True)
        self._evaluator = PlanEvaluator(teller, limited, folder, whole)

    def measured(self, units: tuple[Unit, ...], seconds: float, tell: Callable[[int, int], None]) -> tuple[Unit, ...]:
        """The units with their noise, the slowest ones first, until the time is up. Raises Cancelled."""
        start, found = perf_counter(), {}
        order = sorted(units, key=lambda unit: -unit.saved_ms)
        with self._evaluator as evaluator:
            for done, unit in enumerate(order):
                if perf_counter() - start > seconds:
                    break
                tell(done, len(order))
                rule = Rule(self._low, nodes=(unit.node,))
                evaluation = evaluator.evaluate(msgspec.structs.replace(self._plan, rules=(rule,)))
                if not evaluation.reason:
                    found[unit.node] = evaluation.noise
        return tuple(msgspec.structs.replace(unit, noise=found.get(unit.node)) for unit in units)
