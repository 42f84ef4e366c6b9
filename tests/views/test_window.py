"""The window, driven by real mouse and key events: open, build, watch, cancel, compare, undo, search."""

from __future__ import annotations

import html
import os
import signal
import sys
from functools import partial
from operator import attrgetter
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDragLeaveEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.session.models import HOSTILE, LONG
from tests.session.test_session import jobs
from tests.views.driving import CONTROL, TIMEOUT_MS, build, choose, click, click_node, click_row, drop, hover
from workbench.core.precision import Precision
from workbench.core.run import Status, TimingConfig
from workbench.session.actions import ACTIONS
from workbench.session.questions import BackendInfo
from workbench.views.crash import ExceptionHook
from workbench.views.main_window import MainWindow
from workbench.views.screenshot import take_screenshot
from workbench.views.shortcuts import Shortcuts
from workbench.views.widgets import Line


def key(window: MainWindow, keys: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.ControlModifier) -> None:
    QTest.keyClick(window, keys, modifier)


def test_the_first_page_offers_a_drop_area_and_the_sample_models(empty_window: MainWindow) -> None:
    assert empty_window.pages.currentWidget() is empty_window.welcome
    assert len(empty_window.welcome.cards) >= 3
    assert not empty_window.top.build.isEnabled() and not empty_window.top.cancel.isEnabled()


def test_a_sample_model_opens_by_a_click_on_its_card(empty_window: MainWindow, qtbot: QtBot) -> None:
    card = next(card for card in empty_window.welcome.cards if "digits" in card.sample.path)
    click(card)
    assert empty_window.pages.currentWidget() is empty_window.opening
    qtbot.waitUntil(lambda: empty_window.session.model is not None, timeout=TIMEOUT_MS)
    assert empty_window.pages.currentWidget() is empty_window.workspace
    assert "digits" in empty_window.windowTitle()


def test_a_model_opens_by_a_drop_and_other_files_are_refused(
    empty_window: MainWindow, model_path: Path, qtbot: QtBot
) -> None:
    assert not drop(empty_window, [model_path.with_suffix(".txt")])
    assert drop(empty_window, [model_path])
    qtbot.waitUntil(lambda: empty_window.session.model is not None, timeout=TIMEOUT_MS)


def test_a_model_that_hovers_is_named_before_it_is_dropped(empty_window: MainWindow, model_path: Path) -> None:
    assert not hover(empty_window, [model_path.with_suffix(".txt")]) and not empty_window.drop_hint.isVisible()
    assert hover(empty_window, [model_path])
    assert empty_window.drop_hint.isVisible() and model_path.name in empty_window.drop_hint.text
    QApplication.sendEvent(empty_window, QDragLeaveEvent())
    assert not empty_window.drop_hint.isVisible()


def test_f1_shows_every_shortcut(empty_window: MainWindow) -> None:
    QTest.keyClick(empty_window, Qt.Key.Key_F1)
    (dialog,) = [w for w in QApplication.topLevelWidgets() if isinstance(w, Shortcuts) and w.isVisible()]
    assert {title for _, title in dialog.rows} >= {entry.title for entry in ACTIONS if entry.shortcut}
    dialog.close()


def test_the_remark_of_a_precision_is_said_before_the_build(window: MainWindow, qtbot: QtBot) -> None:
    said = "Weights are kept in FP16 and computed in FP32: this CPU has no FP16 arithmetic."
    null = BackendInfo("Null", precisions={Precision.INT8: "no kernels"}, remarks={Precision.FP16: said})
    window.session.backends = {"null": null}
    choose(window.top.precision, "FP16", qtbot)
    assert said in window.plan_panel.summary()
    entries = {action.text().split("\t")[0]: action for action in window.top.precision.menu().actions()}
    assert not entries["INT8"].isEnabled() and "no kernels" in entries["INT8"].toolTip()


def test_opening_is_cancelled_by_its_button(empty_window: MainWindow, model_path: Path, qtbot: QtBot) -> None:
    drop(empty_window, [model_path])
    click(empty_window.top.cancel)
    assert empty_window.pages.currentWidget() is empty_window.welcome
    qtbot.wait(50)
    assert empty_window.session.model is None


def test_a_click_on_build_shows_the_engine_and_its_times(window: MainWindow, qtbot: QtBot) -> None:
    assert window.panes.engine.empty.isVisible()
    run = build(window, qtbot)
    assert run.status is Status.DONE, run.error
    assert window.panes.engine.canvas.isVisible()
    assert window.bottom.runs.table.runs.rowCount() == 1
    assert window.status.phase.words.main.startswith("● Done")
    layer_times = window.bottom.charts[0]
    assert len(layer_times.csv().splitlines()) > 2


def test_bars_grow_while_a_run_measures(window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    until_cancelled = 600.0
    timing = partial(TimingConfig, live_seconds=until_cancelled)
    monkeypatch.setattr("workbench.session.requests.TimingConfig", timing)
    window.session.settings.set("timing_seconds", until_cancelled)
    latency = next(chart for chart in window.bottom.charts if chart.title == "Latency")

    def drawn() -> int:
        return latency.csv().count("\n")

    click(window.top.build)
    qtbot.waitUntil(lambda: drawn() > 2, timeout=TIMEOUT_MS)
    assert window.session.is_busy and window.status.bar.isVisible()
    few = drawn()
    qtbot.waitUntil(lambda: drawn() > few + 50, timeout=TIMEOUT_MS)
    assert window.session.is_busy
    key(window, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)


def test_cancel_ends_the_run_and_the_window_goes_on(window: MainWindow, qtbot: QtBot) -> None:
    window.session.choose("Slow", options=LONG)
    click(window.top.build)
    qtbot.waitUntil(lambda: bool(jobs()), timeout=TIMEOUT_MS)
    assert window.top.cancel.isEnabled()
    click(window.top.cancel)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert not jobs() and window.status.phase.words.main == "● Cancelled"
    assert window.bottom.runs.table.runs.index(0, 1).data() == "cancelled"
    window.session.choose("Fast", options={})
    assert build(window, qtbot).status is Status.DONE


def test_kill_9_of_the_child_is_told_in_the_banner(window: MainWindow, qtbot: QtBot) -> None:
    window.session.choose("Slow", options=LONG)
    click(window.top.build)
    qtbot.waitUntil(lambda: bool(jobs()), timeout=TIMEOUT_MS)
    os.kill(jobs()[0].pid, signal.SIGKILL)
    qtbot.waitUntil(window.banner.isVisible, timeout=TIMEOUT_MS)
    assert "SIGKILL" in window.banner.text.text() and window.isVisible()
    assert not jobs() and not window.session.is_busy
    said = window.bottom.runs.table.runs.index(0, 1).data()
    assert said.startswith("failed") and "SIGKILL" in said
    assert "SIGKILL" in window.panes.engine.empty.text() and "failed" in window.windowTitle()
    click(window.banner._dismiss)
    assert not window.banner.isVisible()


def test_a_click_in_either_graph_selects_in_both_and_in_the_inspector(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    source, engine = window.panes.source.canvas, window.panes.engine.canvas
    click_node(source, "n2")
    assert source.selection == {"n2"} and len(engine.selection) == 1
    assert "conv_1" in window.inspector.texts() and "fused with 1 other" in " ".join(window.inspector.texts())
    (layer,) = engine.selection
    QTest.mouseClick(engine, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(4, 40))
    assert not source.selection
    click_node(engine, layer)
    assert source.selection == {"n2", "n3"}
    assert "conv_1 Conv" in window.inspector.texts()


def test_a_build_while_a_layer_is_selected_keeps_its_nodes(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    window.session.select_layers(["l0"])
    nodes = window.session.selection.nodes
    click(window.top.build)  # the new run has no layers yet: a handler that asks for the old one would raise
    assert nodes and window.session.selection.nodes == nodes and not window.session.selection.layers
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert window.session.selection.layers == {"l0"}


def test_names_in_the_inspector_lead_to_their_nodes(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    window.session.select_layers(["l0"])

    def links() -> list[Line]:
        lines = window.inspector.findChildren(Line)
        return [line for line in lines if line.isVisible() and line.words.main == "relu_0"]

    qtbot.waitUntil(lambda: bool(links()), timeout=TIMEOUT_MS)  # the layout shows what it has got
    click(links()[0])
    assert window.session.selection.nodes == {"n1"} and not window.session.selection.by_layer


def test_two_runs_selected_are_compared_and_raced(window: MainWindow, qtbot: QtBot) -> None:
    window.session.settings.set("race_seconds", 1.0)
    window.session.choose("Slow", options={"latency_ms": "4"})
    build(window, qtbot)
    window.session.choose("Fast", options={"latency_ms": "1"})
    build(window, qtbot)
    click_row(window, 0)
    assert len(window.session.compared) == 1 and not window.top.race.isEnabled()
    click_row(window, 1, CONTROL)
    assert len(window.session.compared) == 2 and window.top.race.text() == "Compare 2 runs"
    assert "≈" in window.bottom.runs.table.runs.index(1, 2).data()  # timed one after the other
    with qtbot.waitSignal(window.session.races.ended, timeout=TIMEOUT_MS):
        click(window.top.race)
    qtbot.waitUntil(lambda: not window.session.is_busy, timeout=TIMEOUT_MS)
    assert "faster" in window.status.verdict.words.main and "interleaved" in window.status.verdict.words.main
    assert "±" in window.bottom.runs.table.runs.index(1, 2).data()


def test_choices_made_by_menus_are_undone_by_keys(window: MainWindow, qtbot: QtBot) -> None:
    choose(window.top.precision, "INT8", qtbot)
    assert window.session.choices.plan.default is Precision.INT8
    assert window.top.calibration.isVisible() and window.top.precision.words().main == "INT8 · MSE plan"
    choose(window.top.precision, "Max", qtbot)
    assert window.top.precision.words().main == "INT8 · max plan"
    key(window, Qt.Key.Key_Z)
    key(window, Qt.Key.Key_Z)
    assert window.session.choices.plan.default is Precision.FP32 and not window.top.calibration.isVisible()
    key(window, Qt.Key.Key_Y)
    assert window.session.choices.plan.default is Precision.INT8


def test_a_rule_for_the_selected_nodes_is_added_and_removed(window: MainWindow, qtbot: QtBot) -> None:
    click_node(window.panes.source.canvas, "n4")
    window.plan_panel.add_selected(Precision.BF16)
    assert len(window.plan_panel.rows) == 2 and window.session.asked["n4"] is Precision.BF16
    click(window.plan_panel.rows[1].remove)
    assert window.session.choices.plan.rules == ()


def test_a_shape_is_edited_and_a_wrong_one_is_marked(window: MainWindow) -> None:
    field = window.model_panel.fields["x"]
    field.selectAll()
    QTest.keyClicks(field, "4x3x8x8")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.session.choices.shapes == {"x": (4, 3, 8, 8)}
    field.selectAll()
    QTest.keyClicks(field, "4x5x8x8")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.property("wrong") is True and window.session.choices.shapes == {"x": (4, 3, 8, 8)}
    assert window.model_panel.problem.isVisible() and "batch×3×8×8" in window.model_panel.problem.text()


def test_an_edited_shape_leaves_the_keys_to_undo(window: MainWindow) -> None:
    before = window.session.choices.shapes
    field = window.model_panel.fields["x"]
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "4x3x8x8")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.session.choices.shapes != before and not field.hasFocus()
    key(window, Qt.Key.Key_Z)
    assert window.session.choices.shapes == before
    key(window, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert window.session.choices.shapes == {"x": (4, 3, 8, 8)}


def test_preprocessing_is_edited_and_undone(window: MainWindow) -> None:
    editor = window.samples_panel.preprocess
    click(editor.edit)
    field = editor.fields["mean"]
    field.selectAll()
    QTest.keyClicks(field, "0.485, 0.456, 0.406")
    QTest.keyClick(field, Qt.Key.Key_Return)
    preprocess = window.session.choices.recipe.preprocess
    assert preprocess is not None and preprocess.mean == (0.485, 0.456, 0.406)
    key(window, Qt.Key.Key_Z)
    assert window.session.choices.recipe.preprocess is None


def test_a_dropped_file_becomes_the_sample_set(window: MainWindow, tmp_path: Path) -> None:
    samples = tmp_path / "set.npz"
    samples.write_bytes(b"")
    assert drop(window.samples_panel.evaluation, [samples])
    assert window.session.choices.evaluation == str(samples)


def test_the_palette_runs_actions_and_finds_nodes(window: MainWindow) -> None:
    window.show_palette()
    QTest.keyClicks(window.palette_view.field, "softmax")
    QTest.keyClick(window.palette_view.field, Qt.Key.Key_Return)
    assert window.session.selection.nodes == {"n4"} and not window.palette_view.isVisible()
    window.show_palette()
    QTest.keyClicks(window.palette_view.field, "clear sel")
    QTest.keyClick(window.palette_view.field, Qt.Key.Key_Return)
    assert not window.session.selection


def test_overlays_follow_their_chips(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    for pane in (window.panes.source, window.panes.engine):
        chips = pane.overlays.chips
        for name, chip in chips.items():
            if chip.isEnabled():
                click(chip)
                assert pane.overlays.current == name and [c.isChecked() for c in chips.values()].count(True) == 1


def test_deleting_asks_in_the_banner_and_blocks_nothing(window: MainWindow, qtbot: QtBot) -> None:
    run = build(window, qtbot)
    QTest.keyClick(window.bottom.runs.table, Qt.Key.Key_Delete)
    assert window.banner.isVisible() and window.session.runs.get(run.id) is not None
    click(window.banner._buttons[0])
    assert window.session.runs.get(run.id) is None and not window.banner.isVisible()
    assert window.bottom.runs.empty.isVisible()


def test_a_run_is_renamed(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    window.rename_run()
    (dialog,) = [w for w in QApplication.topLevelWidgets() if w.isVisible() and "Rename run" in w.windowTitle()]
    assert not dialog.isModal()
    field = dialog.findChild(QLineEdit)
    assert field is not None
    field.selectAll()
    QTest.keyClicks(field, "the good one")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert window.bottom.runs.table.runs.index(0, 0).data() == "the good one"


def test_the_runs_are_copied_as_text(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    QTest.keyClick(window.bottom.runs.table, Qt.Key.Key_C, CONTROL)
    assert QGuiApplication.clipboard().text().startswith("run\tmedian")


def test_light_and_dark_switch_while_the_window_is_open(window: MainWindow) -> None:
    light = window.grab().toImage().pixelColor(700, 5)
    window.toggle_theme()
    dark = window.grab().toImage().pixelColor(700, 5)
    assert light.name() == "#ffffff" and dark.name() == "#1c2026"


def test_no_name_from_a_file_is_taken_for_html(window: MainWindow, qtbot: QtBot) -> None:
    build(window, qtbot)
    window.session.select_nodes(["n0"])
    assert HOSTILE in window.inspector.texts()
    widgets = [window, *window.findChildren(QWidget)]
    assert not [w for w in widgets if "<img" in w.toolTip()]
    labels = [label for label in window.findChildren(QLabel) if label.textFormat() != Qt.TextFormat.PlainText]
    assert not [label.text() for label in labels if "<" in label.text()]
    assert any(html.escape(HOSTILE) in w.toolTip() for w in widgets)


def test_every_action_can_be_called_with_no_model_open(empty_window: MainWindow) -> None:
    for entry in ACTIONS:
        if entry.id != "quit":
            attrgetter(entry.callback)(empty_window)()
    for widget in QApplication.topLevelWidgets():
        if widget is not empty_window and widget.isVisible():
            widget.close()
    assert empty_window.isVisible() and empty_window.session.model is None


def test_a_bug_is_shown_with_versions_and_can_be_copied(window: MainWindow, qtbot: QtBot) -> None:
    hook = ExceptionHook(window.session)
    try:
        raise RuntimeError("this is a fault")
    except RuntimeError:
        hook(*sys.exc_info())  # type: ignore[arg-type]
    assert hook.dialog is not None and hook.dialog.isVisible() and not hook.dialog.isModal()
    text = hook.dialog.text.toPlainText()
    assert "this is a fault" in text and "PySide6" in text
    hook.dialog.close()


def test_sizes_and_pages_are_remembered(window: MainWindow, qtbot: QtBot) -> None:
    window.middle.setSizes([400, 900, 300])
    sizes = window.middle.sizes()
    window.actions_by_id["panel_Build"].trigger()
    pages = window.bottom.shown_titles()
    assert pages[2] == "Build" and window.bottom.build.isVisible()
    window.close()
    again = MainWindow(type(window.session)())
    qtbot.addWidget(again)
    assert again.session.settings.get("window_state")["middle"] == sizes
    assert again.bottom.shown_titles() == pages
    again.close()


def test_a_screenshot_shows_the_window_with_its_runs(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    build(window, qtbot)
    take_screenshot(window, tmp_path / "window.png")
    assert (tmp_path / "window.png").stat().st_size > 20_000
    assert window.session.selection.by_layer
