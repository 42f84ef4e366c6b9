"""How the numbers of the current run were measured, as a text to read and copy."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from workbench.session.conditions import conditions_text
from workbench.session.session import Session
from workbench.views.text_dialog import TextDialog


class Conditions:
    """`show` is the action's."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self._session = session
        self._window = window

    def show(self) -> TextDialog | None:
        """Never modal: what runs goes on."""
        session, run = self._session, self._session.current
        if run is None:
            return None
        text = conditions_text(run, session.baseline, session.races.of(run), session.runs.titles)
        head, hint = "How it was measured", "These belong to the number: say them wherever you say it."
        dialog = TextDialog(head, head, hint, text, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        return dialog
