"""Parts of the window by themselves: text that fits, charts saved, words parsed, settings made from the table."""

from __future__ import annotations

import csv
import io
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QFontMetrics, QImage
from PySide6.QtWidgets import QComboBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from workbench.charts.base import ChartData, Series, find_charts
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Layer
from workbench.core.model import TensorSpec
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig, Run, Status
from workbench.core.theme import DARK, LIGHT, Theme
from workbench.session.settings import SETTINGS, Settings
from workbench.views.application import make_application
from workbench.views.bottom import save_chart
from workbench.views.flow import Flow
from workbench.views.fonts import text_font
from workbench.views.model_panel import parse_shape
from workbench.views.preprocess_editor import parse
from workbench.views.settings_dialog import SettingsDialog
from workbench.views.theme import palette, stylesheet
from workbench.views.widgets import Words, _fitted, tip

SPEC = TensorSpec("x", "float32", ("batch", 3, "h"))


@pytest.mark.parametrize("room", [0, 20, 60, 120, 400])
def test_text_never_takes_more_than_its_room(qapp: object, room: int) -> None:
    make_application()
    metrics = QFontMetrics(text_font())
    main, soft = _fitted(Words("a_rather_long_name_of_a_layer", "12.3 %"), metrics, metrics, room)
    used = metrics.horizontalAdvance(main) + (metrics.horizontalAdvance(soft) + 5 if soft else 0)
    assert used <= max(room, metrics.horizontalAdvance("…"))


def test_a_figure_keeps_its_room_before_what_stands_behind_it(qapp: object) -> None:
    make_application()
    metrics = QFontMetrics(text_font())
    main, soft = _fitted(Words("0.051 ms", "12.3 % of everything there is"), metrics, metrics, 110)
    assert main == "0.051 ms" and "…" in soft


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4x3x8", (4, 3, 8)),
        ("4×3×8", (4, 3, 8)),
        (" [4, 3, 8] ", (4, 3, 8)),
        ("4x5x8", None),
        ("4x3", None),
        ("0x3x8", None),
        ("", None),
        ("a×3×8", None),
        ("²×3×8", None),
        ("4×3×99999999999999999999", None),
    ],
)
def test_shapes_are_read_as_people_write_them(text: str, expected: tuple[int, ...] | None) -> None:
    assert parse_shape(text, SPEC) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("size", "320 × 48", {"width": 320, "height": 48}),
        ("size", "320x48", {"width": 320, "height": 48}),
        ("size", "320", None),
        ("size", "3.5 × 2", None),
        ("size", "inf × 2", None),
        ("size", "1e300 × 2", None),
        ("mean", "nan", None),
        ("scale", "0.00392", {"scale": 0.00392}),
        ("scale", "1 2", None),
        ("std", "0.5, 0", None),
        ("mean", "a", None),
        ("mean", "0.1 0.2 0.3", {"mean": (0.1, 0.2, 0.3)}),
    ],
)
def test_preprocessing_fields_are_read(name: str, text: str, expected: dict[str, object] | None) -> None:
    assert parse(name, text) == expected


def test_tooltips_show_names_word_for_word() -> None:
    assert tip("<img src=x>") == "<qt>&lt;img src=x&gt;</qt>" and tip("") == ""


def test_every_setting_with_a_title_has_an_editor_that_sets_it(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json")
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    assert set(dialog.editors) == {setting.id for setting in SETTINGS if setting.title}
    combo = dialog.editors["theme"]
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData("dark"))
    combo.activated.emit(combo.currentIndex())
    assert settings.get("theme") == "dark"


def test_both_themes_fill_the_whole_sheet() -> None:
    for theme in (LIGHT, DARK):
        sheet = stylesheet(theme)
        assert theme.panel in sheet and "{{" not in sheet and "{line}" not in sheet
        assert palette(theme).window().color().name() == theme.background


@pytest.mark.parametrize("suffix", [".png", ".svg", ".csv"])
@pytest.mark.parametrize("kind", find_charts(), ids=lambda kind: kind.title)
def test_every_chart_is_saved_in_every_form(kind: type, suffix: str, qtbot: QtBot, tmp_path: Path) -> None:
    chart = kind()
    qtbot.addWidget(chart)
    chart.resize(400, 250)
    run = Run("r1", "m", "", "m", BuildConfig(), Status.DONE, "2026")
    layers = (Layer("l0", "conv", "Conv", precision=Precision.INT8), Layer("l1", "relu", "Relu"))
    chart.set_data(ChartData((Series(run, "FP32", False, layers, np.array([1.0, 2.0]), np.arange(1.0, 50.0), 49),)))
    path = tmp_path / f"chart{suffix}"
    save_chart(chart, path)
    if suffix == ".png":
        picture = QImage(str(path))
        assert (picture.width(), picture.height()) == (800, 500)
    elif suffix == ".svg":
        assert b"<svg" in path.read_bytes()[:400]
    else:
        assert len(next(csv.reader(io.StringIO(path.read_text("utf-8"))))) >= 2


def test_a_chart_in_an_unknown_form_is_refused_with_a_hint(qtbot: QtBot, tmp_path: Path) -> None:
    chart = find_charts()[0]()
    qtbot.addWidget(chart)
    with pytest.raises(WorkbenchError, match="\\.png"):
        save_chart(chart, tmp_path / "chart.docx")


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_words_of_the_main_button_can_be_read_in_both_themes(theme: Theme) -> None:
    rule = re.search(r'kind="primary"\] \{ background: (#\w+);.*? color: (#\w+);', stylesheet(theme))
    assert rule is not None
    light, dark = sorted((luminance(color) for color in rule.groups()), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5  # WCAG 2.1, 1.4.3


def luminance(color: str) -> float:
    """Relative, of `#rrggbb`, as WCAG 2.1 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("width", "lines"), [(90, 5), (250, 3), (900, 1)])
def test_parts_that_have_no_room_beside_each_other_go_on_in_the_next_line(width: int, lines: int, qtbot: QtBot) -> None:
    place = QWidget()
    qtbot.addWidget(place)
    flow, parts = Flow(place, 8), [QPushButton(str(number)) for number in range(5)]
    for part in parts:
        part.setFixedSize(100, 20)
        flow.addWidget(part)
    place.resize(width, flow.heightForWidth(width))
    place.show()
    qtbot.waitExposed(place)
    assert len({part.y() for part in parts}) == lines and parts[-1].geometry().bottom() < place.height()
    assert not any(a.geometry().intersects(b.geometry()) for a, b in combinations(parts, 2))
