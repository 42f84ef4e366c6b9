from __future__ import annotations

import msgspec
import pytest

from tests.session.engines import MS, take, two_runs
from workbench.core.run import Race, RaceEntry, Run
from workbench.core.waterfall import StepKind
from workbench.session.session import Session
from workbench.session.settings import Settings
from workbench.store import RaceBook, Store


@pytest.fixture
def both() -> tuple[Run, Run]:
    return two_runs()


@pytest.fixture
def taken(both: tuple[Run, Run], qapp: object) -> Session:
    session = Session(Store(), Settings())
    take(session)
    return session


def test_the_current_run_is_explained_against_the_baseline(taken: Session, both: tuple[Run, Run]) -> None:
    assert taken.why.first == both[0] and taken.current == both[1]
    found = taken.why.waterfall
    assert found is not None and (found.a_ms, found.b_ms) == (sum(MS["fp32"].values()), sum(MS["int8"].values()))
    assert found.a_ms + sum(step.ms for step in found.steps) == pytest.approx(found.b_ms)
    assert taken.why.waterfall is found  # nothing is aligned twice


def test_inputs_of_other_shapes_explain_nothing(both: tuple[Run, Run], qapp: object) -> None:
    for run, batch in zip(both, (1, 8), strict=True):
        assert run.timing is not None
        timing = msgspec.structs.replace(run.timing, shapes={"x": (batch, 3)})
        Store().save(msgspec.structs.replace(run, timing=timing))
    session = Session(Store(), Settings())
    take(session)
    assert session.why.first == session.runs.get(both[0].id) and session.why.waterfall is None


def test_of_two_selected_runs_the_other_one_is_first(taken: Session, both: tuple[Run, Run]) -> None:
    taken.set_compared([both[1].id, both[0].id])
    taken.set_current(both[0].id)
    assert taken.why.first == both[1]
    found = taken.why.waterfall
    assert found is not None and found.a_ms < found.b_ms


def test_a_block_is_selected_with_its_nodes_and_its_layers(taken: Session) -> None:
    found = taken.why.waterfall
    assert found is not None
    step = next(step for step in found.steps if step.kind is StepKind.SAVED)
    block = step.blocks[0]
    taken.why.select(block.nodes, block.a, block.b)
    assert taken.selection.nodes == set(block.nodes) and set(block.b) <= taken.selection.layers
    taken.why.select((), (), ("l4",))  # one that runs no node
    assert "l4" in taken.selection.layers


def test_runs_without_a_time_explain_nothing(qapp: object) -> None:
    two_runs(timed=False)
    session = Session(Store(), Settings())
    take(session)
    assert session.why.waterfall is None


def test_medians_that_were_timed_interleaved_count_more_than_those_of_the_runs(both: tuple[Run, Run]) -> None:
    entries = (RaceEntry(both[0].id, 4.0, 1, 1, 1, "baseline"), RaceEntry(both[1].id, 1.0, 4.0, 3.9, 4.1, "faster"))
    RaceBook(Store().root).add(Race("race", entries, 16))
    session = Session(Store(), Settings())
    take(session)
    found = session.why.waterfall
    assert found is not None and found.is_raced and (found.a_ms, found.b_ms) == (4.0, 1.0)
    assert found.a_ms + sum(step.ms for step in found.steps) == pytest.approx(found.b_ms)
    session.set_compared([run.id for run in both])
    session.set_current(both[0].id)  # the other way round
    turned = session.why.waterfall
    assert turned is not None and (turned.a_ms, turned.b_ms) == (1.0, 4.0)
