"""Events: the only things a worker ever says. Each carries its run's id."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from workbench.core.layer_errors import CheckedTensor, LayerFigures
from workbench.core.run import Status
from workbench.core.search import Search
from workbench.core.sensitivity import Culprits
from workbench.core.tuning import Trial


class Event(msgspec.Struct, frozen=True, tag_field="event"):
    run: str


class Progress(Event, frozen=True, tag="progress"):
    """`phase` is one of open, plan, calibrate, build, time, measure, layers, accuracy, errors. `total` 0: not known.

    `inner` are the engine's own phases within it, outermost first; `done` and `total` are those of the innermost.
    """

    phase: str
    done: int = 0
    total: int = 0
    text: str = ""
    inner: tuple[str, ...] = ()


class Resident(Event, frozen=True, tag="resident"):
    """Memory of the job's process in bytes, a few times a second; said by whoever watches it."""

    rss_bytes: int


class LogLine(Event, frozen=True, tag="log"):
    text: str
    level: str = "info"  # debug, info, warning, error


class LayerNames(Event, frozen=True, tag="layer_names"):
    """Sent once, before the first `Timed` with layer times: the layer ids in the order of the arrays."""

    ids: tuple[str, ...]


class Timed(Event, frozen=True, tag="timed"):
    """New latencies since the last event, and where a layer pass runs the mean ms per layer so far."""

    latencies_ms: tuple[float, ...] = ()
    layers_ms: tuple[float, ...] = ()
    iterations: int = 0


class Checked(Event, frozen=True, tag="checked"):
    """Accuracy so far: `value` is the task metric (None without a task), with its interval."""

    done: int
    total: int
    sqnr_db: float
    metric: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    is_share: bool = True


class LayersListed(Event, frozen=True, tag="layers_listed"):
    """Sent once, before the first `LayersChecked`: the tensors that figures will be told of, in execution order."""

    source: str
    asked: int
    tensors: tuple[CheckedTensor, ...]


class LayersChecked(Event, frozen=True, tag="layers_checked"):
    """New figures of `tensors[first : first + len(figures)]`; `samples` have been through every layer so far."""

    samples: int
    first: int
    figures: tuple[LayerFigures | None, ...]


class Tried(Event, frozen=True, tag="tried"):
    """Options that a search has timed, or has put out; the same ones again where they went on with more rounds."""

    trial: Trial


class Searched(Event, frozen=True, tag="searched"):
    """Everything that a search for the best plan knows now; it is on disk."""

    search: Search


class Ranked(Event, frozen=True, tag="ranked"):
    """What a search for culprits knows so far, all of it."""

    culprits: Culprits


class Changed(Event, frozen=True, tag="changed"):
    """A part of the run is on disk now: status, build, timing or accuracy (read `run.json`), or layers (their file)."""

    part: str
    status: Status


AnyEvent: TypeAlias = (
    Progress
    | Resident
    | LogLine
    | LayerNames
    | Timed
    | Checked
    | LayersListed
    | LayersChecked
    | Tried
    | Searched
    | Ranked
    | Changed
)
