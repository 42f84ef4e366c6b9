"""What Netron is given of the open document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.session.session import Session


def source_bytes(session: Session) -> bytes | None:
    """The model, its nodes marked with their ids; None where none is open. Raises WorkbenchError if it has changed."""
    from workbench.model.for_netron import marked_source

    return marked_source(session.model) if session.model is not None else None


def engine_bytes(session: Session) -> bytes | None:
    """The engine of the current run as an ONNX file to look at, with the times known so far; None without one."""
    from workbench.model.for_netron import engine_model

    if session.engine is None or session.current is None:
        return None
    return engine_model(session.engine.graph, session.runs.layer_ms(session.current.id))


def save_engine(session: Session, path: Path) -> None:
    """Raises WorkbenchError where there is no engine, OSError where it cannot be written."""
    data = engine_bytes(session)
    if data is None:
        raise WorkbenchError("The current run has no engine graph.", "Build one first.")
    path.write_bytes(data)
