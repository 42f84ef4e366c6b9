"""Latency of a runner by the protocol: warm up, then measure until both the time and the count are reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from time import perf_counter

from workbench.backends.base import Feed, Runner
from workbench.core.collector import quiet_collector
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.run import NOISY_COV_PERCENT, LatencyStats, TimingConfig
from workbench.core.words import plural

BATCH_SECONDS = 1 / 30
"""Latencies are handed out at most this often, so that whoever listens costs the measurement nothing."""


def measure_latency(
    runner: Runner,
    feeds: Sequence[Feed],
    config: TimingConfig,
    on_samples: Callable[[list[float]], None],
    cancelled: Callable[[], bool],
) -> list[float]:
    """Latencies in ms of the reported phase, one per inference, in order.

    `feeds` take turns, so that no cache holds one input only. `on_samples` gets the latencies of the live phase in
    batches, then an empty list as the reported phase begins; of that nobody is told before it is saved. Raises
    Cancelled between two iterations. The protocol is trtexec's: 200 ms of warm-up, then at least 3 s and 10 iterations.
    """
    if not feeds:
        raise WorkbenchError("There is no input to time with.", "Give a sample set with at least one sample.")
    turns = cycle(feeds)
    with quiet_collector():
        warm_up(runner, turns, config, cancelled)
        _measure(runner, turns, min(config.live_seconds, config.seconds), 0, on_samples, cancelled)
        on_samples([])
        return _measure(runner, turns, config.seconds, config.min_iterations, _nobody, cancelled)


def _nobody(samples: list[float]) -> None:
    """Nobody is told while the reported number is measured."""


def warm_up(runner: Runner, turns: Iterator[Feed], config: TimingConfig, cancelled: Callable[[], bool]) -> None:
    """Runs until both the warm-up time and the warm-up count are reached."""
    start, count = perf_counter(), 0
    while count < config.warmup_iterations or (perf_counter() - start) * 1000 < config.warmup_ms:
        stop_if(cancelled)
        runner.time(next(turns))
        count += 1


def _measure(
    runner: Runner,
    turns: Iterator[Feed],
    seconds: float,
    least: int,
    on_samples: Callable[[list[float]], None],
    cancelled: Callable[[], bool],
) -> list[float]:
    latencies: list[float] = []
    told, start = 0, perf_counter()
    last_batch = start
    while len(latencies) < least or perf_counter() - start < seconds:
        stop_if(cancelled)
        latencies.append(runner.time(next(turns)))
        now = perf_counter()
        if now - last_batch >= BATCH_SECONDS:
            on_samples(latencies[told:])
            told, last_batch = len(latencies), now
    if told < len(latencies):
        on_samples(latencies[told:])
    return latencies


def stop_if(cancelled: Callable[[], bool]) -> None:
    """Raises Cancelled where the user asked to stop."""
    if cancelled():
        raise Cancelled


def protocol(config: TimingConfig, feeds: int, threads: int) -> str:
    """The protocol in one sentence, shown next to the number."""
    return (
        f"warm-up >= {config.warmup_ms:g} ms and {config.warmup_iterations} iterations, then >= {config.seconds:g} s"
        f" and {config.min_iterations} iterations, synchronous, {feeds} input{'s' if feeds > 1 else ''} in turn,"
        f" {'all physical cores' if threads == 0 else _threads(threads)}; median with 95 % interval"
    )


def load_protocol(config: TimingConfig, streams: int, threads: int) -> str:
    """The same of a measurement under load."""
    own = "all physical cores" if threads == 0 else _threads(threads) + (" each" if streams > 1 else "")
    return (
        f"warm-up >= {config.warmup_ms:g} ms and {config.warmup_iterations} iterations, then >= {config.seconds:g} s"
        f" and {config.min_iterations} iterations of each of {streams} stream{'s' * (streams > 1)}, all at work all"
        f" the time, {own}; throughput with 95 % interval, latency under this load"
    )


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def stability_warnings(stats: LatencyStats, load: float, cores: int) -> tuple[str, ...]:
    """What makes the number less sure. `load` is the load average just before timing, `cores` logical ones."""
    found = []
    if not stats.is_sure:
        found.append(f"Only {plural(stats.iterations, 'inference')}: too few for an interval of the median.")
    if stats.is_noisy:
        found.append(
            f"Latency varies by {stats.cov_percent:.1f} % (coefficient of variation; steady is below"
            f" {NOISY_COV_PERCENT} %): compare by the interleaved verdict, not by two separate medians."
        )
    if cores and load > cores:
        found.append(f"The machine was busy before timing: load {load:.1f} on {cores} cores.")
    return tuple(found)
