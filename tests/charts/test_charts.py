"""Charts: found by being there, fed with values, drawn in both themes, live and finished."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.charts.ranges import REPORT
from tests.charts.roofs import ROOFLINE
from tests.charts.searches import found
from workbench.charts.base import Chart, ChartData, Series, find_charts
from workbench.core.events import Checked
from workbench.core.graph import Layer, LayerKind
from workbench.core.layer_errors import CheckedTensor, LayerErrors, LayerFigures, TensorError
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import (
    Accuracy,
    Build,
    BuildConfig,
    LatencyStats,
    OutputError,
    Run,
    Status,
    TaskResult,
    Timing,
)
from workbench.core.theme import DARK, LIGHT, Theme
from workbench.core.waterfall import BlockStep, Step, StepKind, Waterfall

STATS = LatencyStats(2.7, 2.6, 2.8, 2.7, 2.5, 2.9, 3.0, 3.3, 1.1, 900)


WATERFALL = Waterfall(
    3.5,
    2.0,
    (
        Step(
            StepKind.SAVED,
            -2.0,
            (
                BlockStep("Conv+Relu", "FP32 → INT8", -1.5, ("n0", "n1"), ("l0",), ("l1",)),
                BlockStep("<b>Gemm</b>", "FP32 → INT8", -0.5, ("n7",), ("l3",), ("l4",)),
            ),
        ),
        Step(StepKind.CONVERSIONS, 0.25, (BlockStep("QuantizeLinear", "only in B", 0.25, (), (), ("l0",)),)),
        Step(StepKind.REST, 0.25),
    ),
)


def run_of(precision: Precision, *, finished: bool = True) -> Run:
    task = TaskResult("exact_lines", 0.98, 100, 0.93, 0.995)
    return Run(
        id=f"run-{precision.value}",
        model="m.onnx",
        model_sha256="",
        model_name="m",
        config=BuildConfig(plan=PrecisionPlan(default=precision)),
        status=Status.DONE if finished else Status.RUNNING,
        created="2026-01-01T00:00:00Z",
        build=Build(1.0, 4, 9, 9, 9, 1000, memory={"weights": 3 << 20, "activations": 1 << 20}),
        timing=Timing(stats=STATS) if finished else None,
        accuracy=Accuracy("ref", 100, "lines", {"y": OutputError(0.999, 31.0, 0.1)}, task) if finished else None,
    )


def series_of(precision: Precision, *, live: bool = False, layers: int = 30) -> Series:
    rng = np.random.default_rng(1)
    kinds = [LayerKind.REFORMAT if i % 7 == 0 else LayerKind.COMPUTE for i in range(layers)]
    return Series(
        run=run_of(precision, finished=not live),
        title=f"OpenVINO {precision.label}",
        is_live=live,
        layers=tuple(
            Layer(
                f"l{i}",
                f"some/long/name/of/a/layer_{i}",
                "Conv+BatchNormalization+Relu",
                precision=precision,
                kind=k,
            )
            for i, k in enumerate(kinds)
        ),
        layer_ms=np.sort(rng.random(layers)),
        latencies_ms=2.7 + 0.1 * rng.random(600),
        iterations=600,
        checked=(Checked("r", 10, 100, 30.0, "exact_lines", 0.9, 0.6, 0.98),) if live else (),
        errors=errors_of(layers),
    )


def errors_of(layers: int) -> LayerErrors:
    """Errors of layers that grow from place to place."""
    tensors = tuple(CheckedTensor(f"t{i}", f"n{i}", (f"n{i}",), "Conv", f"conv_{i}") for i in range(layers))
    errors = [TensorError(0.99, 60.0 - i, 0.1) for i in range(layers)]
    return LayerErrors("lines", 8, 8, tensors, tuple(LayerFigures(8, error, error, error) for error in errors))


@pytest.fixture(params=find_charts(), ids=lambda chart: chart.__name__)
def chart(request: pytest.FixtureRequest, qtbot: QtBot) -> Chart:
    widget: Chart = request.param()
    qtbot.addWidget(widget)
    widget.resize(560, 300)
    widget.set_theme(LIGHT)
    widget.show()
    return widget


def pixels(chart: Chart) -> np.ndarray:
    image = chart.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1).copy()


def test_every_chart_file_is_found_and_has_a_title_of_its_own() -> None:
    titles = [chart.title for chart in find_charts()]
    assert len(titles) == len(set(titles)) >= 4
    assert all(titles)


def test_a_chart_without_data_says_what_would_fill_it(chart: Chart) -> None:
    chart.set_data(ChartData())
    labels = [label.text() for label in chart.findChildren(type(chart.placeholder)) if label.isVisible()]  # type: ignore[attr-defined]
    assert any(len(text) > 20 for text in labels)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_a_chart_draws_runs_in_their_precisions_colours(chart: Chart, theme: Theme) -> None:
    chart.set_theme(theme)
    data = ChartData(
        (series_of(Precision.INT8), series_of(Precision.FP32)),
        calibration=REPORT,
        waterfall=WATERFALL,
        first="FP32",
        roofline=ROOFLINE,
        search=found("a", "b"),
    )
    chart.set_data(data)
    drawn = pixels(chart) & 0xFFFFFF
    wanted = {theme.precision[Precision.INT8], theme.series[0]}
    assert any((drawn == int(color[1:], 16)).sum() > 30 for color in wanted)


def test_a_live_chart_follows_growing_arrays(chart: Chart) -> None:
    one = series_of(Precision.INT8, live=True)
    for count in (1, 5, 30):
        chart.set_data(
            ChartData(
                (msgspec_replace(one, count),),
                calibration=REPORT,
                waterfall=WATERFALL,
                first="FP32",
                roofline=ROOFLINE,
                search=found("a", "b"),
            )
        )
        chart.grab()
    assert chart.csv().count("\n") >= 2 or chart.title == "Accuracy"


def msgspec_replace(one: Series, count: int) -> Series:
    return Series(
        run=one.run,
        title=one.title,
        is_live=True,
        layers=one.layers,
        layer_ms=one.layer_ms * count,
        latencies_ms=one.latencies_ms[: count * 20],
        iterations=count * 20,
        checked=one.checked,
        errors=one.errors,
    )


def test_what_is_drawn_can_be_had_as_csv(chart: Chart) -> None:
    chart.set_data(
        ChartData(
            (series_of(Precision.INT8), series_of(Precision.FP32)),
            calibration=REPORT,
            waterfall=WATERFALL,
            first="FP32",
            roofline=ROOFLINE,
            search=found("a", "b"),
        )
    )
    rows = list(csv.reader(io.StringIO(chart.csv())))
    assert len(rows) > 2
    assert len({len(row) for row in rows}) == 1


def test_a_click_on_a_bar_names_its_layer(qtbot: QtBot) -> None:
    chart = next(c for c in find_charts() if c.title == "Layer times")()
    qtbot.addWidget(chart)
    chart.resize(560, 300)
    chart.set_theme(LIGHT)
    series = series_of(Precision.INT8)
    chart.set_data(ChartData((series,)))
    with qtbot.waitExposed(chart):
        chart.show()
    plot = chart.plot  # type: ignore[attr-defined]
    where = plot.getPlotItem().getViewBox().mapViewToScene(QPointF(0.1, 2.0))
    with qtbot.waitSignal(chart.layer_clicked) as caught:
        qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=plot.mapFromScene(where))
    third_slowest = series.layers[int(np.argsort(-series.layer_ms)[2])]
    assert caught.args == [third_slowest.id]


def test_names_from_files_are_shown_as_text_not_as_markup(qtbot: QtBot) -> None:
    chart = next(c for c in find_charts() if c.title == "Layer times")()
    qtbot.addWidget(chart)
    chart.resize(900, 300)
    one = series_of(Precision.INT8, layers=1)
    layer = msgspec.structs.replace(one.layers[0], name="<b>x</b>", op="Conv")
    chart.set_data(ChartData((Series(one.run, one.title, layers=(layer,), layer_ms=one.layer_ms),)))
    assert chart.axis.names == ["Conv  <b>x</b>"]  # type: ignore[attr-defined]


def test_a_new_file_in_the_folder_is_a_new_chart(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import pkgutil
    import types

    before = find_charts()
    found = [*pkgutil.iter_modules([str(_folder())]), types.SimpleNamespace(name="one_more")]
    one_more = types.ModuleType("workbench.charts.one_more")
    one_more.CHART = type("OneMore", (Chart,), {"title": "One more", "order": 5})  # type: ignore[attr-defined]
    real: Callable[[str], types.ModuleType] = importlib.import_module
    monkeypatch.setattr(pkgutil, "iter_modules", lambda _paths: found)
    monkeypatch.setattr(importlib, "import_module", lambda n: one_more if n == one_more.__name__ else real(n))
    assert [c.title for c in find_charts()] == ["One more", *(c.title for c in before)]


def _folder() -> object:
    import workbench.charts

    return workbench.charts.__path__[0]
