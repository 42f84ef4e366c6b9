"""The migration check: a pasted trtexec 10 command, and its plan for the open model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.pipeline.migration import Migration
    from workbench.session.session import Session


class Migrations:
    """What the dialog shows, and what it does."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def report(self, line: str) -> tuple[str, bool]:
        """What is to be said of a command, and whether it was understood."""
        from workbench.pipeline.migration import migrate, migration_text

        if not line.strip():
            return "", False
        try:
            return migration_text(migrate(line)), True
        except WorkbenchError as error:
            return str(error), False

    def use_plan(self, line: str) -> None:
        """Chooses the plan for the open model; can be undone."""
        from workbench.pipeline.migration import migrate

        session = self._session
        try:
            found: Migration = migrate(line)
        except WorkbenchError as error:
            session.show_error(error)
            return
        session.choose_all(msgspec.structs.replace(session.choices, plan=found.plan), "Plan of a trtexec command")
