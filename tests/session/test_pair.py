"""Two engines side by side: what is selected in one is found in the other through the source nodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from tests.pipeline.fusing import engine, layer
from tests.session.engines import MS, save_run, take, two_runs
from workbench.core.alignment import Change
from workbench.core.precision import Precision
from workbench.core.run import Run
from workbench.session.selection import Side
from workbench.session.session import Session
from workbench.store import Store


@pytest.fixture
def runs(own_data_folder: object) -> tuple[Run, Run]:
    return two_runs()


@pytest.fixture
def session(runs: tuple[Run, Run], qtbot: QtBot, qapp: object) -> Iterator[Session]:
    made = Session()
    take(made)
    yield made
    made.close()


@pytest.fixture
def paired(session: Session) -> Session:
    session.pair.set_on(True)
    return session


def test_the_second_engine_is_off_at_first(session: Session) -> None:
    assert not session.pair.is_on and session.pair.is_possible
    assert session.pair.engine is None and session.pair.alignment is None
    session.select_nodes(["n3"])
    assert session.selection.first == frozenset()


def test_the_baseline_stands_beside_the_current_run(paired: Session, runs: tuple[Run, Run]) -> None:
    assert paired.pair.run is not None and paired.current is not None
    assert (paired.pair.run.id, paired.current.id) == (runs[0].id, runs[1].id)


def test_a_node_selects_its_layers_in_both(paired: Session) -> None:
    paired.select_nodes(["n5"])
    assert paired.selection.first == {"l2"} and paired.selection.layers == {"l3"}


def test_a_layer_of_a_selects_through_its_nodes(paired: Session) -> None:
    paired.pair.select(["l2"])
    assert paired.selection.chosen is Side.FIRST and paired.selection.nodes == {"n3", "n4", "n5"}
    assert paired.selection.layers == {"l2", "l3"}


def test_a_layer_of_b_selects_through_its_nodes(paired: Session) -> None:
    paired.select_layers(["l2"])
    assert paired.selection.first == {"l2"} and paired.selection.layers == {"l2"}


def test_a_layer_without_nodes_is_selected_alone(paired: Session) -> None:
    paired.pair.select(["l0"])
    assert paired.selection.first == {"l0"} and not paired.selection.layers and not paired.selection.nodes


def test_a_layer_stays_selected_as_a_layer_while_a_run_tells_news(paired: Session, runs: tuple[Run, Run]) -> None:
    layer = min(paired.links.layers)
    paired.select_layers([layer])
    paired.runs.rename(runs[0].id, "first")
    assert paired.selection.by_layer and paired.selection.layers == {layer}


def test_unknown_ids_are_ignored(paired: Session) -> None:
    paired.pair.select(["l99"])
    assert not paired.selection


def test_a_selection_survives_switching_the_second_engine_on_and_off(session: Session) -> None:
    session.select_nodes(["n5"])
    session.pair.set_on(True)
    assert session.selection.first == {"l2"}
    session.pair.set_on(False)
    assert session.selection.first == frozenset() and session.selection.nodes == {"n5"}


def test_swapping_keeps_the_nodes(paired: Session, runs: tuple[Run, Run]) -> None:
    paired.select_nodes(["n5"])
    paired.pair.swap()
    assert paired.current is not None and paired.pair.run is not None
    assert (paired.pair.run.id, paired.current.id) == (runs[1].id, runs[0].id)
    assert paired.selection.first == {"l3"} and paired.selection.layers == {"l2"}


def test_the_current_run_chosen_as_a_changes_places(paired: Session, runs: tuple[Run, Run]) -> None:
    paired.pair.set_run(runs[1].id)
    assert paired.current is not None and paired.current.id == runs[0].id


def test_a_run_chosen_as_b_leaves_a_another(paired: Session, runs: tuple[Run, Run]) -> None:
    paired.set_current(runs[0].id)
    assert paired.pair.run is not None and paired.pair.run.id == runs[1].id
    assert paired.pair.is_on


def test_the_alignment_has_the_times_of_both(paired: Session) -> None:
    alignment = paired.pair.alignment
    assert alignment is not None
    assert alignment.total_a_ms == pytest.approx(sum(MS["fp32"].values()))
    assert Change.SPLIT in {group.change for group in alignment.groups}
    assert paired.pair.alignment is alignment  # made once


def test_deleting_a_ends_the_comparison(paired: Session, runs: tuple[Run, Run]) -> None:
    paired.runs.delete([runs[0].id])
    assert not paired.pair.is_on and not paired.pair.is_possible and paired.pair.alignment is None


def test_a_single_run_cannot_be_compared(own_data_folder: object, qtbot: QtBot, qapp: object) -> None:
    save_run(Store(), Precision.FP32, engine(layer(0, "n0", "x", "y", title="Conv")), {})
    session = Session()
    take(session)
    session.pair.set_on(True)
    assert not session.pair.is_on
    session.close()


def test_news_tell_of_both_engines_at_once(paired: Session) -> None:
    """Whoever hears of a change finds every selected id in the links."""

    def check(_news: object = None) -> None:
        assert paired.selection.first <= paired.pair.links.layers.keys()
        assert paired.selection.layers <= paired.links.layers.keys()

    for signal in (paired.pair.changed, paired.selection_changed, paired.engine_changed):
        signal.connect(check)
    paired.select_nodes([f"n{i}" for i in range(8)])
    paired.pair.swap()
    paired.pair.set_on(False)
    paired.pair.set_on(True)
    paired.close_model()


def test_a_difference_is_laid_in_equal_parts_on_the_layers_of_either_side(paired: Session) -> None:
    a, b = (paired.pair.difference_ms(of_first=of_first) for of_first in (True, False))
    assert a["l2"] == pytest.approx(-1.1) and b["l2"] == b["l3"] == pytest.approx(-0.55)
    assert sum(a.values()) == pytest.approx(sum(b.values())) == pytest.approx(2.0 - 3.6)
    paired.pair.set_on(False)
    assert paired.pair.difference_ms(of_first=True) == {}
