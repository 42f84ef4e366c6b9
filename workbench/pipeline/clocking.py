"""Timing an engine: whole latency first, then layer by layer in a pass of its own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from time import perf_counter

import msgspec
import numpy as np

from workbench.backends.base import Engine, Feed
from workbench.core.errors import WorkbenchError
from workbench.core.events import LayerNames, Timed
from workbench.core.model import Shape
from workbench.core.run import LatencyStats, Timing
from workbench.core.writing import written_whole
from workbench.measure.footprint import footprint, give_back
from workbench.measure.layer_pass import LayerTimes, Samples, measure_layers
from workbench.measure.machine import load_average, logical_cores, machine_state, peak_rss_bytes, warm_state
from workbench.measure.statistics import latency_stats
from workbench.measure.throughput import measure_throughput
from workbench.measure.timing import load_protocol, measure_latency, protocol, stability_warnings
from workbench.pipeline.files import LATENCIES_FILE, LAYER_SAMPLES_FILE
from workbench.pipeline.record import Record

NOT_ASKED = "Timing was not asked for."
LAYER_SHARE = 0.5
"""Of the seconds of the latency phase: a mean over layers settles sooner than a 99th percentile."""


def time_engine(record: Record, engine: Engine, feeds: Sequence[Feed]) -> None:
    """Measures and saves `Timing`; where the engine cannot run here, the reason stands in its place."""
    config = record.request.timing
    if config.seconds <= 0 and config.min_iterations <= 0:
        record.timed(Timing(reason=NOT_ASKED))
        return
    is_loaded = config.loaded or record.request.config.streams > 1
    timing = _under_load(record, engine, feeds) if is_loaded else _latency(record, engine, feeds)
    record.timed(timing)
    if timing.stats is not None and config.layers:
        record.timed(_with_layers(record, engine, feeds, timing, timing.stats))


def _latency(record: Record, engine: Engine, feeds: Sequence[Feed]) -> Timing:
    machine, load = machine_state(), load_average()
    give_back()
    try:
        runner = engine.runner()
    except WorkbenchError as error:
        return Timing(reason=str(error), machine=machine)
    config = record.request.timing
    record.progress("time", text="warming up")
    count = 0

    def on_samples(batch: list[float]) -> None:
        nonlocal count
        count += len(batch)
        if batch:
            _tell(record, batch, count)
        else:
            record.progress("measure", text=f"for {config.seconds:g} s; drawing pauses")

    with runner:
        memory = footprint(runner, feeds[0]) if feeds else {}
        latencies = measure_latency(runner, feeds, config, on_samples, record.cancelled)
        machine |= warm_state()
    _save(record, latencies)
    _tell(record, latencies, count + len(latencies))
    stats = latency_stats(latencies)
    return Timing(
        stats=stats,
        protocol=protocol(config, len(feeds), _threads(record)),
        machine=machine,
        warnings=stability_warnings(stats, load, logical_cores()),
        samples_file=LATENCIES_FILE,
        memory=memory | {"process peak": peak_rss_bytes()},
        shapes=_shapes(feeds),
    )


def _under_load(record: Record, engine: Engine, feeds: Sequence[Feed]) -> Timing:
    """With all streams at work: latencies under that load, and the throughput."""
    machine, load = machine_state(), load_average()
    config, streams = record.request.timing, record.request.config.streams
    with ExitStack() as stack:
        try:
            runners = [stack.enter_context(engine.runner()) for _ in range(streams)]
        except WorkbenchError as error:
            return Timing(reason=str(error), machine=machine)
        record.progress("measure", text=f"{streams} at once for {config.seconds:g} s; drawing pauses")
        found = measure_throughput(runners, feeds, config, record.cancelled)
        machine |= warm_state()
    _save(record, found.latencies_ms)
    _tell(record, found.latencies_ms, len(found.latencies_ms))
    stats = latency_stats(found.latencies_ms)
    return Timing(
        stats=stats,
        protocol=load_protocol(config, streams, _threads(record)),
        machine=machine,
        warnings=stability_warnings(stats, load, logical_cores()),
        samples_file=LATENCIES_FILE,
        throughput=found.throughput,
        shapes=_shapes(feeds),
    )


def _shapes(feeds: Sequence[Feed]) -> dict[str, Shape]:
    return {name: values.shape for name, values in feeds[0].items()}


def _threads(record: Record) -> int:
    """That the engine was built with: tuned, or asked for."""
    tuned = record.run.build.tuned if record.run.build is not None else {}
    return int(tuned.get("threads", record.request.config.threads))


def _tell(record: Record, batch: Sequence[float], count: int) -> None:
    record.emit(Timed(record.run.id, latencies_ms=tuple(batch), iterations=count))
    record.progress("time", text=f"{count} iterations")


def _save(record: Record, latencies: Sequence[float]) -> None:
    with written_whole(record.folder / LATENCIES_FILE) as file:
        np.save(file, np.asarray(latencies, dtype=np.float64))


def _with_layers(record: Record, engine: Engine, feeds: Sequence[Feed], timing: Timing, stats: LatencyStats) -> Timing:
    """`timing` with the layer pass added; without it, and a warning, where the engine tells none."""
    record.progress("layers", text="time per layer")
    try:
        times = _layer_pass(record, engine, feeds)
    except WorkbenchError as error:
        return _warned(timing, f"There are no layer times: {error}")
    if not times.layers:
        return _warned(timing, "This engine tells no layer times.")
    timing = msgspec.structs.replace(
        timing,
        layers=times.layers,
        layers_sum_ms=times.sum_ms,
        layers_iterations=times.iterations,
        layers_latency_ms=times.latency_ms,
    )
    share = times.sum_ms / stats.median_ms if stats.median_ms else 1.0
    if not 0.8 <= share <= 1.2:
        timing = _warned(
            timing,
            f"The layers add up to {times.sum_ms:.3f} ms, the whole takes {stats.median_ms:.3f} ms: read layer times"
            " as shares (asking for them costs, and what lies between layers is in none).",
        )
    return timing


def _layer_pass(record: Record, engine: Engine, feeds: Sequence[Feed]) -> LayerTimes:
    ids = tuple(layer.id for layer in engine.graph.walk())
    seconds = record.request.timing.seconds * LAYER_SHARE
    start = perf_counter()
    record.emit(LayerNames(record.run.id, ids))

    def on_layers(layers: dict[str, float], count: int, samples: Samples) -> None:
        means = tuple(layers.get(layer, 0.0) for layer in ids)
        if samples:
            _save_samples(record, ids, samples)
        record.emit(Timed(record.run.id, layers_ms=means, iterations=count))
        done = min(int((perf_counter() - start) * 1000), int(seconds * 1000))
        record.progress("layers", done, int(seconds * 1000), f"{count} iterations")

    with engine.runner(layers=True) as runner:
        return measure_layers(runner, feeds, seconds, on_layers, record.cancelled)


def _save_samples(record: Record, ids: Sequence[str], samples: Samples) -> None:
    """An array [inferences, layers] in the order of `LayerNames`, NaN where a layer tells none; whole at any moment."""
    most = max(len(times) for times in samples.values())
    table = np.full((most, len(ids)), np.nan, dtype=np.float32)
    for column, layer in enumerate(ids):
        if (times := samples.get(layer)) is not None:
            table[: len(times), column] = times
    with written_whole(record.folder / LAYER_SAMPLES_FILE) as file:
        np.save(file, table)


def _warned(timing: Timing, text: str) -> Timing:
    return msgspec.structs.replace(timing, warnings=(*timing.warnings, text))
