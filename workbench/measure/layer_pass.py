"""Time per layer: a pass of its own, because asking an engine for layer times may cost it latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle
from time import perf_counter

import msgspec

from workbench.backends.base import Feed, Runner
from workbench.core.collector import quiet_collector
from workbench.measure.timing import stop_if

POLL_SECONDS = 0.15
"""Engines tell layer times in 0.2-5 ms; at 7 Hz that disturbs nothing and a chart still moves."""

MIN_ITERATIONS = 10


class LayerTimes(msgspec.Struct, frozen=True):
    """`layers`: mean ms by layer id over `iterations`."""

    layers: dict[str, float]
    iterations: int

    @property
    def sum_ms(self) -> float:
        return sum(self.layers.values())


def measure_layers(
    runner: Runner,
    feeds: Sequence[Feed],
    seconds: float,
    on_layers: Callable[[dict[str, float], int], None],
    cancelled: Callable[[], bool],
) -> LayerTimes:
    """Infers for `seconds` (10 times at least) on a runner made with `layers=True`, and polls its layer times.

    `on_layers` gets the means so far in ms by layer id and the number of iterations, about seven times a second where
    the engine tells them while running. Raises Cancelled between two iterations.
    """
    turns = cycle(feeds)
    start = last_poll = perf_counter()
    count = 0
    with quiet_collector():
        while count < MIN_ITERATIONS or perf_counter() - start < seconds:
            stop_if(cancelled)
            runner.time(next(turns))
            count += 1
            if perf_counter() - last_poll >= POLL_SECONDS:
                _tell(on_layers, runner.layer_times(), count)
                last_poll = perf_counter()
    layers = runner.layer_times()
    _tell(on_layers, layers, count)
    return LayerTimes(layers, count)


def _tell(on_layers: Callable[[dict[str, float], int], None], layers: dict[str, float], count: int) -> None:
    if layers:
        on_layers(layers, count)
