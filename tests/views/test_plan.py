"""The plan edited by hand: strokes on the graph, right click, table, tree, text, difference; each is undone by keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QHelpEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from tests.precision.models import blocks_model
from tests.session.models import open_here
from tests.views.driving import LEFT, NONE, TIMEOUT_MS, click, drop, hover
from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.session.plan_rules_model import FIELDS
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.pointer import Tool
from workbench.views.main_window import MainWindow
from workbench.views.plan_window import PlanWindow

P = Precision
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def blocks(empty_window: MainWindow, tmp_path: Path) -> MainWindow:
    """A model of two named blocks, its groups open and the whole of it in view."""
    open_here(empty_window.session, Path(blocks_model(tmp_path).path))
    empty_window.session.choose("Null", backend="null")
    empty_window.session.undo.clear()
    canvas = empty_window.panes.source.canvas
    if hasattr(canvas, "expand_all"):
        canvas.expand_all()
    canvas.fit()
    return empty_window


def place(canvas: GraphCanvas, node: str) -> QPointF:
    box = canvas.scene.index[node]
    x, y = canvas.camera.to_device(float(canvas.scene.placed.x[box]), float(canvas.scene.placed.y[box]))
    return QPointF(round(x), round(y))


def drag(canvas: GraphCanvas, *places: QPointF) -> None:
    """The left button pressed at the first place, moved over the others, let go at the last."""
    QTest.mousePress(canvas, LEFT, NONE, places[0].toPoint())
    for at in places[1:]:
        event = QMouseEvent(QEvent.Type.MouseMove, at, canvas.mapToGlobal(at), Qt.MouseButton.NoButton, LEFT, NONE)
        QApplication.sendEvent(canvas, event)
    QTest.mouseRelease(canvas, LEFT, NONE, places[-1].toPoint())


def asked(window: MainWindow) -> str:
    return " ".join(window.session.asked.values())


def undo(window: QWidget) -> None:
    QTest.keyClick(window, Qt.Key.Key_Z, CONTROL)


def redo(window: QWidget) -> None:
    QTest.keyClick(window, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)


def test_a_key_takes_a_brush_and_a_stroke_over_nodes_paints_them(blocks: MainWindow) -> None:
    canvas = blocks.panes.source.canvas
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_4)
    assert canvas.tool is Tool.BRUSH and blocks.session.plan.brush is P.FP16
    assert blocks.plan_panel.paint.brushes[P.FP16].isChecked()
    drag(canvas, place(canvas, "n0"), place(canvas, "n1"))
    assert asked(blocks) == "fp16 fp16 fp32 fp32 fp32 fp32"
    QTest.keyClick(canvas, Qt.Key.Key_3)
    drag(canvas, place(canvas, "n1"), place(canvas, "n1"))
    assert asked(blocks) == "fp16 bf16 fp32 fp32 fp32 fp32"
    undo(blocks)
    assert asked(blocks) == "fp16 fp16 fp32 fp32 fp32 fp32"
    undo(blocks)
    assert blocks.session.plan.value.rules == ()
    redo(blocks)
    assert len(blocks.session.plan.value.rules) == 1
    QTest.keyClick(canvas, Qt.Key.Key_0)
    drag(canvas, place(canvas, "n0"), place(canvas, "n0"))
    assert asked(blocks) == "fp32 fp16 fp32 fp32 fp32 fp32"
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert canvas.tool is Tool.SELECT and blocks.plan_panel.paint.tools[Tool.SELECT].isChecked()


def test_a_rectangle_paints_what_it_touches(blocks: MainWindow) -> None:
    canvas, box = blocks.panes.source.canvas, blocks.plan_panel.paint
    click(box.brushes[P.BF16])
    click(box.tools[Tool.RECTANGLE])
    corner = QPointF(canvas.width() - 3, canvas.height() - 3)
    drag(canvas, QPointF(3, 3), QPointF(60, 60), corner)
    assert asked(blocks) == " ".join(["bf16"] * 6)
    undo(blocks)
    assert asked(blocks) == " ".join(["fp32"] * 6)


def context_menu(widget: QWidget, at: QPoint, qtbot: QtBot) -> QMenu:
    QApplication.sendEvent(widget, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, widget.mapToGlobal(at)))
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu), timeout=TIMEOUT_MS)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def pick(menu: QMenu, text: str) -> None:
    entry = next(action for action in menu.actions() if action.text().startswith(text))
    menu.setActiveAction(entry)
    QTest.keyClick(menu, Qt.Key.Key_Return)


def test_a_right_click_asks_a_precision_of_a_node_and_of_a_whole_group(blocks: MainWindow, qtbot: QtBot) -> None:
    canvas = blocks.panes.source.canvas
    pick(context_menu(canvas, place(canvas, "n2").toPoint(), qtbot), "BF16")
    assert blocks.session.plan.value.rules == (Rule(P.BF16, nodes=("/layers/0/mlp/MatMul",)),)
    blocks.session.select_nodes(["n3", "n4"])
    menu = context_menu(canvas, place(canvas, "n3").toPoint(), qtbot)
    assert menu.actions()[2].text() == "group layers/1/attn"
    pick(menu, "FP16")
    assert blocks.session.plan.value.rules[-1] == Rule(P.FP16, scope="layers/1/attn")
    pick(context_menu(canvas, place(canvas, "n3").toPoint(), qtbot), "Clear")
    undo(blocks)
    assert blocks.session.plan.value.rules[-1] == Rule(P.FP16, scope="layers/1/attn")


def test_the_tooltip_of_a_node_says_what_it_will_run_in_and_why(
    blocks: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("workbench.views.canvas.canvas.QToolTip.showText", lambda _at, text, _of: said.append(text))
    blocks.session.plan.add_rule(Rule(P.FP16, op="Relu"))
    canvas = blocks.panes.source.canvas
    at = place(canvas, "n1").toPoint()
    QApplication.sendEvent(canvas, QHelpEvent(QEvent.Type.ToolTip, at, canvas.mapToGlobal(at)))
    assert "plan: FP16 by rule 1: op = Relu" in said[0]


def test_the_inspector_says_why_and_what_will_be_at_the_next_build(blocks: MainWindow) -> None:
    blocks.session.plan.add_rule(Rule(P.FP16, op="Relu"))
    blocks.session.select_nodes(["n1"])
    texts = blocks.inspector.texts()
    assert "FP16 by rule 1" in texts and "op = Relu" in texts
    blocks.session.select_nodes(["n0"])
    assert "FP32 by default" in blocks.inspector.texts() and "why" not in blocks.inspector.texts()


def test_a_row_of_the_panel_selects_what_its_rule_decides(blocks: MainWindow) -> None:
    blocks.session.plan.add_rule(Rule(P.FP16, op="Relu"))
    blocks.session.plan.add_rule(Rule(P.BF16, scope="layers/1"))
    click(blocks.plan_panel.rows[1])
    assert blocks.session.selection.nodes == {"n1"}
    click(blocks.plan_panel.rows[0])
    assert blocks.session.selection.nodes == {"n0", "n2"}
    blocks.session.plan.add_rule(Rule(P.FP32, scope="layers/*"))
    assert [row.tail.words.main for row in blocks.plan_panel.rows[1:]] == ["shadowed", "shadowed", "6 nodes"]


# the editor


@pytest.fixture
def editor(blocks: MainWindow) -> PlanWindow:
    blocks.actions_by_id["plan_edit"].trigger()
    made = blocks.plan_panel.editor
    assert made is not None and made.isVisible()
    return made


def cell_editor(editor: PlanWindow, row: int, field: str) -> QWidget:
    """Opens the editor of a cell by a double click."""
    table = editor.rules.table
    index = table.rules.index(row, FIELDS.index(field))
    at = table.visualRect(index).center()
    QTest.mouseClick(table.viewport(), LEFT, NONE, at)
    QTest.mouseDClick(table.viewport(), LEFT, NONE, at)
    kind = QComboBox if field == "precision" else QLineEdit
    return table.findChildren(kind)[-1]


def type_into(editor: PlanWindow, row: int, field: str, text: str) -> None:
    line = cell_editor(editor, row, field)
    assert isinstance(line, QLineEdit)
    line.selectAll()
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)
    QApplication.processEvents()  # Qt takes the value from an editor when its key is dealt with


def test_the_table_is_edited_in_place(editor: PlanWindow, blocks: MainWindow) -> None:
    plan = blocks.session.plan
    plan.set_brush(P.FP16)
    type_into(editor, 0, "op", "Relu")
    assert plan.value.rules == (Rule(P.FP16, op="Relu"),)
    type_into(editor, 1, "name", "*mlp*")
    type_into(editor, 0, "note", "why not")
    assert plan.value.rules == (Rule(P.FP16, op="Relu", note="why not"), Rule(P.FP16, name="*mlp*"))
    combo = cell_editor(editor, 1, "precision")
    assert isinstance(combo, QComboBox)
    combo.setCurrentIndex(combo.findData("bf16"))
    combo.activated.emit(combo.currentIndex())
    assert plan.value.rules[1].precision is P.BF16
    click(editor.undo)
    assert plan.value.rules[1].precision is P.FP16
    click(editor.redo)
    assert plan.value.rules[1].precision is P.BF16


def test_rows_are_switched_off_moved_and_removed_by_hand(editor: PlanWindow, blocks: MainWindow) -> None:
    plan, table = blocks.session.plan, editor.rules.table
    for op in ("Relu", "MatMul"):
        plan.add_rule(Rule(P.FP16, op=op))
    at = table.visualRect(table.rules.index(0, 0))
    QTest.mouseClick(table.viewport(), LEFT, NONE, at.topLeft() + QPoint(16, at.height() // 2))
    assert plan.value.rules[0].off
    table.setCurrentIndex(table.rules.index(0, 2))
    QTest.keyClick(table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert [rule.op for rule in plan.value.rules] == ["MatMul", "Relu"] and table.currentIndex().row() == 1
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert [rule.op for rule in plan.value.rules] == ["MatMul"]
    table.selectRow(0)
    assert blocks.session.selection.nodes == {"n0", "n2", "n3", "n5"}
    undo(editor)
    assert len(plan.value.rules) == 2


def test_boxes_of_the_tree_are_ticked_and_precisions_chosen(editor: PlanWindow, blocks: MainWindow) -> None:
    editor.show_page("groups")
    plan, tree, groups = blocks.session.plan, editor.groups.tree, editor.groups.groups
    plan.set_brush(P.FP16)
    block = groups.index(1, 0)
    QTest.mouseClick(tree.viewport(), LEFT, NONE, box_of(editor, block))
    assert plan.value.rules == (Rule(P.FP16, scope="layers/1"),)
    assert blocks.session.selection.nodes == set()  # a tick selects nothing
    tree.expand(groups.index(0, 0))
    tree.expand(groups.index(0, 0, groups.index(0, 0)))
    leaf = groups.index(1, 0, groups.index(0, 0, groups.index(0, 0)))
    QTest.mouseClick(tree.viewport(), LEFT, NONE, box_of(editor, leaf))
    assert asked(blocks) == "fp32 fp16 fp32 fp16 fp16 fp16"
    QTest.mouseClick(tree.viewport(), LEFT, NONE, box_of(editor, block))
    assert asked(blocks) == "fp32 fp16 fp32 fp32 fp32 fp32"
    undo(editor)
    assert asked(blocks) == "fp32 fp16 fp32 fp16 fp16 fp16"
    redo(editor)
    undo(editor)
    at = tree.visualRect(block.siblingAtColumn(2)).center()
    QTest.mouseClick(tree.viewport(), LEFT, NONE, at)
    assert blocks.session.selection.nodes == {"n3", "n4", "n5"}
    QTest.mouseDClick(tree.viewport(), LEFT, NONE, at)
    combo = tree.findChildren(QComboBox)[-1]
    combo.setCurrentIndex(combo.findData("bf16"))
    combo.activated.emit(combo.currentIndex())
    assert asked(blocks) == "fp32 fp16 fp32 bf16 bf16 bf16"


def box_of(editor: PlanWindow, index: QModelIndex) -> QPoint:
    """The middle of the check box in the tree."""
    rect = editor.groups.tree.visualRect(index)
    return QPoint(rect.x() + 10, rect.center().y())


def test_text_is_checked_while_it_is_typed_and_applied_by_keys(
    editor: PlanWindow, blocks: MainWindow, qtbot: QtBot
) -> None:
    editor.show_page("text")
    page, plan = editor.text, blocks.session.plan
    page.editor.selectAll()
    QTest.keyClicks(page.editor, 'default = "int9"')
    qtbot.waitUntil(lambda: page.problem is not None, timeout=TIMEOUT_MS)
    assert page.problem is not None and page.problem.line == 1 and "int9" in page.said.text()
    assert len(page.editor.extraSelections()) == 1 and not page.apply_button.isEnabled()
    QTest.keyClick(page.editor, Qt.Key.Key_Return, CONTROL)
    assert plan.value == PrecisionPlan()
    page.editor.selectAll()
    QTest.keyClicks(page.editor, 'default = "int8"')
    plan.add_rule(Rule(P.FP16, op="Relu"))
    assert page.editor.toPlainText() == 'default = "int8"' and "changed meanwhile" in page.said.text()
    QTest.keyClick(page.editor, Qt.Key.Key_Return, CONTROL)
    assert plan.value == PrecisionPlan(P.INT8) and page.editor.toPlainText() == plan.text
    click(editor.undo)
    assert plan.value == PrecisionPlan(rules=(Rule(P.FP16, op="Relu"),)) and 'op = "Relu"' in page.editor.toPlainText()


def test_what_is_different_is_listed_shown_on_the_graph_and_copied(editor: PlanWindow, blocks: MainWindow) -> None:
    editor.show_page("difference")
    page, plan = editor.difference, blocks.session.plan
    plan.add_rule(Rule(P.FP16, op="Relu"))
    page.compare(PrecisionPlan(P.FP32), "before")
    assert page.summary.words.main == "2 nodes in another precision"
    assert page.tsv().splitlines()[1:3] == [
        "rule 1\t—\tFP16 op = Relu\t",
        "Relu /layers/0/attn/Relu\tFP32\tFP16\tdefault → rule 1: op = Relu",
    ]
    click(page.show_nodes)
    assert blocks.session.selection.nodes == {"n1", "n4"}
    item = page.table.topLevelItem(1)
    assert item is not None
    QTest.mouseClick(page.table.viewport(), LEFT, NONE, page.table.visualItemRect(item).center())
    assert blocks.session.selection.nodes == {"n1"}
    page.set_after(PrecisionPlan(P.FP32), "another run")
    assert page.table.topLevelItemCount() == 0 and page.empty.text().startswith("No difference")
    page.set_after(None, "this plan")
    plan.set_default(P.BF16)
    assert page.summary.words.main == "6 nodes in another precision"
    click(page.take)
    assert plan.value == PrecisionPlan(P.FP32) and page.table.topLevelItemCount() == 0


def test_a_plan_is_saved_opened_and_copied(blocks: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    plan, files, path = blocks.session.plan, blocks.plan_panel.files, tmp_path / "mine.toml"
    plan.add_rule(Rule(P.FP16, op="Relu"))
    files.write(str(path))
    plan.clear()
    files.load(str(path))
    assert plan.value.rules == (Rule(P.FP16, op="Relu"),) and plan.is_saved
    plan.clear()
    assert drop(blocks.plan_panel, [path]) and plan.value.rules and not hover(blocks.plan_panel, [tmp_path])
    path.write_text('default = "fp7"')
    files.load(str(path))
    message = blocks.session.message
    assert message is not None and message.is_error and "mine.toml is not a precision plan: line 1" in message.text
    assert plan.value.rules == (Rule(P.FP16, op="Relu"),)
    blocks.actions_by_id["plan_command"].trigger()
    assert QGuiApplication.clipboard().text().startswith("workbench run ")


def test_without_a_model_there_is_nothing_to_paint(empty_window: MainWindow) -> None:
    panel = empty_window.plan_panel
    assert not panel.add.isEnabled() and not panel.paint.brushes[P.FP16].isEnabled()
    assert not empty_window.actions_by_id["plan_edit"].isEnabled()


def test_the_editor_goes_with_the_model(editor: PlanWindow, blocks: MainWindow) -> None:
    blocks.session.close_model()
    assert not editor.isVisible()
