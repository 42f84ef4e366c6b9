"""Time per layer: a pass of its own, because asking an engine for layer times may cost it latency."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from time import perf_counter

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed, Runner
from workbench.core.collector import quiet_collector
from workbench.measure.timing import stop_if

POLL_SECONDS = 0.15
"""Engines tell layer times in 0.2-5 ms; at 7 Hz that disturbs nothing and a chart still moves."""

MIN_ITERATIONS = 10


SAMPLES = 512
"""Newest single times of a layer that are kept: enough for a 95th percentile, whatever the number of layers."""

Samples = Mapping[str, NDArray[np.float32]]
"""Ms of single inferences by layer id, in order; empty where an engine tells means only."""
OnLayers = Callable[[dict[str, float], int, Samples], None]


class LayerTimes(msgspec.Struct, frozen=True):
    """`layers`: ms by layer id over `iterations`: the median, as of the whole engine, where it tells single inferences
    (one that was interrupted counts for one, not for ten); else the mean, less what interruptions added to the mean of
    the whole: times the median latency of the pass over its mean. `latency_ms` is that median: with what lies between
    the layers, and with what asking for their times costs."""

    layers: dict[str, float]
    iterations: int
    latency_ms: float

    @property
    def sum_ms(self) -> float:
        return sum(self.layers.values())


def measure_layers(
    runner: Runner,
    feeds: Sequence[Feed],
    seconds: float,
    on_layers: OnLayers,
    cancelled: Callable[[], bool],
) -> LayerTimes:
    """Infers for `seconds` (10 times at least) on a runner made with `layers=True`, and polls its layer times.

    `on_layers` gets the times so far in ms by layer id, the number of iterations, and the newest single times, about
    seven times a second where the engine tells them while running. Raises Cancelled between two iterations.
    """
    turns = cycle(feeds)
    start = last_poll = perf_counter()
    latencies: list[float] = []
    kept: dict[str, deque[float]] = {}
    with quiet_collector():
        while len(latencies) < MIN_ITERATIONS or perf_counter() - start < seconds:
            stop_if(cancelled)
            latencies.append(runner.time(next(turns)))
            if perf_counter() - last_poll >= POLL_SECONDS:
                _tell(on_layers, runner, latencies, kept)
                last_poll = perf_counter()
    return LayerTimes(_tell(on_layers, runner, latencies, kept), len(latencies), float(np.median(latencies)))


def _tell(
    on_layers: OnLayers, runner: Runner, latencies: Sequence[float], kept: dict[str, deque[float]]
) -> dict[str, float]:
    undisturbed = min(1.0, float(np.median(latencies)) / (float(np.mean(latencies)) or 1.0))
    means = {layer: mean * undisturbed for layer, mean in runner.layer_times().items()}
    for layer, times in runner.layer_samples().items():
        kept.setdefault(layer, deque(maxlen=SAMPLES)).extend(times)
    samples = {layer: np.asarray(times, dtype=np.float32) for layer, times in kept.items()}
    layers = means | {layer: float(np.median(times)) for layer, times in samples.items() if layer in means}
    if layers:
        on_layers(layers, len(latencies), samples)
    return layers
