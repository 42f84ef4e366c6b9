"""Per-layer times out of ONNX Runtime, whose profiler speaks once, when a session ends: sessions in short rounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from workbench.backends.base import Feed
from workbench.backends.onnxruntime.devices import providers
from workbench.backends.onnxruntime.package import bound, session

_SUFFIX = "_kernel_time"
_ROUND_S = 0.3
_ROUND_EVENTS = 20_000


class _Arguments(msgspec.Struct, frozen=True):
    parent_name: str = ""  # of a kernel on a GPU: the event of the node that started it


class _Event(msgspec.Struct):
    cat: str
    name: str
    dur: int = 0
    args: _Arguments = _Arguments()


class Profiler:
    """Runs the executed graph (nodes named by layer id) and adds up the times of its nodes.

    A round ends when it has taken 0.3 s and as long as a new session takes, or has 20,000 events (its file holds
    1 kB each). Times of a control-flow node do not count those of its bodies. `folder` takes the files. On a GPU the
    time of a node is that of its kernels: its own ends when they are started.
    """

    def __init__(
        self,
        model: Path,
        folder: Path,
        threads: int,
        bodies: Mapping[str, str],
        layers: int,
        *,
        device: str,
        tuned: Mapping[str, str],
    ) -> None:
        self._model, self._folder, self._threads = model, folder, threads
        self._holder_of = bodies
        self._providers, self._tuned = providers(device), tuned
        self._layers = max(1, layers)
        self._totals_us: dict[str, int] = {}
        self._single: dict[str, list[float]] = {}
        self._runs = 0
        self._feed: Feed = {}
        self._infer: Callable[[], Any] | None = None
        self._open()

    def _open(self) -> None:
        self._infer = None
        started = time.perf_counter()
        prefix = self._folder / "profile"
        self._session: Any = session(
            str(self._model),
            optimize=False,
            threads=self._threads,
            profile=prefix,
            tuned=self._tuned,
            providers=self._providers,
        )
        self._cost_s = time.perf_counter() - started
        self._new_runs, self._busy_s = 0, 0.0

    def bind(self, feed: Feed) -> None:
        """The inputs of the inferences that follow."""
        self._feed, self._infer = feed, None

    def run(self) -> float:
        """One inference; milliseconds of wall clock, with the profiler's own cost in them."""
        if self._new_runs * self._layers >= _ROUND_EVENTS:
            self._harvest()
        if self._infer is None:
            self._infer = bound(self._session, self._feed)
        started = time.perf_counter()
        self._infer()
        took = time.perf_counter() - started
        self._new_runs += 1
        self._busy_s += took
        return took * 1000

    def means(self) -> dict[str, float]:
        """Mean ms per layer id over the rounds that have ended, and over the first at once."""
        is_due = self._busy_s >= max(_ROUND_S, self._cost_s)
        if self._new_runs and (is_due or not self._runs):
            self._harvest()
        return {layer: max(0, total) / self._runs / 1000 for layer, total in self._totals_us.items()}

    def singles(self) -> dict[str, list[float]]:
        """Ms of every inference of the rounds that ended since the last call, in order; of a graph without bodies,
        whose times would be counted twice."""
        found, self._single = self._single, {}
        return found

    def close(self) -> None:
        Path(self._session.end_profiling()).unlink(missing_ok=True)
        self._session = self._infer = None

    def _harvest(self) -> None:
        path = Path(self._session.end_profiling())
        events = msgspec.json.decode(path.read_bytes(), type=list[_Event])
        path.unlink(missing_ok=True)
        round_us = times_of(events)
        for layer, durations in round_us.items():
            self._add(layer, sum(durations))
            if len(durations) == self._new_runs and not self._holder_of:
                self._single.setdefault(layer, []).extend(us / 1000 for us in durations)
        self._runs += self._new_runs
        self._open()

    def _add(self, layer: str, microseconds: int) -> None:
        self._totals_us[layer] = self._totals_us.get(layer, 0) + microseconds
        if holder := self._holder_of.get(layer):
            self._totals_us[holder] = self._totals_us.get(holder, 0) - microseconds


def times_of(events: Iterable[_Event]) -> dict[str, list[int]]:
    """Microseconds by layer, one for each time it ran; of a layer on a GPU the sum over its kernels instead."""
    nodes: dict[str, list[int]] = {}
    kernels: dict[str, int] = {}
    for event in events:
        if event.cat == "Node" and event.name.endswith(_SUFFIX):
            nodes.setdefault(event.name.removesuffix(_SUFFIX), []).append(event.dur)
        elif event.cat == "Kernel" and event.args.parent_name.endswith(_SUFFIX):
            layer = event.args.parent_name.removesuffix(_SUFFIX)
            kernels[layer] = kernels.get(layer, 0) + event.dur
    return nodes | {layer: [total] for layer, total in kernels.items()}
