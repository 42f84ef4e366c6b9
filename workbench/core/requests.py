"""Every kind of job that a child process can be asked for, and what comes back."""

from __future__ import annotations

from typing import TypeAlias

from workbench.core.calibration_report import Calibrated, CalibrateRequest
from workbench.core.ceilings import CeilingsRequest, MeasuredCeilings
from workbench.core.exporting import Exported, ExportRequest
from workbench.core.free_batch import FreeBatchRequest, FreedBatch
from workbench.core.importing import Imported, ImportRequest
from workbench.core.profile_memory import ProfileMemory, ProfileMemoryRequest
from workbench.core.replanning import Replanned, ReplanRequest
from workbench.core.run import Race, RaceRequest, Run, RunRequest
from workbench.core.search import Search, SearchRequest
from workbench.core.sensitivity import Culprits, CulpritsRequest
from workbench.core.sweep import Sweep, SweepRequest
from workbench.core.tuning import TuneRequest, Tuning

AnyRequest: TypeAlias = (
    RunRequest
    | RaceRequest
    | TuneRequest
    | CalibrateRequest
    | ExportRequest
    | ImportRequest
    | CeilingsRequest
    | ReplanRequest
    | SearchRequest
    | CulpritsRequest
    | SweepRequest
    | FreeBatchRequest
    | ProfileMemoryRequest
)
"""Told apart by their tags. Each has the `id` of the job and the `folder` that is its own."""

AnyResult: TypeAlias = (
    Sweep
    | Run
    | Race
    | Tuning
    | Calibrated
    | Exported
    | Imported
    | MeasuredCeilings
    | Replanned
    | Search
    | Culprits
    | FreedBatch
    | ProfileMemory
)
"""Each has the `id` of its request, and `error` where it came to no end. All but `Run` can be made of these two."""
