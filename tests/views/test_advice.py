"""The page of advice and the marks on the source graph, driven by the mouse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.pipeline.odd import branching, customs
from tests.session.engines import take, two_runs
from tests.session.models import open_here
from tests.session.test_advising import BACKENDS, known
from tests.views.driving import LEFT, NONE, TIMEOUT_MS, click
from workbench.core.edits import Edit
from workbench.core.theme import LIGHT
from workbench.core.verdict import Remedy, Silent, Verdict
from workbench.session.session import Session
from workbench.views.advice_view import AdviceView
from workbench.views.application import make_application
from workbench.views.main_window import MainWindow
from workbench.views.verdict_overlay import verdict_kinds


@pytest.fixture
def session(own_data_folder: object, qtbot: QtBot, qapp: object) -> Iterator[Session]:
    make_application()
    made = Session()
    yield made
    made.close()


def shown(session: Session, qtbot: QtBot) -> AdviceView:
    page = AdviceView(session)
    page.resize(900, 320)
    qtbot.addWidget(page)
    page.show()
    qtbot.waitExposed(page)
    return page


def click_point(page: AdviceView, row: int) -> None:
    place = page.table.visualRect(page.table.rows.index(row, 0)).center()
    QTest.mouseClick(page.table.viewport(), LEFT, NONE, place)


def titles(page: AdviceView) -> list[str]:
    return [page.table.rows.index(row, 0).data() for row in range(page.table.rows.rowCount())]


@pytest.fixture
def refused(session: Session, tmp_path: Path) -> Session:
    """A model that OpenVINO refuses in a body; one fix is known."""
    onnx.save_model(branching(), tmp_path / "branching.onnx")
    session.backends = BACKENDS
    open_here(session, tmp_path / "branching.onnx")
    cure = Remedy("With c = 0 it is taken.", edit=Edit("Fix c = 0", fixed={"c": 0.0}))
    node = "n1.then_branch.n0"
    known(session, openvino=Verdict(False, "no", {node: "no kernel"}, missed=("n1",), remedies=(cure,)))
    known(session, onnxruntime=Verdict(True))
    return session


@pytest.fixture
def engine(own_data_folder: object, qtbot: QtBot, qapp: object) -> Iterator[Session]:
    """Two runs are there when the session is made; the one in FP32 is looked at."""
    make_application()
    plain, _ = two_runs()
    made = Session()
    take(made)
    made.set_current(plain.id)
    yield made
    made.close()


def test_without_a_model_the_page_says_what_it_is_for(session: Session, qtbot: QtBot) -> None:
    assert "before anything is built" in shown(session, qtbot).empty.text()


def test_a_click_on_a_refused_node_selects_it_and_tells_why(refused: Session, qtbot: QtBot) -> None:
    page = shown(refused, qtbot)
    click(page.before)
    assert titles(page)[:2] == ["With c = 0 it is taken.", "ONNX Runtime takes this model."]
    row = next(row for row, title in enumerate(titles(page)) if title.startswith("NonZero refused"))
    click_point(page, row)
    assert refused.selection.nodes == {"n1.then_branch.n0"}
    assert "OpenVINO refuses it: no kernel." in page.details.text.text()
    assert page.details.take.isHidden() and page.details.dismiss.isHidden()


def test_a_fix_is_taken_by_its_button_and_taken_back_by_undo(refused: Session, qtbot: QtBot) -> None:
    page = shown(refused, qtbot)
    click(page.before)
    click_point(page, 0)
    assert page.details.take.text() == "Fix c = 0"
    click(page.details.take)
    assert refused.choices.recipe.inputs["c"].const == 0.0
    refused.verdicts.cancel()  # which would ask again for the other inputs
    refused.undo.undo()
    assert "c" not in refused.choices.recipe.inputs


def test_backends_are_asked_from_the_page(session: Session, qtbot: QtBot, tmp_path: Path) -> None:
    onnx.save_model(customs(), tmp_path / "customs.onnx")
    session.backends = {"openvino": BACKENDS["openvino"]}
    open_here(session, tmp_path / "customs.onnx")
    page = shown(session, qtbot)
    assert "Ask them" in page.details.text.text() and page.ask.text() == "Ask backends"
    click(page.ask)
    assert page.ask.text() == "Cancel" and "OpenVINO is asked" in page.sentence.accessibleName()
    qtbot.waitUntil(lambda: not session.verdicts.is_busy, timeout=TIMEOUT_MS)
    assert any(title.startswith("Foo refused") for title in titles(page)) and page.ask.isHidden()


def test_advice_on_an_engine_selects_in_both_graphs_and_stays_away_once_dismissed(
    engine: Session, qtbot: QtBot
) -> None:
    page = shown(engine, qtbot)
    assert page.engine.isChecked() and titles(page) == ["1 reformat layer"]
    click_point(page, 0)
    assert engine.selection.layers == {"l0"} and "ESTIMATE" in page.details.text.text()
    click(page.details.dismiss)
    assert titles(page) == [] and "Nothing to advise" in page.details.text.text()
    assert "BatchNormalization behind a Conv" in page.details.text.text()
    page.menu.actions()[-1].trigger()
    assert titles(page) == ["1 reformat layer"]


def test_the_points_are_copied_as_a_table(engine: Session, qtbot: QtBot) -> None:
    page = shown(engine, qtbot)
    page.menu.actions()[0].trigger()
    assert QGuiApplication.clipboard().text().startswith("what\tgain ≈\twhere\twhat can be done")


def test_the_overlay_colours_what_is_refused_not_reached_or_of_another_type() -> None:
    verdict = Verdict(
        False, "no", {"n1": "why"}, missed=("n2",), silent=(Silent("float64", "float32", 1, ("n0", "n1")),)
    )
    kinds = verdict_kinds(verdict, ("n0", "n1", "n2", "n3"), LIGHT)
    assert kinds is not None
    assert kinds.values == {"n0": "other type", "n1": "refused", "n2": "not reached", "n3": "taken"}
    assert set(kinds.values.values()) <= set(kinds.colors) and verdict_kinds(None, ("n0",), LIGHT) is None


def test_refused_nodes_are_marked_on_the_source_graph_with_the_reason_at_hand(
    empty_window: MainWindow, tmp_path: Path
) -> None:
    session, source = empty_window.session, empty_window.panes.source
    onnx.save_model(branching(), tmp_path / "branching.onnx")
    session.backends = BACKENDS
    open_here(session, tmp_path / "branching.onnx")
    known(session, openvino=Verdict(False, "no", {"n1.then_branch.n0": "no kernel", "n0": "of this type"}))
    session.verdicts.changed.emit()
    badges = source.canvas.marks.saying.badges
    assert badges["n0"] == "refused" and badges["n1"] == "refused inside"
    assert "OpenVINO: refused: of this type" in source.canvas.tell_more(["n0"])
    source.overlays.choose("verdict")
    empty_window.panes.laid.refresh()
    overlay = source.canvas.marks.saying.overlay
    assert overlay is not None and overlay.values["n0"] == "refused"
