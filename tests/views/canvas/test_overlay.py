"""What is laid over a graph: scales, groups, labels, the legend, and what recolouring costs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from tests.views.canvas.events import LEFT, place_of, wheel
from tests.views.canvas.graphs import blocks, chain, control_flow, layer, residual
from workbench.core.graph import Graph, Tensor
from workbench.core.theme import DARK, LIGHT, Theme
from workbench.views.canvas import GraphCanvas, paint_text
from workbench.views.canvas.heat import Group, Heat, Kinds, Scale, range_of, told
from workbench.views.canvas.legend import Legend, legend_text, tick_texts
from workbench.views.canvas.paint_text import ROOM, Kind, Writer
from workbench.views.canvas.palette import HEAT_CLASSES, make_palette
from workbench.views.canvas.scene import HEIGHT, Look

ZOOMS = (0.05, 0.2, 0.3, 0.5, 0.74, 0.9, 1.0, 1.3, 2.0, 4.0)


def shares(heat: Heat) -> list[float]:
    values = np.asarray(list(heat.values.values()))
    reach = range_of(heat, values)
    assert reach is not None
    return [round(float(share), 3) for share in reach.shares(values)]


def test_scales_map_values_to_quiet_and_hot() -> None:
    values = {"a": 1.0, "b": 10.0, "c": 100.0}
    assert shares(Heat(values)) == [0.01, 0.1, 1.0]
    assert shares(Heat(values, scale=Scale.LOG)) == [0.0, 0.5, 1.0]
    assert shares(Heat(values, low_is_hot=True, low=0.0, high=50.0)) == [0.98, 0.8, 0.0]
    assert shares(Heat({"a": -2.0, "b": 0.0, "c": 1.0}, scale=Scale.DIVERGING)) == [0.0, 0.5, 0.75]
    assert shares(Heat({"a": 0.0, "b": 1e-9, "c": 1e6}, scale=Scale.LOG)) == [0.0, 0.0, 1.0]
    assert shares(Heat({"a": 0.0, "b": 0.0})) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("heat", "ticks"),
    [
        (Heat({"a": 0.41}, "ms"), ["0", "0.2", "0.4 ms"]),
        (Heat({"a": 4.0}, "ms", total=8.0, share_leads=True), ["0", "12.5", "25", "37.5", "50 %"]),
        (Heat({"a": 1e3, "b": 5e6}, "FLOP", scale=Scale.LOG), ["1,000 FLOP", "10 kFLOP", "100 kFLOP", "1 MFLOP"]),
        (Heat({"a": 1024.0, "b": 2.0**21}, "B", scale=Scale.LOG), ["1", "8", "64", "512 KiB"]),
        (Heat({"a": -2.0, "b": 1.0}, "ms", scale=Scale.DIVERGING), ["−2", "−1", "0", "1", "2 ms"]),
    ],
)
def test_ticks_are_round_numbers_with_one_unit(heat: Heat, ticks: list[str]) -> None:
    reach = range_of(heat, np.asarray(list(heat.values.values())))
    assert reach is not None and tick_texts(heat, reach) == ticks


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.41, "ms", "0.410 ms"),
        (0.00004, "ms", "0.04 µs"),
        (0.0, "ms", "0.000 ms"),
        (-1.5, "ms", "−1.50 ms"),
        (10.4 * 2**20, "B", "10.4 MiB"),
        (8.21e9, "FLOP", "8.21 GFLOP"),
        (27.0, "FLOP", "27 FLOP"),
        (25.6e6, "", "25.6 M"),
        (31.24, "dB", "31.2 dB"),
    ],
)
def test_numbers_are_told_with_their_unit(value: float, unit: str, text: str) -> None:
    assert told(value, unit) == text


def test_a_share_that_is_little_is_not_nought() -> None:
    heat = Heat({}, "ms", total=100.0)
    assert heat.words(0.001) == "0.001 ms · <0.1 %" and heat.words(12.34) == "12.3 ms · 12.3 %"


@pytest.fixture
def grouped(canvas: GraphCanvas) -> GraphCanvas:
    """Three blocks, all groups closed."""
    graph, scopes = blocks(3)
    canvas.set_graph(graph, scopes)
    canvas.collapse_all()
    return canvas


def group_box(canvas: GraphCanvas) -> int:
    return next(iter(canvas.scene.closed))


def test_a_closed_group_shows_the_sum_or_the_worst_of_its_layers(grouped: GraphCanvas) -> None:
    box = group_box(grouped)
    members = grouped.scene.members(box)
    values = {layer: float(i + 1) for i, layer in enumerate(members)}
    count = len(members)
    grouped.set_overlay(Heat(values, "ms"))
    assert grouped.marks.fills.values[box] == count * (count + 1) / 2
    grouped.set_overlay(Heat(values, "ms", group=Group.WORST))
    assert grouped.marks.fills.values[box] == count
    grouped.set_overlay(Heat(values, "dB", group=Group.WORST, low_is_hot=True))
    assert grouped.marks.fills.values[box] == 1.0
    hottest = len(Look) + HEAT_CLASSES - 1
    grouped.set_overlay(Heat(values, "dB", group=Group.WORST, low_is_hot=True, low=1.0, high=60.0))
    assert int(grouped.marks.fills.near[box]) == hottest


def test_a_group_without_a_value_is_grey_and_says_why(grouped: GraphCanvas) -> None:
    box = group_box(grouped)
    others = [i for i in range(grouped.scene.count) if grouped.scene.layers[i] is not None]
    grouped.set_overlay(Heat({grouped.scene.ids[others[0]]: 1.0}, "ms", missing="not timed"))
    assert np.isnan(grouped.marks.fills.values[box]) and int(grouped.marks.fills.near[box]) == Look.PLAIN
    place = place_of(grouped, grouped.scene.ids[box])
    QApplication.sendEvent(grouped, QHelpEvent(QHelpEvent.Type.ToolTip, place, grouped.mapToGlobal(place)))
    assert "not timed" in QToolTip.text() and "closed group" in QToolTip.text()
    QToolTip.hideText()


def test_a_node_with_bodies_shows_what_they_come_to(canvas: GraphCanvas) -> None:
    canvas.set_graph(control_flow())
    box = canvas.scene.index["n1"]
    inner = ("n1.then_branch.n0.body.n0", "n1.then_branch.n1", "n1.else_branch.n0")
    canvas.set_overlay(Heat({inner[0]: 1.0, inner[1]: 2.0}, "ms", missing="not timed"))
    assert canvas.marks.value_text(box) == "3.00 ms"
    assert "5 not timed" in legend_text(canvas.marks)
    canvas.set_overlay(
        Kinds({inner[0]: "INT8", inner[2]: "FP32", inner[1]: "INT8"}, {"INT8": "#e08600", "FP32": "#777"})
    )
    assert canvas.marks.kind_text(box) == "2 INT8, 1 FP32"


def test_a_closed_group_counts_the_fates_of_its_layers(grouped: GraphCanvas) -> None:
    box = group_box(grouped)
    members = grouped.scene.members(box)
    sorts = dict.fromkeys(members, "fused") | {members[-1]: "folded"}
    grouped.set_badges(dict.fromkeys(members, "→ MatMul+Relu"), sorts)
    assert grouped.marks.badges == {box: f"{len(members) - 1} fused, 1 folded"}
    grouped.expand_all()
    assert set(grouped.marks.badges.values()) == {"→ MatMul+Relu"}


def test_kinds_colour_boxes_and_groups_by_what_most_are(grouped: GraphCanvas) -> None:
    box = group_box(grouped)
    members = grouped.scene.members(box)
    kinds = {layer: "FP32" if i == 0 else "INT8" for i, layer in enumerate(members)}
    grouped.set_overlay(Kinds(kinds, {"FP32": "#7a8797", "INT8": "#e08600"}, "Precision", "without one"))
    fills = grouped.marks.fills
    assert fills.kinds == {"FP32": 1, "INT8": len(members) - 1}
    assert grouped.marks.kind_text(box) == f"{len(members) - 1} INT8, 1 FP32"
    near = fills.colors[int(fills.near[box])]
    assert near.red() > near.blue()  # orange, not grey
    assert legend_text(grouped.marks).startswith(f"Precision: 1 FP32, {len(members) - 1} INT8")


def test_the_legend_tells_scale_statistics_and_what_grey_means(canvas: GraphCanvas, qtbot: QtBot) -> None:
    legend = Legend()
    qtbot.addWidget(legend)
    legend.resize(900, 38)
    legend.show_marks(canvas.marks)
    assert legend.isHidden()
    canvas.set_overlay(Heat({"n0": 1.0, "n1": 2.0, "n3": 6.0}, "ms", "Time", total=9.0, missing="not timed"))
    legend.show_marks(canvas.marks)
    assert not legend.isHidden()
    words = "Time: min 1.00 ms · median 2.00 ms · max 6.00 ms · sum 9.00 ms. 2 not timed"
    assert legend.accessibleName() == words
    picture = legend.grab().toImage()
    bar = [picture.pixelColor(x, 13) for x in range(40, 300)]
    assert len({color.name() for color in bar}) > 40  # a ramp, not one colour


@pytest.mark.parametrize("width", [120, 220, 300, 500, 900])
def test_the_legend_writes_nothing_beyond_its_strip(canvas: GraphCanvas, qtbot: QtBot, width: int) -> None:
    canvas.set_overlay(Heat({"n0": 1e3, "n1": 5e7}, "FLOP", "Arithmetic", Scale.LOG, total=6e7))
    legend = Legend()
    qtbot.addWidget(legend)
    legend.resize(width, 38)
    legend.show_marks(canvas.marks)
    edge = legend.grab().toImage().pixelColor(width - 1, 20).name()
    assert edge == LIGHT.panel


def texts_of(canvas: GraphCanvas, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, float, float, float]]:
    """(text, left, right, top, bottom) in the world of everything written in boxes."""
    found = []
    write = Writer.write

    def spy(self: Writer, text: str, kind: Kind, color: QColor, x: float, y: float, *more: float, **kw: QColor) -> None:
        width, align = more
        _, w, h = paint_text.static_text(text, kind, width)
        if not kw:
            found.append((text, x - w * align, x - w * align + w, y - h / 2, y + h / 2))
        write(self, text, kind, color, x, y, width, align, **kw)

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", spy)
        canvas.grab()
    return found


def test_every_text_stays_in_its_box_at_every_zoom(grouped: GraphCanvas, monkeypatch: pytest.MonkeyPatch) -> None:
    grouped.expand_all()
    scene = grouped.scene
    values = {layer: 123456.789 * (i + 1) for i, layer in enumerate(scene.leaves[0])}
    grouped.set_overlay(Heat(values, "ms", "Time", total=sum(values.values())))
    seen = 0
    for zoom in ZOOMS:
        grouped.zoom_about(zoom / grouped.camera.zoom, 300, 350)
        for text, left, right, top, bottom in texts_of(grouped, monkeypatch):
            box = scene.nearest((left + right) / 2, (top + bottom) / 2)
            x, y, half = float(scene.placed.x[box]), float(scene.placed.y[box]), float(scene.widths[box]) / 2
            assert left >= x - half + ROOM / 2 - 1 and right <= x + half - ROOM / 2 + 1, (zoom, text)
            assert top >= y - HEIGHT / 2 - 1 and bottom <= y + HEIGHT / 2 + 1, (zoom, text)
            seen += 1
    assert seen > 20


def test_a_badge_stands_above_the_sheets_of_a_repeated_group(grouped: GraphCanvas) -> None:
    grouped.expand_to_depth(1)
    box = group_box(grouped)
    assert box in grouped.scene.stacked
    grouped.zoom_about(1.0 / grouped.camera.zoom, 300, 350)
    x, y = place_of(grouped, grouped.scene.ids[box]).toTuple()
    half = int(grouped.scene.widths[box] / 2)
    sheets = QRect(x, y - HEIGHT // 2 - 6, half, 6)
    above = QRect(x, y - HEIGHT // 2 - 24, half, 18)
    before = [grouped.grab(area).toImage() for area in (sheets, above)]
    grouped.set_badges({}, dict.fromkeys(grouped.scene.members(box), "fused"))
    assert grouped.marks.badges[box] == "4 fused"
    assert grouped.grab(sheets).toImage() == before[0] and grouped.grab(above).toImage() != before[1]


def test_a_number_is_never_cut(canvas: GraphCanvas, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {f"n{i}": 0.0412345 * (i + 1) for i in range(6)}
    canvas.set_overlay(Heat(values, "ms", "Time", total=1.0))
    canvas.zoom_about(1.0 / canvas.camera.zoom, 300, 350)
    numbers = [text for text, *_ in texts_of(canvas, monkeypatch) if text.startswith("0.")]
    assert len(numbers) == 5 and not any("…" in text for text in numbers)


def luminance(color: QColor) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = (color.redF(), color.greenF(), color.blueF())
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_colour(theme: Theme) -> None:
    text = luminance(QColor(theme.text))
    for fill in make_palette(theme).fills:
        bright, dark = sorted((text, luminance(fill)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) > 4.5, fill.name()


# Viénot, Brettel, Mollon 1999: what people without one kind of cone see, from linear RGB
CVD = {
    "protan": ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)),
    "deutan": ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)),
}


@pytest.mark.parametrize("kind", CVD)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_the_colour_blind_see_the_scales_run(theme: Theme, kind: str) -> None:
    def seen(name: str) -> np.ndarray:
        color = QColor(name)
        return np.asarray(CVD[kind]) @ np.asarray([c**2.2 for c in (color.redF(), color.greenF(), color.blueF())])

    quiet, hot = seen(theme.heat[0]), seen(theme.heat[-1])
    assert np.abs(quiet - hot).max() > 0.05
    less, none, more = (seen(theme.diverging[i]) for i in (0, 2, 4))
    for a, b in ((less, none), (none, more), (less, more)):
        assert np.abs(a - b).max() > 0.02, (a, b)


def test_keys_go_to_the_ends_and_fit_what_is_selected(canvas: GraphCanvas) -> None:
    canvas.set_graph(chain(300))
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_End)
    assert canvas.scene.ids[canvas.current] == "output:t300"
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.scene.ids[canvas.current] == "input:t0"
    canvas.set_selection(["n200", "n201", "n202"])
    QTest.keyClick(canvas, Qt.Key.Key_F)
    middle = place_of(canvas, "n201")
    assert abs(middle.y() - 350) <= 2 and canvas.camera.zoom > 0.9
    QTest.keyClick(canvas, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert 0 < place_of(canvas, "n299").y() < 700 and 0 < place_of(canvas, "n0").y() < 700


def test_keys_walk_into_groups_and_out(grouped: GraphCanvas) -> None:
    grouped.setFocus()
    box = group_box(grouped)
    grouped.select_box(box, adds=False)
    QTest.keyClick(grouped, Qt.Key.Key_Return)
    assert len(grouped.scene.groups) > 0
    header = grouped.scene.groups.ids[0]
    grouped.select_group(0, adds=False)
    assert grouped.current_group == header and "open group" in grouped.accessibleDescription()
    QTest.keyClick(grouped, Qt.Key.Key_Down)
    inside = grouped.current
    assert grouped.scene.inside[inside] >= 0
    QTest.keyClick(grouped, Qt.Key.Key_Escape)
    assert grouped.current_group
    QTest.keyClick(grouped, Qt.Key.Key_Return)
    assert len(grouped.scene.groups) == 0 or grouped.current_group


def test_screen_readers_are_told_what_is_current(canvas: GraphCanvas) -> None:
    canvas.setFocus()
    canvas.set_overlay(Heat({"n3": 0.5}, "ms", total=1.0))
    QTest.mouseClick(canvas, LEFT, Qt.KeyboardModifier.NoModifier, place_of(canvas, "n3"))
    told_now = QAccessible.queryAccessibleInterface(canvas)
    text = told_now.text(QAccessible.Text.Description)
    assert text.startswith("Conv  ·  n3") and "0.500 ms · 50.0 %" in text
    QTest.mouseClick(canvas, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(4, 4))
    assert "none current" in canvas.accessibleDescription()


def test_the_minimap_covers_no_box_at_home(canvas: GraphCanvas) -> None:
    graph, scopes = blocks(12)
    canvas.set_graph(graph, scopes)
    canvas.expand_all()
    canvas.home()
    minimap = canvas._minimap
    assert minimap.isVisible()
    scene = canvas.scene
    right = canvas.camera.to_device(float((scene.placed.x + scene.widths / 2).max()), 0.0)[0]
    assert right <= minimap.x() or minimap.height() == canvas.height()  # or it is the edge of the view


def test_the_minimap_marks_what_is_selected_and_found(canvas: GraphCanvas) -> None:
    canvas.set_graph(chain(300))
    plain = canvas._minimap.grab().toImage()
    canvas.set_matches(["n250"], "n250")
    found = canvas._minimap.grab().toImage()
    assert found != plain
    names = {found.pixelColor(x, y).name() for x in range(found.width()) for y in range(found.height())}
    assert LIGHT.series[1] in names
    canvas.set_matches([])
    assert canvas._minimap.grab().toImage() == plain


def test_a_view_is_come_back_to_with_its_groups(grouped: GraphCanvas) -> None:
    grouped.zoom_about(1.3, 100, 200)
    before, boxes = grouped.view(), grouped.scene.ids
    grouped.fly_to("n2")
    assert grouped.scene.ids != boxes
    grouped.show_view(before)
    assert grouped.scene.ids == boxes and grouped.camera == before.camera
    grouped.set_graph(residual())
    camera = grouped.camera
    grouped.show_view(before)  # of another graph
    assert grouped.camera == camera


def test_found_boxes_are_ringed(canvas: GraphCanvas) -> None:
    canvas.set_graph(residual())
    wheel(canvas, QPoint(300, 350), 1)
    plain = canvas.grab().toImage()
    canvas.set_matches(["n1", "n3"], "n3")
    assert canvas.grab().toImage() != plain
    assert canvas.marks.found.sum() == 2


def test_labels_of_one_box_never_stand_on_each_other(canvas: GraphCanvas) -> None:
    writes = " ".join(f"t{i}" for i in range(6))
    layers = (layer("n0", "Split", "x", writes), *(layer(f"n{i + 1}", "Abs", f"t{i}", f"y{i}") for i in range(6)))
    tensors = {f"t{i}": Tensor(f"t{i}", (1, 24 + i, 16, 16), "float32") for i in range(6)}
    canvas.set_graph(Graph("g", layers, tensors, ("x",), tuple(f"y{i}" for i in range(6))))
    canvas.zoom_about(1.5 / canvas.camera.zoom, 300, 350)
    canvas.look(canvas.camera.centred(*(float(v[canvas.scene.homes["n0"]]) for v in _places(canvas)), 600, 700))
    spans = []
    for text, x, _, align, box in paint_text._labels(canvas.frame()):
        if box == canvas.scene.homes["n0"]:
            width = paint_text.static_text(text, paint_text.NAME, paint_text.LABEL_MOST)[1]
            spans.append((x - width * align, x + width * (1 - align)))
    spans.sort()
    assert spans and all(a[1] <= b[0] for a, b in pairwise(spans))


def _places(canvas: GraphCanvas) -> tuple[np.ndarray, np.ndarray]:
    return canvas.scene.placed.x, canvas.scene.placed.y
