"""Verdicts and advice in the session: asked once, kept, cancelled; fixes are one undoable choice each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import onnx
import pytest
from pytestqt.qtbot import QtBot

from tests.pipeline.odd import branching, customs
from tests.session.conftest import TIMEOUT_MS
from tests.session.engines import take, two_runs
from tests.session.models import open_here
from workbench.core.edits import Edit
from workbench.core.precision import Precision
from workbench.core.verdict import Remedy, Silent, Verdict
from workbench.session.advice_table import advice_table
from workbench.session.fixes import apply_edit, would_change
from workbench.session.questions import BackendInfo
from workbench.session.session import Session

BACKENDS = {
    "openvino": BackendInfo("OpenVINO", version="1"),
    "onnxruntime": BackendInfo("ONNX Runtime", version="1"),
    "null": BackendInfo("Null", version="1"),
    "gone": BackendInfo("Gone", available=False, version="1"),
}


@pytest.fixture
def odd(session: Session, tmp_path: Path) -> Session:
    """A model with custom operators; two backends that can be asked."""
    onnx.save_model(customs(), tmp_path / "customs.onnx")
    session.backends = BACKENDS
    open_here(session, tmp_path / "customs.onnx")
    return session


def asked(session: Session, qtbot: QtBot) -> Verdict:
    session.verdicts.look()
    qtbot.waitUntil(lambda: session.verdicts.is_complete, timeout=TIMEOUT_MS)
    found = session.verdicts.chosen
    assert found is not None
    return found


def test_every_backend_that_is_here_is_asked_the_chosen_one_first(odd: Session, qtbot: QtBot) -> None:
    assert odd.verdicts.backends == ("openvino", "onnxruntime") and odd.verdicts.chosen is None
    found = asked(odd, qtbot)
    assert set(found.nodes) == odd.verdicts.refused == {"n0", "n2", "n4"}
    assert odd.verdicts.tell("n0").startswith("OpenVINO: refused: ") and "ONNX Runtime: refused" in odd.verdicts.tell(
        "n0"
    )
    assert odd.verdicts.tell("n1") == ""


def test_a_verdict_is_kept_for_the_next_session_and_not_for_other_shapes(odd: Session, qtbot: QtBot) -> None:
    found = asked(odd, qtbot)
    again = Session()
    again.backends, again.model, again.choices = odd.backends, odd.model, odd.choices
    assert again.verdicts.get("openvino") == found
    again.choices = msgspec.structs.replace(odd.choices, shapes={"x": (2, 4)})
    assert again.verdicts.get("openvino") is None
    again.choices = odd.choices
    again.backends = {**BACKENDS, "openvino": BackendInfo("OpenVINO", version="2")}
    assert again.verdicts.get("openvino") is None
    again.close()


def test_a_kept_file_that_is_damaged_is_asked_for_again(odd: Session, qtbot: QtBot, own_data_folder: Path) -> None:
    asked(odd, qtbot)
    files = list((own_data_folder / "verdicts").iterdir())
    assert len(files) == 2
    for file in files:
        file.write_text("{", "utf-8")
    again = Session()
    again.backends, again.model, again.choices = odd.backends, odd.model, odd.choices
    assert again.verdicts.get("openvino") is None
    again.close()


def test_a_question_can_be_cancelled_and_asked_again(odd: Session, qtbot: QtBot) -> None:
    odd.verdicts.look()
    assert odd.verdicts.is_busy and odd.verdicts.asking == "OpenVINO"
    odd.verdicts.cancel()
    assert not odd.verdicts.is_busy and odd.verdicts.chosen is None
    assert not asked(odd, qtbot).accepted


def test_a_fixed_input_is_one_undoable_choice_with_which_the_model_is_taken(
    session: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    onnx.save_model(branching(), tmp_path / "branching.onnx")
    session.backends = BACKENDS
    open_here(session, tmp_path / "branching.onnx")
    edit = Edit("Fix c = 0", fixed={"c": 0.0})
    assert would_change(session, edit)
    apply_edit(session, edit)
    assert session.choices.recipe.inputs["c"].const == 0.0 and not would_change(session, edit)
    session.undo.undo()
    assert "c" not in session.choices.recipe.inputs


def test_an_edit_changes_just_what_it_names(odd: Session) -> None:
    before = odd.choices
    apply_edit(odd, Edit("t", nodes=("n1",), precision=Precision.FP16, clean=True, keep_io=False))
    plan = odd.choices.plan
    assert odd.asked["n1"] is Precision.FP16 and odd.asked["n3"] is Precision.FP32
    assert plan.clean and not plan.keep_io and odd.undo.count() == 1
    odd.choose("skip", plan=msgspec.structs.replace(plan, skip=("fold_batchnorm", "equalize")))
    apply_edit(odd, Edit("t", unskip=("fold_batchnorm",), backend="onnxruntime", default=Precision.FP16))
    assert odd.choices.plan.skip == ("equalize",) and odd.choices.backend == "onnxruntime"
    assert odd.choices.plan.default is Precision.FP16
    for _ in range(3):
        odd.undo.undo()
    assert odd.choices == before


def known(session: Session, **verdicts: Verdict) -> None:
    """Verdicts as if the backends had been asked."""
    for name, found in verdicts.items():
        session.verdicts._known[session.verdicts._key(name)] = found


def test_points_before_a_build_put_fixes_first_and_offer_a_backend_that_takes_the_model(odd: Session) -> None:
    cure = Remedy("helps", edit=Edit("Clean up", clean=True))
    words = Remedy("Write it in another way.", ("n0",))
    refused = Verdict(False, "It refuses n0.", {"n0": "no kernel"}, remedies=(cure, words))
    known(odd, openvino=refused, onnxruntime=Verdict(True, silent=(Silent("float64", "float32", 2, ("n1",), "less"),)))
    points = odd.advising.verdict_points()
    assert [point.action for point in points[:2]] == ["Clean up", "Build with ONNX Runtime"]
    assert [point.title for point in points[2:]] == [
        "Foo refused",
        "ONNX Runtime takes all nodes",
        "float64 becomes float32 in 2 tensors",
    ]
    assert "Write it in another way." in points[2].details and points[2].nodes == ("n0",) and points[2].tone == "bad"
    table = advice_table(points, "", has_gain=False)
    assert [column.id for column in table.columns] == ["what", "where", "action"] and len(table.links) == 5


def test_one_fix_for_two_backends_is_listed_once(odd: Session) -> None:
    cure = Remedy("helps", edit=Edit("Clean up", clean=True))
    refused = Verdict(False, "no", {"n0": "no kernel"}, remedies=(cure,))
    known(odd, openvino=refused, onnxruntime=refused)
    points = odd.advising.verdict_points()
    assert [point.title for point in points if point.edit is not None] == ["helps"]
    odd.advising.apply(points[0])
    assert odd.choices.plan.clean and odd.message is not None and odd.message.actions[0][0] == "Build now"


@pytest.fixture
def timed(own_data_folder: object, qtbot: QtBot, qapp: object) -> Iterator[Session]:
    plain, _ = two_runs()
    made = Session()
    take(made)
    made.set_current(plain.id)
    yield made
    made.close()


def test_advice_on_the_current_engine_is_sorted_by_gain_and_dismissed_for_good(timed: Session) -> None:
    points = timed.advising.engine_points()
    assert points and [point.weight for point in points] == sorted((p.weight for p in points), reverse=True)
    assert all("ESTIMATE" in " ".join(point.details) and point.gain.endswith(" ms") for point in points)
    timed.advising.dismiss(points[0])
    assert timed.advising.engine_points() == points[1:] and timed.advising.dismissed == 1
    again = Session()
    take(again)
    again.set_current(timed.current.id if timed.current else "")
    assert again.advising.dismissed == 1
    again.advising.restore()
    assert again.advising.dismissed == 0 and len(again.advising.engine_points()) == len(points)
    again.close()


def test_without_an_engine_there_is_no_advice(odd: Session) -> None:
    assert odd.advising.advised is None and odd.advising.engine_points() == [] and odd.advising.dismissed == 0
