"""Sensitivity: which layers cost the accuracy of a plan, every figure by a plan that was measured."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from workbench.core.layer_errors import LOST_DB
from workbench.core.run import RunError, RunRequest, TaskResult


class Evaluation(msgspec.Struct, frozen=True):
    """One plan on `samples` of the evaluation set, by the exact simulator, against the FP32 reference.

    `sqnr_db` is the mean over samples of that of the worst output (-200: NaN or infinity where the reference has a
    number; 200: equal bits), `low_db` to `high_db` its 95 % interval by the bootstrap over samples, `sample_db` the
    samples one by one, so that two plans can be compared in pairs. `agreement` counts where no output is a float.
    `task` is the metric of the recipe's task, None without labels. `reason`: why there is no figure.
    """

    samples: int = 0
    sqnr_db: float = LOST_DB
    low_db: float = LOST_DB
    high_db: float = LOST_DB
    sample_db: tuple[float, ...] = ()
    agreement: float | None = None
    task: TaskResult | None = None
    seconds: float = 0.0
    reason: str = ""

    @property
    def noise(self) -> float:
        """Power of the error over power of the signal; of outputs that are no floats the share that differs.

        Of independent errors it adds up, which decibels do not. 1e20: broken.
        """
        if self.agreement is not None:
            return 1.0 - self.agreement
        return float(10.0 ** (-self.sqnr_db / 10.0))

    @property
    def is_broken(self) -> bool:
        """NaN or infinity came out, or nothing at all."""
        return bool(self.reason) or (self.agreement is None and self.sqnr_db <= LOST_DB)


class Granularity(StrEnum):
    """What is exempted as one: a node, or all that stands in one group of the model."""

    LAYER = "layer"
    GROUP = "group"


def suggested_evaluations(layers: int) -> int:
    """Plans to measure for so many layers: few layers are looked at one by one, many halved."""
    return min(2 * layers + 4, 24 + 8 * math.ceil(math.log2(max(layers, 2))))


class CulpritsRequest(msgspec.Struct, frozen=True, tag="culprits"):
    """Which layers cost the accuracy of the plan of `run`, in one child process. `folder` is the job's own.

    Over as soon as `evaluations` plans are measured (0: as many as the number of layers suggests) or `seconds` are up
    (0: no limit). `samples` of the evaluation set are used (0: all). What was measured is kept by content: the same
    request goes on where it was.
    """

    id: str
    folder: str
    run: RunRequest
    evaluations: int = 0
    seconds: float = 0.0
    samples: int = 16
    granularity: Granularity = Granularity.LAYER


class Sensitivity(msgspec.Struct, frozen=True):
    """What one layer (or group) costs, of those that the plan has in a low precision.

    `nodes` are the source nodes' ids, `title` what the user calls it, `precision` what the plan asks of it. `noise` is
    its part of the output's error (power over the signal's power): measured (`alone_db`: the SQNR with only this one
    in low precision), or its share of what the smallest set that holds it was measured at. It lies in `low`..`high`
    (bootstrap over samples where it was measured, else 0 to that of the set). `exempt_db` is the SQNR of the plan with
    only this one exempted, where that was measured. `introduced_db` is the error that it introduces itself, by which
    the search was guided. `evaluations` are measured sets that it was told apart by.
    """

    nodes: tuple[str, ...]
    title: str
    op: str = ""
    precision: str = ""
    noise: float = 0.0
    low: float = 0.0
    high: float = 0.0
    share: float = 0.0  # of the noise of all layers
    alone_db: float | None = None
    exempt_db: float | None = None
    introduced_db: float | None = None
    evaluations: int = 0

    @property
    def is_broken(self) -> bool:
        """Its result is NaN or infinity: nothing else counts beside it."""
        return self.alone_db is not None and self.alone_db <= LOST_DB


class Exemption(msgspec.Struct, frozen=True):
    """The plan with these layers in FP32: measured, never concluded from figures of single layers."""

    nodes: tuple[str, ...]
    layers: int
    evaluation: Evaluation


class Culprits(msgspec.Struct, frozen=True):
    """`culprits.json` of a search, and what it tells while it goes on.

    `plan` is the plan as it is, measured; `layers` are ranked, the worst first; `exemptions` are those measured, by
    their number of layers. `best` names the one to take: the smallest that gets back most of what all exemptions
    together can (its place, -1: none helps). `evaluations` are plans measured of `budget`, `settled` is the share of
    the error that is pinned to single layers.
    """

    id: str
    run: str = ""
    source: str = ""  # name of the sample set
    samples: int = 0
    plan: Evaluation | None = None
    layers: tuple[Sensitivity, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    best: int = -1
    evaluations: int = 0
    budget: int = 0
    seconds: float = 0.0
    settled: float = 0.0
    notes: tuple[str, ...] = ()
    error: RunError | None = None

    @property
    def proposal(self) -> Exemption | None:
        return self.exemptions[self.best] if self.best >= 0 else None
