"""The scorer of a task: every metric is a file in `metrics/`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from workbench.core.recipe import Task, TaskKind
from workbench.measure import metrics
from workbench.measure.metrics.base import Scorer


def find_metrics() -> dict[TaskKind, type[Scorer]]:
    """Every metric, by being there."""
    names = [m.name for m in pkgutil.iter_modules(metrics.__path__) if m.name != "base"]
    modules = [importlib.import_module(f"{metrics.__name__}.{name}") for name in sorted(names)]
    return {module.METRIC.kind: module.METRIC for module in modules}


def make_scorer(task: Task | None, metadata: Mapping[str, str], allowed_code: str = "") -> Scorer | None:
    """The scorer of a task, or None without one. `allowed_code` is the SHA-256 of code that may run.

    Raises WorkbenchError where the model lacks what the task needs, or code is not allowed.
    """
    return None if task is None else find_metrics()[task.kind](task, metadata, allowed_code)
