"""The cells below the graphs: charts that draw while runs measure, the runs table, the build theatre."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QMenu, QSplitter, QWidget

from workbench.charts.base import Chart, ChartData, Series, find_charts
from workbench.charts.roofline import RooflineChart
from workbench.charts.speed_accuracy import SpeedAccuracy
from workbench.core.errors import WorkbenchError
from workbench.core.run import Run
from workbench.core.theme import Theme
from workbench.core.waterfall import BlockStep
from workbench.session.session import Session
from workbench.views.advice_view import AdviceView
from workbench.views.build_view import BuildView
from workbench.views.calibration_panel import CalibrationPanel
from workbench.views.culprits_panel import CulpritsPanel
from workbench.views.differences_view import DifferencesView
from workbench.views.files import ask_where_to_save
from workbench.views.ledger_view import LedgerView
from workbench.views.runs_view import RunsView
from workbench.views.search_panel import SearchPanel
from workbench.views.shapes_view import FootprintView, ShapeChangesView
from workbench.views.sweep_panel import SweepPanel
from workbench.views.tab_cell import TabCell
from workbench.views.tuning_view import TuningView
from workbench.views.widgets import connect_all, menu_item

PANEL = "panel"  # what its action is, for the command palette
FILTERS = "PNG picture (*.png);;SVG drawing (*.svg);;CSV table (*.csv)"


class Bottom(QSplitter):
    """Charts are dealt to the first two cells in turn; what tells of runs and of their builds has the third."""

    def __init__(self, session: Session, runs_menu: QMenu) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setHandleWidth(1)
        self.setChildrenCollapsible(False)
        self._session = session
        self.cells = [TabCell(), TabCell(), TabCell()]
        self.charts: list[Chart] = []
        for index, kind in enumerate(find_charts()):
            self._add_chart(kind(), self.cells[index % 2])
        self._connect_roofline()
        self._add_pages(runs_menu)
        for cell in self.cells:
            cell.setMinimumWidth(200)
            self.addWidget(cell)
        self.setSizes([480, 360, 760])
        news = (session.compared_changed, session.current_changed, session.engine_changed, session.selection_changed)
        more = (session.runs.changed, session.calibrations.changed, session.pair.changed, session.races.ended)
        connect_all(
            (*news, *more, session.rooflines.changed, session.searches.changed, session.searches.chosen_changed),
            self.refresh,
        )
        self.refresh()

    def _add_pages(self, runs_menu: QMenu) -> None:
        """In the order of the work: what was built, what to do about it, what was found, what stands in detail."""
        session, last = self._session, self.cells[2]
        self.runs, self.build, self.advice = RunsView(session, runs_menu), BuildView(session), AdviceView(session)
        self.ledger, self.differences = LedgerView(session), DifferencesView(session)
        self.calibration, self.tuning, self.sweep = CalibrationPanel(session), TuningView(session), SweepPanel(session)
        self.search = SearchPanel(session, self._show_search)
        self.culprits = CulpritsPanel(session, lambda: self._show(last, self.culprits))
        self.footprint, self.shape_changes = FootprintView(session), ShapeChangesView(session)
        last.add("Runs", self.runs, runs_menu)
        last.add("Build", self.build, self.build.menu)
        last.add("Advice", self.advice, self.advice.menu)
        last.add("Fusion", self.ledger, self.ledger.menu)
        last.add("Calibration", self.calibration, self.calibration.menu)
        last.add("Search", self.search, self.search.menu)
        last.add("Culprits", self.culprits, self.culprits.menu)
        last.add("Differences", self.differences, self.differences.menu)
        last.add("Sweep", self.sweep, self.sweep.menu)
        last.add("Tuning", self.tuning, self.tuning.menu)
        last.add("Footprint", self.footprint, self.footprint.menu)
        last.add("Shape changes", self.shape_changes, self.shape_changes.menu)

    def panel_actions(self) -> list[dict[str, QAction]]:
        """Of each page of each cell one that shows it, whether its tab has room or not."""
        every: list[dict[str, QAction]] = []
        for cell in self.cells:
            made: dict[str, QAction] = {}
            for index, tab in enumerate(cell.tabs):
                page = cell.pages.widget(index)
                assert page is not None
                action = made[f"panel_{tab.text()}"] = QAction(tab.text(), self)
                action.setData(PANEL)
                action.triggered.connect(partial(self._show, cell, page))
            every.append(made)
        return every

    def _show(self, cell: TabCell, page: QWidget, _checked: bool = False) -> None:
        self.show()
        cell.show_page(page)

    def shown_titles(self) -> list[str]:
        """Of each cell the page that is seen, to be remembered."""
        return [cell.tabs[cell.pages.currentIndex()].text() for cell in self.cells]

    def show_titles(self, titles: Sequence[object]) -> None:
        """Pages as remembered; a title that no cell has is passed over."""
        for cell in self.cells:
            for index, tab in enumerate(cell.tabs):
                page = cell.pages.widget(index)
                if page is not None and tab.text() in titles:
                    cell.show_page(page)

    def _add_chart(self, chart: Chart, cell: TabCell) -> None:
        self.charts.append(chart)
        chart.layer_clicked.connect(lambda layer: self._session.select_layers([layer]))
        chart.layers_clicked.connect(self._session.select_layers)
        chart.nodes_clicked.connect(self._session.select_nodes)
        chart.blocks_clicked.connect(self._select_blocks)
        chart.point_clicked.connect(self._session.searches.choose)
        chart.limit_moved.connect(self._session.searches.set_limit)
        chart.subtitle_changed.connect(lambda text, c=chart: cell.set_subtitle(c, text))
        cell.add(chart.title, chart)
        cell.shown.connect(self.refresh)
        if cell.menu.isEmpty():
            menu_item(cell.menu, "Save as PNG, SVG or CSV…", lambda: self._ask_save(cell))
            menu_item(cell.menu, "Copy as CSV", lambda: QGuiApplication.clipboard().setText(self._shown(cell).csv()))

    def _connect_roofline(self) -> None:
        for chart in self.charts:
            if isinstance(chart, RooflineChart):
                chart.measure_asked.connect(self._session.rooflines.measure)
                chart.gpu_chosen.connect(self._session.rooflines.choose_gpu)

    def _show_search(self) -> None:
        """Its chart and its page, beside each other."""
        pages = [chart for chart in self.charts if isinstance(chart, SpeedAccuracy)]
        for cell in self.cells:
            for page in (*pages, self.search):
                if cell.pages.indexOf(page) >= 0:
                    self._show(cell, page)

    def _select_blocks(self, blocks: tuple[BlockStep, ...]) -> None:
        sides = ([key for block in blocks for key in getattr(block, side)] for side in ("nodes", "a", "b"))
        self._session.why.select(*sides)

    def _shown(self, cell: TabCell) -> Chart:
        chart = cell.pages.currentWidget()
        assert isinstance(chart, Chart)
        return chart

    def set_theme(self, theme: Theme) -> None:
        for chart in self.charts:
            chart.set_theme(theme)
        self.sweep.set_theme(theme)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        """Draws the charts that can be seen; called at 10 Hz at most while something runs."""
        data = chart_data(self._session)
        for chart in self.charts:
            if chart.isVisibleTo(self):
                chart.set_data(data)

    def _ask_save(self, cell: TabCell) -> None:
        chart = self._shown(cell)
        name = chart.title.lower().replace(" ", "-") + ".png"
        ask_where_to_save(self, f"Save {chart.title.lower()}", name, FILTERS, lambda path: self._save(chart, path))

    def _save(self, chart: Chart, path: str) -> None:
        try:
            save_chart(chart, Path(path))
        except (OSError, WorkbenchError) as error:
            self._session.show_error(WorkbenchError(f"The chart could not be saved: {error}"))


def save_chart(chart: Chart, path: Path) -> None:
    """As PNG at twice the size, SVG or CSV, by the file's suffix. Raises WorkbenchError for any other."""
    match path.suffix.lower():
        case ".csv":
            path.write_text(chart.csv(), "utf-8")
        case ".svg":
            drawing = QSvgGenerator()
            drawing.setFileName(str(path))
            drawing.setSize(chart.size())
            drawing.setViewBox(chart.rect())
            with QPainter(drawing) as painter:
                chart.render(painter, QPoint())
        case ".png":
            picture = QImage(chart.size() * 2, QImage.Format.Format_RGB32)
            picture.setDevicePixelRatio(2)
            with QPainter(picture) as painter:
                chart.render(painter, QPoint())
            if not picture.save(str(path)):
                raise WorkbenchError(f"{path.name} could not be written.")
        case _:
            raise WorkbenchError(
                f"A chart cannot be saved as {path.suffix or 'a file without suffix'}.", "Use .png, .svg or .csv."
            )


def chart_data(session: Session) -> ChartData:
    """The compared runs, the current one first, with what is known of each so far."""
    current = session.current.id if session.current else ""
    ids = dict.fromkeys([current, *session.compared])
    runs = [run for run_id in ids if (run := session.runs.get(run_id)) is not None]
    titles, first = session.runs.titles, session.why.first
    beside = [*runs, first] if first is not None else runs
    ranges, why, selection = session.calibrations, session.why.waterfall, session.selection
    return ChartData(
        series=tuple(_series(session, run, titles.short(run, beside)) for run in runs),
        selected=selection.layers,
        nodes=selection.nodes,
        calibration=ranges.report,
        method=ranges.method,
        waterfall=why,
        memory=session.memory_plans.get(),
        search=session.searches.result,
        point=session.searches.chosen.id if session.searches.chosen is not None else None,
        without=session.searches.without,
        roofline=session.rooflines.get(),
        no_roofline=session.rooflines.reason,
        can_measure=session.rooflines.can_measure,
        gpus=session.rooflines.gpus,
        gpu=session.rooflines.gpu,
        first=titles.short(first, beside) if why is not None and first is not None else "",
    )


def _series(session: Session, run: Run, title: str) -> Series:
    live = session.runs.live.get(run.id)
    engine = session.runs.engine(run.id)
    times = session.runs.layer_ms(run.id)
    layers = tuple(layer for layer in engine.graph.layers if layer.id in times) if engine else ()
    return Series(
        run=run,
        title=title,
        is_live=run.id in session.runs.jobs,
        layers=layers,
        layer_ms=np.asarray([times[layer.id] for layer in layers], dtype=np.float64),
        latencies_ms=session.runs.latencies(run.id),
        iterations=max(run.timing.layers_iterations if run.timing else 0, live.iterations if live else 0),
        checked=tuple(live.checked) if live else (),
        errors=session.runs.layer_errors(run.id),
        samples=session.layer_spreads.samples(run),
        blocks=session.layer_spreads.blocks(run),
    )
