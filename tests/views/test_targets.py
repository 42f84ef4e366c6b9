"""Choosing targets in the toolbar, and the way out where one refuses the plan."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.views.driving import TIMEOUT_MS
from workbench.backends.base import load_backend
from workbench.backends.tensorrt_rtx.module import find_module
from workbench.core.precision import Precision
from workbench.session.questions import BackendInfo
from workbench.views.main_window import MainWindow
from workbench.views.target_menu import TickMenu

pytestmark = pytest.mark.skipif(not find_module(), reason="TensorRT for RTX is not installed")


@pytest.fixture
def rtx(window: MainWindow) -> MainWindow:
    """What the real backend says of itself, without asking a child."""
    backend, session = load_backend("tensorrt_rtx"), window.session
    can = backend.capabilities()
    known = BackendInfo(backend.title, targets=can.targets, limits=can.limits, dialect=backend.dialect())
    session.backends = {"tensorrt_rtx": known}
    session.backends_changed.emit(session.backends)
    session.choose("TensorRT", backend="tensorrt_rtx", target="sm86", evaluation="")
    session.settings.set("timing_seconds", 0.0)
    session.undo.clear()
    return window


def _menu(window: MainWindow) -> QMenu:
    menu = window.top.target.menu()
    assert menu is not None
    menu.aboutToShow.emit()
    return menu


def _several(window: MainWindow) -> TickMenu:
    return next(action.menu() for action in _menu(window).actions() if isinstance(action.menu(), TickMenu))


def test_targets_have_the_names_people_know(rtx: MainWindow) -> None:
    texts = [action.text() for action in _menu(rtx).actions()]
    assert "RTX 40 series, L4, L40S (Ada) · sm89" in texts
    assert rtx.top.target.words().main == "sm86"


@pytest.mark.parametrize(
    ("chosen", "device", "target"),
    [
        ("", "", "sm89"),
        ("", "NVIDIA RTX 3080 (sm86)", "sm86"),
        ("sm80,sm120", "", "sm80,sm120"),
        ("sm80,sm90", "", "sm89"),
    ],
)
def test_choosing_the_backend_keeps_its_targets_or_takes_the_gpu_here_or_the_usual_one(
    chosen: str, device: str, target: str, rtx: MainWindow
) -> None:
    session = rtx.session
    session.backends = {"tensorrt_rtx": msgspec.structs.replace(session.backends["tensorrt_rtx"], device=device)}
    session.choose("elsewhere", backend="null", target=chosen)
    menu = rtx.top.backend.menu()
    assert menu is not None
    menu.aboutToShow.emit()
    next(action for action in menu.actions() if action.text().startswith("TensorRT")).trigger()
    assert (session.choices.backend, session.choices.target) == ("tensorrt_rtx", target)


def test_several_are_ticked_in_a_menu_that_stays_open(rtx: MainWindow) -> None:
    several = _several(rtx)
    several.popup(rtx.mapToGlobal(rtx.rect().center()))
    for name in ("sm89", "sm120"):
        action = next(a for a in several.actions() if a.text().endswith(name))
        QTest.mouseClick(several, Qt.MouseButton.LeftButton, pos=several.actionGeometry(action).center())
        assert several.isVisible()
    assert rtx.session.choices.target == "sm86,sm89,sm120"
    assert rtx.top.target.words().soft == "· an engine each"
    each = next(a for a in several.actions() if a.text() == "An engine for each")
    QTest.mouseClick(several, Qt.MouseButton.LeftButton, pos=several.actionGeometry(each).center())
    assert not rtx.session.choices.apart
    several.close()
    rtx.session.undo.undo()
    assert rtx.session.choices.apart


def test_a_precision_the_target_lacks_is_grey_with_its_reason(rtx: MainWindow) -> None:
    menu = rtx.top.precision.menu()
    assert menu is not None
    menu.aboutToShow.emit()
    fp8 = next(action for action in menu.actions() if action.text().startswith("FP8"))
    assert not fp8.isEnabled()
    assert "it needs sm89 or newer" in fp8.toolTip()


def test_a_plan_the_target_refuses_is_told_before_the_build_and_one_click_builds_the_nearest(rtx: MainWindow) -> None:
    session = rtx.session
    session.choose_all(session.choices.with_plan(default=Precision.FP8), "FP8")
    assert rtx.top.precision.words().tone == "bad"
    rtx.actions_by_id["build"].trigger()
    assert not session.is_busy
    assert "FP8 cannot be built for sm86 (RTX 30 series" in rtx.banner.text.text()
    button = rtx.banner._buttons[0]
    assert button.text() == "Build FP16 for sm86"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.choices.plan.default is Precision.FP16
    assert session.is_busy
    session.cancel()
    session.undo.undo()
    assert session.choices.plan.default is Precision.FP8


def test_several_targets_are_a_run_each_and_the_one_that_refuses_is_offered_its_nearest_plan(
    rtx: MainWindow, qtbot: QtBot, model_path: Path
) -> None:
    session = rtx.session
    choices = session.choices.with_plan(default=Precision.BF16)
    session.choose_all(choices, "BF16")
    session.choose("Targets", target="sm75,sm86,sm120")
    rtx.actions_by_id["build"].trigger()
    assert [run.config.target for run in session.visible_runs()] == ["sm120", "sm86"]
    assert rtx.banner._buttons[0].text() == "Build FP16 for sm75"
    QTest.mouseClick(rtx.banner._buttons[0], Qt.MouseButton.LeftButton)
    newest = next(iter(session.visible_runs()))
    assert (newest.config.target, newest.config.plan.default) == ("sm75", Precision.FP16)
    assert session.choices.plan.default is Precision.BF16
    session.cancel()
    qtbot.waitUntil(lambda: not session.is_busy, timeout=TIMEOUT_MS)
