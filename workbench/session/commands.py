"""Edits that can be undone: each puts one whole `Choices` in the place of another."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from workbench.session.choices import Choices

_MERGE_ID = 17


class ChangeChoices(QUndoCommand):
    """From one set of choices to another. Edits with the same non-empty `key` that follow each other become one."""

    def __init__(
        self, before: Choices, after: Choices, text: str, apply: Callable[[Choices], None], key: str = ""
    ) -> None:
        super().__init__(text)
        self.before = before
        self.after = after
        self.key = key
        self._apply = apply

    def redo(self) -> None:
        self._apply(self.after)

    def undo(self) -> None:
        self._apply(self.before)

    def id(self) -> int:
        return _MERGE_ID if self.key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, ChangeChoices) or other.key != self.key:
            return False
        self.after = other.after
        self.setObsolete(self.after == self.before)  # typed and taken back: there is nothing to undo
        return True
