"""The plan as a document: every edit is one undoable choice, files are remembered, the command is the exact one."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PySide6.QtCore import QModelIndex, Qt

from tests.precision.models import blocks_model, constants_model
from tests.session.models import open_here, save_small_model
from workbench.cli.arguments import make_parser
from workbench.cli.plans import plan_of
from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.precision import CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.session.plan_command import command_line
from workbench.session.plan_groups_model import GroupsModel
from workbench.session.plan_rules_model import FIELDS, RulesModel
from workbench.session.questions import BackendInfo
from workbench.session.session import Session

P = Precision


def edits() -> list[tuple[str, object]]:
    return [
        ("default", lambda plan: plan.set_default(P.INT8)),
        ("rule", lambda plan: plan.add_rule(Rule(P.FP32, op="Relu"))),
        ("stroke", lambda plan: plan.ask(["n0", "n1"], P.FP16)),
        ("group", lambda plan: plan.ask_group("layers/1", P.BF16)),
        ("erase", lambda plan: plan.erase(["n0"])),
        ("change", lambda plan: plan.set_rule(0, Rule(P.BF16, op="Relu"))),
        ("move", lambda plan: plan.move_rule(0, 1)),
        ("method", lambda plan: plan.set_calibration("ranges", method=CalibrationMethod.MAX)),
        ("types", lambda plan: plan.set_keep_io(False)),
        ("pass", lambda plan: plan.set_pass("fold_batchnorm", False)),
        ("text", lambda plan: plan.apply_text('default = "fp16"\n[[rules]]\nprecision = "fp32"\nop = "MatMul"')),
        ("remove", lambda plan: plan.remove_rules([0])),
        ("rules", lambda plan: plan.add_rule(Rule(P.FP32, first=1))),
        ("clear", lambda plan: plan.clear()),
    ]


def test_every_edit_is_one_step_of_undo_and_of_redo(session: Session, tmp_path: Path) -> None:
    opened = session
    open_here(opened, Path(blocks_model(tmp_path).path))
    plans = [opened.plan.value]
    for name, edit in edits():
        edit(opened.plan)  # type: ignore[operator]
        assert opened.undo.count() == len(plans), name
        assert opened.plan.value != plans[-1], name
        plans.append(opened.plan.value)
    for plan in reversed(plans[:-1]):
        opened.undo.undo()
        assert opened.plan.value == plan
    for plan in plans[1:]:
        opened.undo.redo()
        assert opened.plan.value == plan


def test_an_edit_that_changes_nothing_is_no_step(opened: Session) -> None:
    opened.undo.clear()
    opened.plan.ask(["n0"], opened.plan.value.default)
    opened.plan.erase(["n0", "n1"])
    opened.plan.clear()
    assert opened.undo.count() == 0


def test_a_node_says_what_it_will_run_in_and_why(opened: Session) -> None:
    plan = opened.plan
    plan.set_default(P.INT8)
    plan.add_rule(Rule(P.FP16, op="Conv"))
    plan.ask(["n2"], P.FP32)
    assert plan.why("n0") == "FP16 by rule 1: op = Conv"
    assert plan.why("n1") == "INT8 by default"
    assert plan.why("n2") == "FP32 by rule 2: painted (over rule 1)"
    assert plan.why("n99") == plan.reason("n99") == ""
    assert plan.tell(["n0", "n1", "n2", "n3"]) == "plan: 2 INT8, 1 FP16, 1 FP32"
    plan.add_rule(Rule(P.FP16, op="Gemm"))
    assert plan.problems == ("Rule 3 matches no node of this model: op = Gemm.",)


def test_what_the_backend_will_not_run_as_asked_is_known_before_a_build(opened: Session) -> None:
    how = {P.FP32: How.GRAPH, P.BF16: How.GRAPH, P.FP8: How.NONE}
    dialect = Dialect("d", how, float_ops={P.BF16: ("Softmax",)})
    info = BackendInfo("Some engine", precisions={P.INT4_WEIGHTS: "This CPU has no INT4."}, dialect=dialect)
    opened.backends = {"null": info}
    plan = opened.plan
    plan.set_default(P.BF16)
    assert plan.limits == {"n4": "Softmax stays in FP32: Some engine has no BF16 kernel for it."}
    plan.ask(["n0"], P.FP8)
    plan.ask(["n2"], P.INT4_WEIGHTS)
    assert (plan.limits["n0"], plan.limits["n2"]) == ("Some engine does not take FP8.", "This CPU has no INT4.")
    assert plan.tell(["n0"]) == "plan: FP8 by rule 1: painted\nSome engine does not take FP8."
    plan.set_default(P.INT8)
    assert "n3" not in plan.limits  # a Relu among quantized Convs is no news
    plan.ask(["n4"], P.INT8)
    plan.add_rule(Rule(P.INT8, op="Softmax"))
    assert plan.limits["n4"] == "Softmax stays in float: INT8 is for Conv, MatMul and Gemm."
    opened.close_model()
    assert plan.limits == {} and plan.tell(["n0"]) == "" and plan.problems == ()


def test_a_saved_plan_is_saved_until_it_is_changed_and_loaded_plans_can_be_undone(
    opened: Session, tmp_path: Path
) -> None:
    plan, path = opened.plan, tmp_path / "mine.toml"
    plan.ask(["n0"], P.FP16)
    plan.save(path)
    assert plan.is_saved and plan.saved.recent == (str(path),)
    plan.set_default(P.BF16)
    assert not plan.is_saved
    assert plan.load(path) == ""
    assert plan.is_saved and plan.value.default is P.FP32
    opened.undo.undo()
    assert plan.value.default is P.BF16 and not plan.is_saved
    path.write_text("no plan")
    with pytest.raises(WorkbenchError, match="not a precision plan"):
        plan.load(path)
    assert plan.value.default is P.BF16 and plan.saved.recent == ()


def test_a_plan_file_fits_a_model_that_was_exported_again(opened: Session, tmp_path: Path) -> None:
    opened.plan.ask(["n2", "n4"], P.FP16)
    opened.plan.save(tmp_path / "plan.toml")
    open_here(opened, save_small_model(tmp_path / "again.onnx", blocks=3))
    assert opened.plan.load(tmp_path / "plan.toml") == ""
    asked = [node for node, precision in opened.asked.items() if precision is P.FP16]
    assert asked == ["n2", "n6"]  # conv_1 and softmax, wherever they are now


@pytest.mark.parametrize("rules", [(), (Rule(P.FP32, name="it's a *"),)])
def test_the_command_says_exactly_what_the_window_would_build(
    session: Session, tmp_path: Path, rules: tuple[Rule, ...]
) -> None:
    path = save_small_model(tmp_path / "a model's file.onnx")
    open_here(session, path)
    plan = PrecisionPlan(P.INT8, rules)
    session.choose(
        "All",
        backend="null",
        plan=plan,
        calibration="random",
        shapes={"x": (4, 3, 8, 8)},
        options={"latency_ms": "1 2"},
    )
    session.plan.set_calibration("ranges", method=CalibrationMethod.PERCENTILE, percentile=99.5, samples=7)
    words = shlex.split(command_line(session))
    assert words[:5] == ["workbench", "run", str(path), "--backend", "null"]
    arguments = make_parser().parse_args(words[1:])
    assert plan_of(arguments) == session.plan.value
    assert (arguments.calibration, dict(arguments.shape), dict(arguments.option)) == (
        "random",
        {"x": (4, 3, 8, 8)},
        {"latency_ms": "1 2"},
    )
    assert ("--plan" in words) == bool(rules)


@pytest.mark.parametrize("plan", [PrecisionPlan(P.FP16), PrecisionPlan(P.INT8, quantizer="ort:int8")])
def test_the_command_names_the_samples_also_for_what_needs_no_ranges(
    session: Session, tmp_path: Path, plan: PrecisionPlan
) -> None:
    """Overflows of FP16, and other quantizers, are looked for and fed with the same samples."""
    open_here(session, save_small_model(tmp_path / "small.onnx"))
    session.choose("All", plan=plan, calibration="random")
    session.plan.set_calibration("ranges", samples=7)
    arguments = make_parser().parse_args(shlex.split(command_line(session))[1:])
    assert plan_of(arguments) == session.plan.value and arguments.calibration == "random"


def test_the_command_names_the_file_where_it_holds_the_plan(opened: Session, tmp_path: Path) -> None:
    opened.plan.ask(["n0"], P.FP16)
    before = command_line(opened)
    opened.plan.save(tmp_path / "plan.toml")
    assert str(tmp_path / "plan.toml") in command_line(opened) and str(tmp_path / "plan.toml") not in before


def test_the_table_edits_rules_and_its_last_row_adds_one(opened: Session) -> None:
    model = RulesModel(opened)
    opened.plan.set_brush(P.FP16)
    assert model.rowCount() == 1
    assert model.setData(model.index(0, FIELDS.index("op")), " Conv ")
    assert opened.plan.value.rules == (Rule(P.FP16, op="Conv"),)
    assert model.setData(model.index(0, FIELDS.index("precision")), "bf16")
    assert model.setData(model.index(0, FIELDS.index("first")), "2")
    assert not model.setData(model.index(0, FIELDS.index("first")), "two")
    assert not model.setData(model.index(0, FIELDS.index("precision")), "fp7")
    off = Qt.CheckState.Unchecked.value
    assert model.setData(model.index(0, FIELDS.index("off")), off, Qt.ItemDataRole.CheckStateRole)
    assert opened.plan.value.rules == (Rule(P.BF16, op="Conv", first=2, off=True),)
    assert model.index(0, FIELDS.index("decided")).data() == "off"


def test_a_rule_that_is_dropped_elsewhere_in_the_table_moves(opened: Session) -> None:
    model = RulesModel(opened)
    for op in ("Conv", "Relu", "Softmax"):
        opened.plan.add_rule(Rule(P.FP16, op=op))
    data = model.mimeData([model.index(0, 0), model.index(0, 1)])
    assert not model.dropMimeData(data, Qt.DropAction.MoveAction, 3, 0, QModelIndex())
    assert [rule.op for rule in opened.plan.value.rules] == ["Relu", "Softmax", "Conv"]
    model.dropMimeData(model.mimeData([model.index(2, 0)]), Qt.DropAction.MoveAction, -1, -1, model.index(0, 2))
    assert [rule.op for rule in opened.plan.value.rules] == ["Conv", "Relu", "Softmax"]


def test_the_tree_counts_what_groups_run_in_and_ticks_follow_the_brush(session: Session, tmp_path: Path) -> None:
    open_here(session, Path(blocks_model(tmp_path).path))
    model, plan = GroupsModel(session), session.plan
    block = model.index(0, 0)
    attention = model.index(0, 0, block)
    assert (block.data(), attention.data(), attention.parent()) == ("layers/0", "attn", block)
    plan.set_brush(P.FP16)
    plan.ask(["n0"], P.FP16)
    state, check = Qt.CheckState, Qt.ItemDataRole.CheckStateRole
    assert [block.data(check), attention.data(check)] == [state.PartiallyChecked, state.PartiallyChecked]
    assert block.siblingAtColumn(2).data() == "2 FP32, 1 FP16"
    assert model.setData(attention, state.Checked.value, check)
    assert plan.value.rules == (Rule(P.FP16, scope="layers/0/attn"),)
    assert [block.data(check), attention.data(check)] == [state.PartiallyChecked, state.Checked]
    plan.set_brush(P.FP32)
    assert attention.data(check) is state.Unchecked
    plan.set_brush(P.FP16)
    assert model.setData(block.siblingAtColumn(2), "bf16") and not model.setData(block.siblingAtColumn(2), "fp7")
    assert plan.value.rules == (Rule(P.BF16, scope="layers/0"),)
    node = model.index(0, 0, attention)
    assert model.setData(node, state.Checked.value, check)
    assert set(model.nodes(block)) == {"n0", "n1", "n2"} and session.asked["n0"] is P.FP16
    assert model.setData(block, state.Unchecked.value, check)
    assert plan.value.rules == ()


def test_constants_of_a_group_make_it_not_mixed(session: Session, tmp_path: Path) -> None:
    open_here(session, Path(constants_model(tmp_path).path))
    session.plan.set_brush(P.FP16)
    session.plan.ask(["n1", "n2", "n3", "n4"], P.FP16)
    model = GroupsModel(session)
    group = model.index(0, 0)
    assert group.data() == "block/a"
    assert group.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    assert (group.siblingAtColumn(1).data(), group.siblingAtColumn(2).data()) == ("4", "FP16")
