"""Writing a file, and saying in the banner how it went."""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.errors import WorkbenchError
from workbench.session.session import Message, Session


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
