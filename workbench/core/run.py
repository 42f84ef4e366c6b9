"""A run: one row of every comparison, with what was asked, built, timed and checked."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.costs import Cost
from workbench.core.graph import Fate, Graph
from workbench.core.model import Shape
from workbench.core.precision import PrecisionPlan
from workbench.core.profile import OptimizationProfile
from workbench.core.recipe import Recipe


class BuildConfig(msgspec.Struct, frozen=True):
    """What is asked of a backend. `target` names GPUs (`sm89`, several by comma) where a backend builds for one.

    `optimize` False asks for the source graph node by node (ONNX Runtime only): the honest "before". `tuned` takes the
    options that a search found for this content on this machine, where one has.
    """

    backend: str = "openvino"
    plan: PrecisionPlan = PrecisionPlan()
    shapes: dict[str, Shape] = {}
    profiles: tuple[OptimizationProfile, ...] = ()
    target: str = ""
    threads: int = 0  # 0: all physical cores; with several streams those of each
    streams: int = 1  # inferences at work at once
    optimize: bool = True
    options: dict[str, str] = {}
    tuned: bool = False


class TimingConfig(msgspec.Struct, frozen=True):
    """The protocol: warm up, show `live_seconds` of inferences as they happen, then measure in silence.

    The reported phase lasts until both `seconds` and `min_iterations` are reached; nobody is told of it and nothing is
    drawn meanwhile, since drawing disturbs what it shows.
    """

    warmup_ms: float = 200.0
    warmup_iterations: int = 10
    live_seconds: float = 1.0
    seconds: float = 3.0
    min_iterations: int = 10
    loaded: bool = False  # throughput is measured also where there is one stream, as with several
    layers: bool = True


class RunRequest(msgspec.Struct, frozen=True, tag="run"):
    """Everything one run needs. The child process is given exactly this, as JSON.

    `calibration` and `evaluation` are paths of sample sets, or `random`; empty: none. `folder` is the run's own.
    """

    id: str
    folder: str
    model_path: str
    config: BuildConfig
    recipe: Recipe = Recipe()
    calibration: str = ""
    evaluation: str = ""
    evaluation_limit: int = 0  # 0: all
    allowed_code: str = ""  # SHA-256 of the Python file of the task that its user allowed to run
    layer_samples: int = 0  # of the evaluation set, for the error of each layer; 0: none
    timing: TimingConfig = TimingConfig()
    rebuild: bool = False  # an engine that was built before is not taken


class RaceRequest(msgspec.Struct, frozen=True, tag="race"):
    """Engines of several finished runs, timed interleaved (A B B A) in one child process. The first is the baseline.

    `runs` are the requests the runs were made from; their folders hold the typed models. `folder` is the race's own.
    """

    id: str
    folder: str
    runs: tuple[RunRequest, ...]
    seconds: float = 12.0  # at most; over as soon as all is decided


class Status(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"  # the program died while it ran

    @property
    def is_final(self) -> bool:
        return self not in (Status.WAITING, Status.RUNNING)


class EngineGraph(msgspec.Struct, frozen=True):
    """`graph.json` of a run: the engine's graph and the fate of every source node, by id.

    `sizes`: bytes of every output of each *source* node at the run's input shapes, 0 where that cannot be known.
    `costs`: what each source node costs at these shapes.
    """

    graph: Graph
    fates: dict[str, Fate]
    sizes: dict[str, tuple[int, ...]] = {}
    costs: dict[str, Cost] = {}


class Reuse(msgspec.Struct, frozen=True):
    """An engine that was found instead of built: the run that built it, when (ISO 8601, UTC), in how many seconds."""

    run: str
    built: str
    seconds: float


class Build(msgspec.Struct, frozen=True):
    """What the backend gave. The graph lies beside it in the run's folder (`EngineGraph`).

    `precisions` counts compute layers by the precision that ran; `asked` counts source nodes by what the plan asked.
    `memory` holds named bytes (`weights`, `activations` ...), the engine's own where it tells. `plan` is the memory
    plan of its graph: `peak` of buffers alive at once, `pool` that they share, `sum` without sharing, `ends` (inputs
    and outputs). `notes` say what differs from what was asked.
    """

    seconds: float
    layers: int
    source_nodes: int
    mapped: int  # source nodes with a known fate
    mapped_exact: int
    size_bytes: int
    memory: dict[str, int] = {}
    plan: dict[str, int] = {}
    precisions: dict[str, int] = {}
    asked: dict[str, int] = {}
    phases: dict[str, float] = {}  # seconds
    notes: tuple[str, ...] = ()
    artefact: str = ""  # file name in the run's folder
    versions: dict[str, str] = {}
    tuned: dict[str, str] = {}  # options that a search found and that this engine was built with
    reused: Reuse | None = None  # it was built before, by another run; `seconds` are those of this run
    peak_rss_bytes: int = 0  # of the process, up to the end of the build


NOISY_COV_PERCENT = 2.5
"""Coefficient of variation above which trtexec warns; so do we, that users recognise it."""


LEAST_FOR_AN_INTERVAL = 6
"""Fewer values give no 95 % interval of a median: 1 - 2 * 0.5**5 is 93.75 %, 1 - 2 * 0.5**6 is 96.9 %."""


class LatencyStats(msgspec.Struct, frozen=True):
    """Milliseconds. The interval is the 95 % interval of the median by order statistics; cov is in per cent."""

    median_ms: float
    low_ms: float
    high_ms: float
    mean_ms: float
    min_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    cov_percent: float
    iterations: int

    @property
    def is_noisy(self) -> bool:
        """Varies more than trtexec takes for steady."""
        return self.cov_percent > NOISY_COV_PERCENT

    @property
    def is_sure(self) -> bool:
        """Enough inferences for a 95 % interval of their median; of fewer nobody knows how they vary."""
        return self.iterations >= LEAST_FOR_AN_INTERVAL

    @property
    def noise(self) -> str:
        """`noisy` or `steady`; `too few to tell`."""
        return ("noisy" if self.is_noisy else "steady") if self.is_sure else "too few to tell"


class Throughput(msgspec.Struct, frozen=True):
    """Inferences a second with all `streams` at work all the time, with the 95 % interval over their durations."""

    per_second: float
    low: float
    high: float
    streams: int = 1


class Timing(msgspec.Struct, frozen=True):
    """Measured latency, or the reason there is none. `layers` are ms per layer id, from a separate pass:
    medians where the engine tells single inferences, else means less what interruptions added. `layers_latency_ms` is
    the median latency of the whole in that pass; 0 where it is not known.

    `machine` names CPU, threads, load and versions at the time, clocks and temperatures right after. `samples_file` is
    a .npy of latencies in ms. `memory` are bytes that inference really took (`measure.footprint`). `shapes` are those
    of the inputs that were timed.
    """

    stats: LatencyStats | None = None
    reason: str = ""
    layers: dict[str, float] = {}
    layers_sum_ms: float = 0.0
    layers_iterations: int = 0
    layers_latency_ms: float = 0.0
    protocol: str = ""
    machine: dict[str, str] = {}
    warnings: tuple[str, ...] = ()
    samples_file: str = ""
    memory: dict[str, int] = {}
    throughput: Throughput | None = None
    shapes: dict[str, Shape] = {}

    @property
    def streams(self) -> int:
        """Inferences at work at once while it was measured."""
        return self.throughput.streams if self.throughput is not None else 1

    def is_like(self, other: Timing) -> bool:
        """Whether both are of inputs of the same shapes, as far as is known: else one is not faster than the other."""
        return not self.shapes or not other.shapes or self.shapes == other.shapes


class OutputError(msgspec.Struct, frozen=True):
    """How far an output is from the FP32 reference, over all samples. `sqnr_db` is capped at 200 (equal bits).

    `agreement` is the share of equal values of an output that is no float (class numbers, flags): there it counts.
    """

    cosine: float
    sqnr_db: float
    max_abs: float
    agreement: float | None = None


class TaskResult(msgspec.Struct, frozen=True):
    """A task metric with its 95 % interval: Wilson's for shares in 0..1, else the bootstrap's. `extra` holds more
    (`cer`, `top5`). `is_share` False: a number with a unit of its own. `is_error`: the smaller the better.
    """

    metric: str
    value: float
    n: int
    low: float
    high: float
    reference: float | None = None  # the same metric of the FP32 reference
    agreement: float | None = None  # share of samples where both give the same answer
    extra: dict[str, float] = {}
    is_share: bool = True
    is_error: bool = False

    def words(self, value: float) -> str:
        """`98.0 %`, or the plain number of a metric that is no share."""
        return f"{100 * value:.1f} %" if self.is_share else f"{value:.4g}"

    @property
    def interval(self) -> str:
        """`93.0–99.4 %`"""
        if self.is_share:
            return f"{100 * self.low:.1f}–{100 * self.high:.1f} %"
        return f"{self.low:.4g}–{self.high:.4g}"


PART_DB = 6.0


class SimulatorCheck(msgspec.Struct, frozen=True):
    """Worst output against the reference, on the same `samples`: of the engine, and of its typed ONNX computed exactly.

    Where they part, the engine computes something else than is written.
    """

    samples: int
    engine_db: float
    simulator_db: float

    @property
    def parts(self) -> bool:
        """By more than 6 dB, a factor of two in the size of the error."""
        return abs(self.engine_db - self.simulator_db) > PART_DB


class Accuracy(msgspec.Struct, frozen=True):
    """Outputs of the real engine against ONNX Runtime in FP32, optimisations off, and the task metric."""

    reference: str
    samples: int
    source: str  # name of the sample set; `random` is said loudly
    outputs: dict[str, OutputError] = {}
    task: TaskResult | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()
    simulator: SimulatorCheck | None = None

    @property
    def worst_sqnr_db(self) -> float | None:
        """The lowest of the outputs that are floats; None where there are none."""
        return min((o.sqnr_db for o in self.outputs.values() if o.agreement is None), default=None)


class RunError(msgspec.Struct, frozen=True):
    message: str
    hint: str = ""
    detail: str = ""  # traceback or log tail, for the log view only


class Run(msgspec.Struct, frozen=True):
    """One row. `run.json` in the run's folder is this value."""

    id: str
    model: str  # path
    model_sha256: str
    model_name: str
    config: BuildConfig
    status: Status
    created: str  # ISO 8601, UTC
    calibration: str = ""
    evaluation: str = ""
    seconds: float = 0.0
    build: Build | None = None
    timing: Timing | None = None
    accuracy: Accuracy | None = None
    error: RunError | None = None
    label: str = ""  # given by the user
    imported: tuple[str, ...] = ()  # names of the files it was read from; of a run made here: none

    @property
    def shapes(self) -> dict[str, Shape]:
        """Of the inputs: as they were timed, else as far as they were asked for."""
        return self.timing.shapes if self.timing is not None and self.timing.shapes else self.config.shapes

    @property
    def precision(self) -> str:
        """The plan in a word: its default, and `+` if rules change it."""
        plan = self.config.plan
        return plan.default.value + ("+" if plan.rules else "")


class RaceEntry(msgspec.Struct, frozen=True):
    """One runner of a race. `speedup` is baseline time / own time over paired rounds, with its 95 % interval."""

    run: str
    median_ms: float
    speedup: float
    low: float
    high: float
    verdict: str  # "faster by 6 % ± 2 %", "slower by ...", "no difference larger than 1.4 % seen", "baseline"


class Race(msgspec.Struct, frozen=True):
    """`race.json` in the race's folder."""

    id: str
    entries: tuple[RaceEntry, ...] = ()
    rounds: int = 0
    protocol: str = ""
    machine: dict[str, str] = {}
    error: RunError | None = None
