"""Scopes of what is open: found once, for the model and for each engine of it."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.session.conftest import build_and_wait
from workbench.core.scopes import ScopeOrigin
from workbench.session.scopes import KEPT, Scopes
from workbench.session.session import Session


def test_scopes_of_a_model_and_of_its_engine_are_found_once(opened: Session, qtbot: QtBot) -> None:
    assert build_and_wait(opened, qtbot).error is None
    model, engine = opened.model, opened.engine
    assert model is not None and engine is not None
    source = opened.scopes.of_model(model)
    assert sorted(source[""].all_layers()) == sorted(node.id for node in model.graph.layers)
    found = opened.scopes.of_engine(model, engine.graph)
    assert sorted(found[""].all_layers()) == sorted(layer.id for layer in engine.graph.layers)
    assert {scope.origin for scope in found[""].walk()} <= {ScopeOrigin.ROOT, ScopeOrigin.SOURCES}
    assert opened.scopes.of_model(model) is source
    assert opened.scopes.of_engine(model, engine.graph) is found


def test_only_a_few_graphs_are_kept(opened: Session) -> None:
    from benchmarks.graphs import transformer

    assert opened.model is not None
    scopes = Scopes()
    for _ in range(2 * KEPT):
        scopes.of_engine(opened.model, transformer(60))
    assert len(scopes._found) == KEPT
