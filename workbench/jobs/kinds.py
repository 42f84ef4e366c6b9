"""The kinds of jobs: which file of its folder holds the result of a request, and which verb carries it out."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from workbench.core.calibration_report import Calibrated, CalibrateRequest
from workbench.core.ceilings import CeilingsRequest, MeasuredCeilings
from workbench.core.events import AnyEvent
from workbench.core.exporting import Exported, ExportRequest
from workbench.core.free_batch import FreeBatchRequest, FreedBatch
from workbench.core.importing import Imported, ImportRequest
from workbench.core.profile_memory import ProfileMemory, ProfileMemoryRequest
from workbench.core.replanning import Replanned, ReplanRequest
from workbench.core.requests import AnyRequest, AnyResult
from workbench.core.run import Race, RaceRequest, Run, RunRequest
from workbench.core.search import Search, SearchRequest
from workbench.core.sensitivity import Culprits, CulpritsRequest
from workbench.core.sweep import Sweep, SweepRequest
from workbench.core.tuning import TuneRequest, Tuning
from workbench.pipeline.files import (
    CALIBRATED_FILE,
    CEILINGS_FILE,
    CULPRITS_FILE,
    EXPORTED_FILE,
    FREED_FILE,
    IMPORTED_FILE,
    PROFILE_MEMORY_FILE,
    RACE_FILE,
    REPLANNED_FILE,
    RUN_FILE,
    SEARCH_FILE,
    SWEEP_FILE,
    TUNING_FILE,
)

Verb = Callable[..., AnyResult]


class Kind(msgspec.Struct, frozen=True):
    """`verb` names a function of `workbench.pipeline`: (request, emit, cancelled) -> result."""

    result: type[AnyResult]
    file: str
    verb: str


_KINDS: dict[type, Kind] = {
    FreeBatchRequest: Kind(FreedBatch, FREED_FILE, "free_batch_of"),
    ProfileMemoryRequest: Kind(ProfileMemory, PROFILE_MEMORY_FILE, "profile_memory"),
    RunRequest: Kind(Run, RUN_FILE, "run"),
    RaceRequest: Kind(Race, RACE_FILE, "race"),
    CalibrateRequest: Kind(Calibrated, CALIBRATED_FILE, "calibrate"),
    ExportRequest: Kind(Exported, EXPORTED_FILE, "export"),
    ImportRequest: Kind(Imported, IMPORTED_FILE, "import_run"),
    SearchRequest: Kind(Search, SEARCH_FILE, "search"),
    CulpritsRequest: Kind(Culprits, CULPRITS_FILE, "find_culprits"),
    SweepRequest: Kind(Sweep, SWEEP_FILE, "sweep"),
    TuneRequest: Kind(Tuning, TUNING_FILE, "tune"),
    CeilingsRequest: Kind(MeasuredCeilings, CEILINGS_FILE, "measure_ceilings"),
    ReplanRequest: Kind(Replanned, REPLANNED_FILE, "replan"),
}


def kind_of(request: AnyRequest) -> Kind:
    return _KINDS[type(request)]


def carry_out(request: AnyRequest, emit: Callable[[AnyEvent], None], cancelled: Callable[[], bool]) -> AnyResult:
    """The job itself, in this process."""
    from workbench import pipeline  # here: a parent that only supervises needs no engine and no ONNX

    verb: Verb = getattr(pipeline, kind_of(request).verb)
    return verb(request, emit, cancelled)
