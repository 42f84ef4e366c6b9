"""Verbs: run one configuration end to end, race, compare, report. No thread, no Qt.

The verbs are imported at first use, because whoever only supervises a run (`jobs`) needs no engine and no ONNX.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.pipeline.ceilings import measure_ceilings
    from workbench.pipeline.comparing import CompareRequest, Comparison, compare
    from workbench.pipeline.culprits import find_culprits
    from workbench.pipeline.documents import comparison_document, run_document
    from workbench.pipeline.exporting import export
    from workbench.pipeline.free_batch import free_batch_of
    from workbench.pipeline.importing import import_run
    from workbench.pipeline.observing import calibrate
    from workbench.pipeline.profile_memory import profile_memory
    from workbench.pipeline.racing import race
    from workbench.pipeline.record import new_run
    from workbench.pipeline.replanning import replan
    from workbench.pipeline.reporting import write_report
    from workbench.pipeline.running import run
    from workbench.pipeline.searching import search
    from workbench.pipeline.sweeping import sweep
    from workbench.pipeline.table import comparison_table
    from workbench.pipeline.tuning import tune

_HOMES = {
    "Comparison": "comparing",
    "CompareRequest": "comparing",
    "calibrate": "observing",
    "export": "exporting",
    "import_run": "importing",
    "compare": "comparing",
    "comparison_document": "documents",
    "run_document": "documents",
    "find_culprits": "culprits",
    "free_batch_of": "free_batch",
    "profile_memory": "profile_memory",
    "measure_ceilings": "ceilings",
    "race": "racing",
    "replan": "replanning",
    "new_run": "record",
    "write_report": "reporting",
    "run": "running",
    "search": "searching",
    "sweep": "sweeping",
    "comparison_table": "table",
    "tune": "tuning",
}

__all__ = [
    "CompareRequest",
    "Comparison",
    "calibrate",
    "compare",
    "comparison_document",
    "comparison_table",
    "export",
    "find_culprits",
    "free_batch_of",
    "import_run",
    "measure_ceilings",
    "new_run",
    "profile_memory",
    "race",
    "replan",
    "run",
    "run_document",
    "search",
    "sweep",
    "tune",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
