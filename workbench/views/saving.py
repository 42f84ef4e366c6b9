"""Writing a graph to a file, and saying in the banner how it went."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from workbench.core.errors import WorkbenchError
from workbench.session.session import Message, Session
from workbench.views.files import ask_where_to_save
from workbench.views.pane import Pane

FILTERS = "SVG drawing (*.svg);;PNG picture (*.png);;PDF page (*.pdf)"


def save_graph(pane: Pane, session: Session, name: str) -> None:
    """Asks where, and writes the whole graph; `name` is offered."""

    def save(path: str) -> None:
        saved(session, lambda: pane.export(Path(path)), f"The graph is written to {path}.")

    ask_where_to_save(pane, "Save graph", name, FILTERS, save)


def saved(session: Session, write: Callable[[], object], done: str) -> bool:
    """Does it; says `done`, or why it could not be written. Whether it was."""
    try:
        write()
    except WorkbenchError as error:
        session.show_error(error)
    except OSError as error:
        session.show_error(WorkbenchError(f"This could not be written: {error}"))
    else:
        session.show(Message(done, is_error=False))
        return True
    return False
