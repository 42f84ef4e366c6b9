"""Another tool writes the plan: chosen in the plan's window, built, and its plan taken over, by real events."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.views.driving import build, choose
from workbench.core.precision import Precision
from workbench.views.main_window import MainWindow


def test_a_tool_is_chosen_and_what_it_placed_becomes_the_plan(window: MainWindow, qtbot: QtBot) -> None:
    session = window.session
    window.plan_panel.edit("rules")
    editor = window.plan_panel.editor
    assert editor is not None
    choose(editor.options.writer, "ONNX Runtime INT8", qtbot)
    assert session.choices.plan.quantizer == "ort:int8" and session.choices.plan.default is Precision.INT8
    assert not editor.options.method.isEnabled() and editor.options.samples.isEnabled()
    session.choose("Set", backend="onnxruntime", calibration="random")
    editor.close()
    window.activateWindow()
    run = build(window, qtbot)
    assert run.build is not None, run.error
    action = window.actions_by_id["take_plan"]
    assert action.isEnabled()
    action.trigger()
    plan = session.choices.plan
    assert not plan.quantizer and plan.rules and plan.default is Precision.FP32
    session.undo.undo()
    assert session.choices.plan.quantizer == "ort:int8"


def test_another_default_is_written_by_the_workbench_again(window: MainWindow, qtbot: QtBot) -> None:
    window.plan_panel.edit("rules")
    editor = window.plan_panel.editor
    assert editor is not None
    choose(editor.options.writer, "ONNX Runtime INT8 for TensorRT", qtbot)
    choose(editor.options.default, "FP16", qtbot)
    assert not window.session.choices.plan.quantizer
    assert editor.options.writer.words().main == "Workbench"
    editor.close()
