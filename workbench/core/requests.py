"""Every kind of job that a child process can be asked for, and what comes back."""

from __future__ import annotations

from typing import TypeAlias

from workbench.core.calibration_report import Calibrated, CalibrateRequest
from workbench.core.exporting import Exported, ExportRequest
from workbench.core.importing import Imported, ImportRequest
from workbench.core.run import Race, RaceRequest, Run, RunRequest
from workbench.core.tuning import TuneRequest, Tuning

AnyRequest: TypeAlias = RunRequest | RaceRequest | TuneRequest | CalibrateRequest | ExportRequest | ImportRequest
"""Told apart by their tags. Each has the `id` of the job and the `folder` that is its own."""

AnyResult: TypeAlias = Run | Race | Tuning | Calibrated | Exported | Imported
"""Each has the `id` of its request, and `error` where it came to no end. All but `Run` can be made of these two."""
