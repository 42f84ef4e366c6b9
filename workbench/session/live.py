"""What a running job has told so far. Lives in the UI thread; written by one timer tick, read by the views."""

from __future__ import annotations

import time
from collections import deque

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.core.events import (
    AnyEvent,
    Changed,
    Checked,
    LayerNames,
    LayersChecked,
    LayersListed,
    LogLine,
    Progress,
    Ranked,
    Resident,
    Searched,
    Timed,
    Tried,
)
from workbench.core.layer_errors import LayerErrors
from workbench.core.search import Search
from workbench.core.sensitivity import Culprits
from workbench.core.stages import Stage, StageClock
from workbench.core.tuning import Trial, options_words

LOG_LINES = 5000
_EMPTY: NDArray[np.float64] = np.empty(0)


class LiveRun:
    """Buffers of one run: latencies in ms, mean ms per layer, accuracy and errors of layers so far, phase and log."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.progress = Progress(run=run_id, phase="")
        self.begin()
        self.layer_ids: tuple[str, ...] = ()
        self.layer_ms: NDArray[np.float64] = _EMPTY
        self.iterations = 0
        self.checked: list[Checked] = []
        self.log: deque[LogLine] = deque(maxlen=LOG_LINES)
        self.layer_errors: LayerErrors | None = None
        self.trials: dict[str, Trial] = {}  # of a search, by its options in words
        self.search: Search | None = None  # of a search for the best plan: all it knows
        self.culprits: Culprits | None = None  # of a search for culprits: all it knows
        self._latencies: list[float] = []
        self._array: NDArray[np.float64] = _EMPTY

    @property
    def latencies_ms(self) -> NDArray[np.float64]:
        """All latencies so far, in order."""
        if len(self._array) != len(self._latencies):
            self._array = np.asarray(self._latencies, dtype=np.float64)
        return self._array

    @property
    def elapsed_s(self) -> float:
        return (self._ended or time.monotonic()) - self.started

    def begin(self) -> None:
        """The job leaves the queue now."""
        self.started = time.monotonic()
        self._ended: float | None = None
        self._clock = StageClock(self.started)
        self.rss_bytes = self.peak_rss_bytes = 0

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Where its time went so far; `at` is where it is."""
        return self._clock.stages(self._ended or time.monotonic())

    def end(self) -> None:
        """The job has ended: its clock stands."""
        self._ended = time.monotonic()

    @property
    def at(self) -> tuple[str, ...]:
        return self._clock.path

    def apply(self, event: AnyEvent) -> None:
        match event:
            case Progress():
                self.progress = event
                self._clock.enter((event.phase, *event.inner), time.monotonic())
            case Resident():
                self.rss_bytes = event.rss_bytes
                self.peak_rss_bytes = max(self.peak_rss_bytes, event.rss_bytes)
            case LogLine():
                self.log.append(event)
            case LayerNames():
                self.layer_ids = event.ids
            case Timed():
                self._time(event)
            case Checked():
                self.checked.append(event)
            case LayersListed():
                nothing = (None,) * len(event.tensors)
                self.layer_errors = LayerErrors(event.source, event.asked, 0, event.tensors, nothing)
            case LayersChecked():
                self._check_layers(event)
            case Tried():
                self.trials[options_words(event.trial.options)] = event.trial
            case Searched():
                self.search = event.search
            case Ranked():
                self.culprits = event.culprits
            case Changed():
                pass  # the session reads run.json again

    def _check_layers(self, event: LayersChecked) -> None:
        if (known := self.layer_errors) is not None:
            figures = list(known.figures)
            figures[event.first : event.first + len(event.figures)] = event.figures
            self.layer_errors = msgspec.structs.replace(known, samples=event.samples, figures=tuple(figures))

    def _time(self, event: Timed) -> None:
        self._latencies.extend(event.latencies_ms)
        if event.layers_ms and len(event.layers_ms) == len(self.layer_ids):
            self.layer_ms = np.asarray(event.layers_ms, dtype=np.float64)
        self.iterations = max(self.iterations, event.iterations)
