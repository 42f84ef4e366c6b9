"""The editor of optimization profiles, by its fields and buttons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from onnx import helper
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.model import making
from tests.session.models import open_here
from tests.views.driving import TIMEOUT_MS
from workbench.core.profile_memory import ProfileMemoryRequest
from workbench.data import read_recipe
from workbench.session.questions import BackendInfo
from workbench.views.main_window import MainWindow
from workbench.views.profile_window import ProfileWindow


@pytest.fixture
def two_inputs(tmp_path: Path) -> Path:
    nodes = [helper.make_node("Add", ["a", "b"], ["y"])]
    inputs = [making.value("a", ("batch", "seq")), making.value("b", ("batch", "seq"))]
    return making.save(making.model(nodes, inputs, [making.value("y", None)]), tmp_path)


@pytest.fixture
def editor(empty_window: MainWindow, two_inputs: Path, qtbot: QtBot) -> Iterator[ProfileWindow]:
    open_here(empty_window.session, two_inputs)
    QTest.mouseClick(empty_window.model_panel.profiles, Qt.MouseButton.LeftButton)
    shown = empty_window.profiles.window
    assert shown is not None
    qtbot.waitUntil(lambda: not empty_window.session.profiles.is_looking, timeout=TIMEOUT_MS)
    yield shown
    shown.close()


def _type(editor: ProfileWindow, profile: int, dim: str, side: int, text: str) -> None:
    field = editor.cards[profile].fields[dim, side]
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


@pytest.mark.parametrize(("chosen", "target"), [("", "sm89"), ("sm86", "sm86"), ("sm86,sm120", "sm86")])
def test_memory_is_measured_for_a_target_that_was_chosen_or_the_default(
    chosen: str, target: str, empty_window: MainWindow, editor: ProfileWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = empty_window.session
    asked: list[ProfileMemoryRequest] = []
    monkeypatch.setattr(session.runs, "start", lambda request, kind: asked.append(request))
    targets = {name: name for name in ("sm75", "sm86", "sm89", "sm120")}
    session.backends = {"tensorrt_rtx": BackendInfo("TensorRT for RTX", targets=targets)}
    session.choose("Targets", target=chosen)
    session.profiles.add()
    session.profile_memories.start("batch")
    assert {request.run.config.target for request in asked} == {target}
    assert session.profile_memories.title == f"FP32 for {target}"


def test_a_number_typed_goes_everywhere_its_dimension_stands_and_comes_back_with_undo(
    empty_window: MainWindow, editor: ProfileWindow
) -> None:
    session = empty_window.session
    assert not editor.cards
    assert not editor.empty.isHidden()
    QTest.mouseClick(editor.add, Qt.MouseButton.LeftButton)
    assert session.profiles.ranges == ({"batch": (1, 1, 8), "seq": (1, 64, 512)},)
    _type(editor, 0, "batch", 2, "32")
    assert session.choices.profiles[0].max == {"a": (32, 512), "b": (32, 512)}
    _type(editor, 0, "batch", 0, "48")  # above opt and max, which make way
    assert session.profiles.ranges[0]["batch"] == (48, 48, 48)
    assert [editor.cards[0].fields["batch", side].value() for side in range(3)] == [48, 48, 48]
    assert session.choices.shapes == {"a": (48, 64), "b": (48, 64)}
    QTest.mouseClick(editor.undo, Qt.MouseButton.LeftButton)
    assert session.profiles.ranges[0]["batch"] == (1, 1, 32)
    assert session.model is not None
    assert read_recipe(session.model).profiles == session.choices.profiles


def test_a_second_profile_goes_on_where_the_first_ends_and_each_can_be_removed(
    empty_window: MainWindow, editor: ProfileWindow
) -> None:
    session = empty_window.session
    for _ in range(2):
        QTest.mouseClick(editor.add, Qt.MouseButton.LeftButton)
    assert [ranges["batch"] for ranges in session.profiles.ranges] == [(1, 1, 8), (8, 16, 16)]
    assert "2 profiles" in empty_window.model_panel.profiles.words.main
    QTest.mouseClick(editor.cards[0].remove, Qt.MouseButton.LeftButton)
    assert [ranges["batch"] for ranges in session.profiles.ranges] == [(8, 16, 16)]
    QTest.mouseClick(editor.cards[0].remove, Qt.MouseButton.LeftButton)
    assert session.choices.config().profiles == ()
    assert not editor.empty.isHidden()


def test_a_shape_that_no_profile_holds_is_told_before_a_build(empty_window: MainWindow, editor: ProfileWindow) -> None:
    QTest.mouseClick(editor.add, Qt.MouseButton.LeftButton)
    empty_window.session.choose("Shape", shapes={"a": (9, 64), "b": (9, 64)})
    assert not editor.problem.isHidden()
    assert "would be run at 9; the profile goes from 1 to 8" in editor.problem.text()
    assert empty_window.model_panel.profiles.words.tone == "bad"


def test_profiles_are_there_again_when_the_model_is_opened_again(
    empty_window: MainWindow, editor: ProfileWindow, two_inputs: Path
) -> None:
    QTest.mouseClick(editor.add, Qt.MouseButton.LeftButton)
    _type(editor, 0, "seq", 2, "128")
    empty_window.session.close_model()
    assert editor.isHidden()
    open_here(empty_window.session, two_inputs)
    assert empty_window.session.profiles.ranges[0]["seq"] == (1, 64, 128)


def test_a_batch_that_a_reshape_holds_is_told_by_node_and_freed_in_a_proven_copy(
    empty_window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    nodes = [
        helper.make_node("Reshape", ["x", "target"], ["flat"], name="flatten"),
        helper.make_node("MatMul", ["flat", "w"], ["y"]),
    ]
    target = helper.make_tensor("target", 7, [2], [1, 12])
    weights = helper.make_tensor("w", 1, [12, 2], [float(i) for i in range(24)])
    proto = making.model(nodes, [making.value("x", (1, 3, 4))], [making.value("y", (1, 2))], [target, weights])
    path = making.save(proto, tmp_path)
    session = empty_window.session
    open_here(session, path)
    empty_window.actions_by_id["profiles"].trigger()
    editor = empty_window.profiles.window
    assert editor is not None
    held = editor.held
    qtbot.waitUntil(lambda: bool(held.lines), timeout=TIMEOUT_MS)
    assert held.lines[0].words.main == (
        "Reshape 'flatten' (n0) goes to [1, 12]: the batch stands there as a number. [0, 12] follows its input."
    )
    QTest.mouseClick(held.lines[0], Qt.MouseButton.LeftButton)
    assert session.selection.nodes == frozenset({"n0"})
    QTest.mouseClick(held.free, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.message is not None and session.model is not None, timeout=TIMEOUT_MS)
    assert session.message is not None
    assert "3 samples together give what each gives alone" in session.message.text
    assert session.model is not None
    assert session.model.path == str(path.with_name(f"{path.stem}.free.onnx"))
    assert session.model.inputs[0].shape == ("batch", 3, 4)
    assert path.exists()
    editor.close()
