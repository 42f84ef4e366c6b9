"""What a run left in its folder, read back: the engine's graph, the source model, and the ledger made of both."""

from __future__ import annotations

from pathlib import Path

from workbench.core.advice import Advised
from workbench.core.json import read_json
from workbench.core.ledger import Ledger
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph, Run
from workbench.pipeline.advice import advise
from workbench.pipeline.files import GRAPH_FILE, TYPED_MODEL_FILE
from workbench.pipeline.ledger import fusion_ledger


def read_engine(folder: Path) -> EngineGraph | None:
    """None where the run did not get that far. Raises WorkbenchError for a file that is damaged."""
    path = folder / GRAPH_FILE
    return read_json(path, EngineGraph) if path.is_file() else None


def read_source(folder: Path) -> Model | None:
    """The model that the run was made of, as it was opened; None where the run did not get that far."""
    path = folder / TYPED_MODEL_FILE
    return read_json(path, TypedModel).model if path.is_file() else None


def read_advice(folder: Path, run: Run) -> Advised | None:
    """Advice on the engine of a run; None where it has no engine graph."""
    engine, path = read_engine(folder), folder / TYPED_MODEL_FILE
    if engine is None or not path.is_file():
        return None
    typed = read_json(path, TypedModel)
    asked = {node: Precision(name) for node, name in typed.asked.items()}
    return advise(typed.model.graph, engine, run.config, run.timing.layers if run.timing else {}, asked)


def read_ledger(folder: Path, run: Run) -> Ledger | None:
    """The fusion ledger of a run; None where it has no engine graph."""
    engine, source = read_engine(folder), read_source(folder)
    if engine is None or source is None:
        return None
    return fusion_ledger(source.graph, engine, run.timing.layers if run.timing else {})
