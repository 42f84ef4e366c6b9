"""The graphs side by side, driven by mouse and keys: links, dimming, two engines, the run pickers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.pipeline.fusing import engine, layer
from tests.session.engines import save_run, take, two_runs
from tests.views.canvas.graphs import blocks
from tests.views.driving import CONTROL, LEFT, NONE, TIMEOUT_MS, click, click_node
from workbench.core.graph import Fate, FateKind
from workbench.core.precision import Precision
from workbench.core.run import Run
from workbench.session.selection import Side
from workbench.session.session import Session
from workbench.store import Store
from workbench.views.application import make_application
from workbench.views.canvas import GraphCanvas
from workbench.views.main_window import MainWindow
from workbench.views.pane_bar import ONE, TWO
from workbench.views.panes import Panes
from workbench.views.segments import Segments

SHIFT_CONTROL = CONTROL | Qt.KeyboardModifier.ShiftModifier


def open_window(qtbot: QtBot) -> MainWindow:
    make_application()
    session = Session()
    session.settings.set("theme", "light")
    window = MainWindow(session, remembers=False)
    window.resize(1600, 1000)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=TIMEOUT_MS)
    for pane in window.panes.by_side.values():
        pane.canvas.is_animated = False
    take(session)
    return window


@pytest.fixture
def runs(own_data_folder: object) -> tuple[Run, Run]:
    return two_runs()


@pytest.fixture
def window(runs: tuple[Run, Run], qtbot: QtBot, qapp: object) -> Iterator[MainWindow]:
    made = open_window(qtbot)
    yield made
    made.close()


@pytest.fixture
def two(window: MainWindow) -> MainWindow:
    """With two engines side by side."""
    press(window.panes.bar.modes, TWO)
    return window


class Bare:
    """The panes alone: what does not need the rest of the window is tested in a third of the time."""

    def __init__(self, qtbot: QtBot) -> None:
        make_application()
        self.session = Session()
        self.panes = Panes(self.session)
        self.panes.resize(1060, 560)
        qtbot.addWidget(self.panes)
        self.panes.show()
        qtbot.waitExposed(self.panes)
        for pane in self.panes.by_side.values():
            pane.canvas.is_animated = False
        take(self.session)


@pytest.fixture
def bare(runs: tuple[Run, Run], qtbot: QtBot, qapp: object) -> Iterator[Bare]:
    made = Bare(qtbot)
    yield made
    made.session.close()


@pytest.fixture
def bare_two(bare: Bare) -> Bare:
    press(bare.panes.bar.modes, TWO)
    return bare


def press(segments: Segments, key: str) -> None:
    QTest.mouseClick(segments, LEFT, NONE, segments.place(key).center().toPoint())


def dimmed(canvas: GraphCanvas) -> set[str]:
    return {canvas.scene.ids[box] for box, is_dim in enumerate(canvas.marks.dim) if is_dim}


def answer(window: MainWindow | Bare) -> str:
    words = window.panes.bar.answer.words
    return f"{words.main}: {words.soft}"


def test_every_node_and_layer_answers_to_a_click(window: MainWindow) -> None:
    source, right = window.panes.source.canvas, window.panes.engine.canvas
    for canvas, items in ((source, window.session.links.nodes), (right, window.session.links.layers)):
        for key in items:
            click_node(canvas, key)
            assert canvas.selection == {key} and len(answer(window)) > 10
            assert len(window.inspector.texts()) > 3


def test_nodes_light_up_their_layers_and_back_many_to_many(bare: Bare) -> None:
    source, right = bare.panes.source.canvas, bare.panes.engine.canvas
    click_node(source, "n3")
    QTest.keyClick(source, Qt.Key.Key_A, CONTROL)  # all
    assert right.selection == {f"l{i}" for i in range(5)}
    click_node(right, "l2")
    assert source.selection == {"n3", "n4"} and bare.session.selection.chosen is Side.ENGINE


def test_a_node_without_layers_leaves_no_ring_at_the_layer_before(bare: Bare) -> None:
    source, right = bare.panes.source.canvas, bare.panes.engine.canvas
    click_node(right, "l2")
    assert right.current == right.scene.index["l2"]
    click_node(source, "input:x")
    assert not bare.session.selection and right.current == -1 and source.current == source.scene.index["input:x"]


def test_a_layer_that_the_compiler_added_says_so(bare: Bare) -> None:
    right = bare.panes.engine.canvas
    click_node(right, "l0")
    assert answer(bare).startswith("Reorder: The compiler added this layer: it quantizes FP32 to UINT8")
    assert right.marks.badges[right.scene.index["l0"]] == "added"


def test_nodes_bear_the_badge_of_their_fate(bare: Bare) -> None:
    canvas = bare.panes.source.canvas
    badges = {canvas.scene.ids[box]: text for box, text in canvas.marks.badges.items()}
    assert badges["n0"] == "→ Conv+BatchNormalization+Relu" and badges["n5"] == "alone" and badges["n6"] == "absorbed"


def test_of_two_branches_the_one_that_the_engine_kept_opens(bare: Bare) -> None:
    bodies = ["n1.else_branch", "n1.then_branch"]
    living = bare.panes.source.canvas.living_body
    assert living(bodies) == "n1.else_branch"
    gone, kept = Fate(FateKind.REMOVED), Fate(FateKind.ALONE, ("l1",))
    bare.session.links.fates |= {"n1.else_branch.n0": gone, "n1.then_branch.n0": kept, "n1.then_branch.n1": gone}
    assert living(bodies) == "n1.then_branch"


def test_all_groups_open_and_close_by_keys(window: MainWindow) -> None:
    for pane in window.panes.shown():
        canvas = pane.canvas
        canvas.set_graph(*blocks(3))
        assert not canvas.scene.closed
    QTest.keyClick(window, Qt.Key.Key_BracketLeft, CONTROL)
    assert all(pane.canvas.scene.closed and not len(pane.canvas.scene.groups) for pane in window.panes.shown())
    QTest.keyClick(window, Qt.Key.Key_BracketRight, CONTROL)
    assert not any(pane.canvas.scene.closed for pane in window.panes.shown())


def test_the_rest_steps_back_on_demand(window: MainWindow) -> None:
    source, right = window.panes.source.canvas, window.panes.engine.canvas
    click_node(source, "n3")
    assert not dimmed(source) and not dimmed(right)
    click(window.panes.bar.dim)
    assert Session().settings.get("dim_rest") is True  # remembered
    assert dimmed(right) == {"l0", "l1", "l3", "l4"} and "n3" not in dimmed(source) and "n0" in dimmed(source)
    click_node(right, "l3")
    assert dimmed(right) == {"l0", "l1", "l2", "l4"}
    window.session.select_nodes([])
    assert not dimmed(source) and not dimmed(right)
    QTest.keyClick(window, Qt.Key.Key_D, CONTROL)
    click_node(source, "n3")
    assert not dimmed(right) and not window.panes.bar.dim.isChecked()


def test_two_engines_stand_side_by_side_and_back(window: MainWindow) -> None:
    panes = window.panes
    assert panes.left.currentWidget() is panes.source
    press(panes.bar.modes, TWO)
    assert panes.left.currentWidget() is panes.first and panes.first.canvas.scene.count
    assert panes.run_of_first.words().main == "A" and "FP32" in panes.run_of_first.words().soft
    assert panes.run_of_engine.words().main == "B" and "INT8" in panes.run_of_engine.words().soft
    panes.engine.overlays._choose("precision")
    assert panes.first.overlays.current == "precision"  # both engines are seen through the same overlay
    press(panes.bar.modes, ONE)
    assert panes.left.currentWidget() is panes.source and panes.run_of_engine.words().main == "Engine"
    QTest.keyClick(window, Qt.Key.Key_T, CONTROL)
    assert panes.left.currentWidget() is panes.first


def test_the_arrow_keys_choose_what_stands_side_by_side(bare: Bare) -> None:
    modes = bare.panes.bar.modes
    modes.setFocus()
    QTest.keyClick(modes, Qt.Key.Key_Right)
    assert bare.session.pair.is_on and modes.current == TWO
    QTest.keyClick(modes, Qt.Key.Key_Left)
    assert not bare.session.pair.is_on


def test_a_click_in_a_selects_in_b_through_the_nodes(two: MainWindow) -> None:
    panes = two.panes
    click_node(panes.first.canvas, "l2")
    assert panes.engine.canvas.selection == {"l2", "l3"} and two.session.selection.nodes == {"n3", "n4", "n5"}
    texts = two.inspector.texts()
    assert "Conv+Relu+Add" in texts and any("Split into 2" in text for text in texts)
    click_node(panes.engine.canvas, "l3")
    assert panes.first.canvas.selection == {"l2"}
    assert two.session.selection.chosen is Side.ENGINE


def test_layers_bear_what_is_different_in_the_other_engine(bare_two: Bare) -> None:
    badges = {}
    for name, pane in (("a", bare_two.panes.first), ("b", bare_two.panes.engine)):
        canvas = pane.canvas
        badges |= {name + canvas.scene.ids[box]: text for box, text in canvas.marks.badges.items()}
    assert badges["al1"] == badges["bl1"] == "FP32 → INT8"
    assert badges["al2"] == badges["bl2"] == badges["bl3"] == "1 → 2 layers"
    press(bare_two.panes.bar.modes, ONE)
    canvas = bare_two.panes.engine.canvas
    assert canvas.marks.badges[canvas.scene.index["l1"]] == "3 nodes → 1"


def test_ctrl_shift_t_swaps_the_engines(two: MainWindow, runs: tuple[Run, Run]) -> None:
    QTest.keyClick(two, Qt.Key.Key_T, SHIFT_CONTROL)
    assert two.session.current is not None and two.session.current.id == runs[0].id
    assert "INT8" in two.panes.run_of_first.words().soft and "FP32" in two.panes.run_of_engine.words().soft


def test_a_run_is_picked_from_the_head_of_its_pane(bare: Bare, runs: tuple[Run, Run]) -> None:
    picker = bare.panes.run_of_engine
    menu = picker.menu()
    assert isinstance(menu, QMenu)
    menu.popup(picker.mapToGlobal(QPoint(0, picker.height())))
    entry = next(action for action in menu.actions() if "FP32" in action.text())
    menu.setActiveAction(entry)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    menu.hide()
    assert bare.session.current is not None and bare.session.current.id == runs[0].id
    assert "FP32 · 4 layers" in picker.words().soft


def test_engines_that_were_never_timed_are_compared_too(own_data_folder: object, qtbot: QtBot, qapp: object) -> None:
    two_runs(timed=False)
    window = open_window(qtbot)
    press(window.panes.bar.modes, TWO)
    window.bottom.cells[2].show_page(window.bottom.differences)
    columns = [column.id for column in window.bottom.differences.table.rows.content.columns]
    assert columns == ["title", "count", "words"]
    click_node(window.panes.first.canvas, "l1")
    assert "precision changed" in window.bottom.differences.sentence.words.main
    window.close()


def test_one_engine_alone_cannot_be_compared_and_says_what_is_missing(
    own_data_folder: object, qtbot: QtBot, qapp: object
) -> None:
    only = engine(layer(0, "n0 n1 n2 n3 n4 n5 n6 n7", "x", "y", title="Conv"))
    save_run(Store(), Precision.FP32, only, {})
    window = open_window(qtbot)
    press(window.panes.bar.modes, TWO)
    assert not window.session.pair.is_on and "second engine" in window.panes.bar.modes.toolTip()
    assert not window.actions_by_id["two_engines"].isEnabled()
    window.close()


def test_closing_the_model_ends_the_comparison(bare_two: Bare) -> None:
    click_node(bare_two.panes.first.canvas, "l1")
    bare_two.session.close_model()
    assert not bare_two.session.pair.is_on and not bare_two.session.selection


def test_the_difference_of_two_engines_can_be_laid_over_both(bare_two: Bare) -> None:
    panes = bare_two.panes
    panes.engine.overlays._choose("difference")
    canvas = panes.engine.canvas
    shown = {canvas.scene.ids[box]: canvas.marks.value_text(box) for box in range(canvas.scene.count)}
    assert shown["l2"] == "−0.550 ms" and shown["l4"] == "0.000 ms"
    assert panes.first.overlays.current == "difference"
    press(panes.bar.modes, ONE)
    assert panes.engine.overlays._reasons["difference"].startswith("Needs two engines")
