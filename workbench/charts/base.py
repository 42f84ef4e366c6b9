"""What every chart is: a widget that is given values and draws them. It never asks anybody for anything."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from workbench.core.calibration_report import CalibrationReport
from workbench.core.events import Checked
from workbench.core.graph import Layer
from workbench.core.layer_errors import LayerErrors
from workbench.core.memory_plan import MemoryPlan
from workbench.core.precision import CalibrationMethod
from workbench.core.roofline import Roofline
from workbench.core.run import Run
from workbench.core.search import Search
from workbench.core.theme import Theme
from workbench.core.waterfall import Waterfall


@dataclass(frozen=True)
class Series:
    """One run's values. Arrays may be longer at the next call; `layers` and `layer_ms` go together by index."""

    run: Run
    title: str
    is_live: bool = False
    layers: tuple[Layer, ...] = ()
    layer_ms: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    latencies_ms: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    iterations: int = 0
    checked: tuple[Checked, ...] = ()
    errors: LayerErrors | None = None
    samples: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)  # ms of single inferences by layer id
    blocks: Mapping[str, str] = field(default_factory=dict)  # the innermost group of the model, by layer id


@dataclass(frozen=True)
class ChartData:
    """Runs to draw, the current one first; the selected engine layers of the current run and source nodes, by id.

    `calibration` is what is known of ranges; `method` the one that the plan has. `waterfall` leads from the run whose
    title is `first` to the current one. `memory` are the plans of the source graph and of the current run's engine.
    `roofline` is the current run's; where there is none `no_roofline` says why, and `can_measure` whether measuring
    this machine would help. `gpus` are those its engine was built for, `gpu` the one whose datasheet is the roof.
    `search` is what a search for the best plan has found, `point` the id of its point that is chosen, `without` those
    that differ from it in one decision.
    """

    series: tuple[Series, ...] = ()
    selected: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    calibration: CalibrationReport | None = None
    method: CalibrationMethod = CalibrationMethod.MSE
    waterfall: Waterfall | None = None
    first: str = ""
    memory: tuple[MemoryPlan, MemoryPlan] | None = None
    search: Search | None = None
    point: int | None = None
    without: tuple[int, ...] = ()
    roofline: Roofline | None = None
    no_roofline: str = ""
    can_measure: bool = False
    gpus: tuple[str, ...] = ()
    gpu: str = ""


class Chart(QWidget):
    """Base of all charts. A chart's module has one class `CHART` with a title and an order of its tab."""

    title: str = ""
    order: int = 100
    layer_clicked = Signal(str)  # an engine layer's id, of the current run
    layers_clicked = Signal(object)  # tuple of engine layers' ids
    nodes_clicked = Signal(object)  # tuple of source nodes' ids
    blocks_clicked = Signal(object)  # tuple of BlockStep
    point_clicked = Signal(int)  # of the search for the best plan
    limit_moved = Signal(object)  # Limit
    subtitle_changed = Signal(str)  # what stands small and grey beside the title

    def set_data(self, data: ChartData) -> None:
        """Draw this. Called at 10 Hz at most."""
        raise NotImplementedError

    def set_theme(self, theme: Theme) -> None:
        """Colours from now on."""
        raise NotImplementedError

    def csv(self) -> str:
        """What is drawn, as CSV with a header line."""
        raise NotImplementedError


def find_charts() -> list[type[Chart]]:
    """Every chart of this folder, by being there, in the order of their tabs."""
    names = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = [importlib.import_module(f"workbench.charts.{name}") for name in names if name != "base"]
    found = [module.CHART for module in modules if hasattr(module, "CHART")]
    return sorted(found, key=lambda chart: (chart.order, chart.title))
