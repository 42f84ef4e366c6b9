"""The editor of the plan: rules as a table, groups as a tree, the file as text, and what is different."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from workbench.session.session import Session
from workbench.views.editor_window import take_keys
from workbench.views.guard import guarded
from workbench.views.plan_difference import DifferencePage
from workbench.views.plan_files import PlanFiles
from workbench.views.plan_options import PlanOptions
from workbench.views.plan_table import RulesPage
from workbench.views.plan_text import TextPage
from workbench.views.plan_tree import GroupsPage
from workbench.views.tab_cell import TabCell
from workbench.views.widgets import Line, Words, button, connect_all

SIZE = (1040, 620)


class PlanWindow(QDialog):
    """Never modal, and nothing to confirm: every edit counts at once and can be undone."""

    def __init__(self, session: Session, files: PlanFiles, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Precision plan")
        self.setWindowFlag(Qt.WindowType.WindowMinMaxButtonsHint)
        self._restore(session.settings.get("plan_window"))
        self.setMinimumSize(640, 380)
        self.file = Line()
        self.undo, self.redo = button("Undo"), button("Redo")
        self.undo.clicked.connect(session.undo.undo)
        self.redo.clicked.connect(session.undo.redo)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.file, 1)
        buttons = [self.undo, self.redo]
        for text, run in (("Open…", files.open), ("Save", files.save), ("Copy as command", files.copy_command)):
            made = button(text)
            made.clicked.connect(lambda _on=False, r=run: r())
            buttons.append(made)
        for each in buttons:
            head.addWidget(each)
        self.options = PlanOptions(session)
        self.cell = TabCell()
        self.cell.setContentsMargins(-14, 0, -8, 0)  # its own margins are those of the bottom
        self.rules, self.groups = RulesPage(session), GroupsPage(session)
        self.text, self.difference = TextPage(session), DifferencePage(session)
        self.pages: dict[str, QWidget] = {
            "rules": self.rules,
            "groups": self.groups,
            "text": self.text,
            "difference": self.difference,
        }
        for title, page in self.pages.items():
            self.cell.add(title, page)
        self.cell.menu.aboutToShow.connect(lambda: self._fill(self.cell.menu, files))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.options)
        column.addWidget(self.cell, 1)
        take_keys(self, {"undo": session.undo.undo, "redo": session.undo.redo, "plan_save": files.save})
        connect_all((session.choices_changed, session.model_changed, session.undo.indexChanged), self._show)
        session.settings.changed.connect(self._show)
        self._show()

    def show_page(self, name: str) -> None:
        """`rules`, `groups`, `text` or `difference`."""
        self.cell.show_page(self.pages[name])
        self.pages[name].setFocus()

    def _restore(self, remembered: dict[str, object]) -> None:
        """The size of the last time, within reason."""
        size = [remembered.get(name) for name in ("width", "height")]
        width, height = (value if isinstance(value, int) else usual for value, usual in zip(size, SIZE, strict=True))
        self.resize(min(max(width, 640), 4000), min(max(height, 380), 3000))

    @guarded
    def hideEvent(self, event: QHideEvent) -> None:
        self._session.settings.set("plan_window", {"width": self.width(), "height": self.height()})
        super().hideEvent(event)

    def _fill(self, menu: QMenu, files: PlanFiles) -> None:
        menu.clear()
        files.fill(menu)

    def _show(self, _news: object = None) -> None:
        session = self._session
        plan = session.plan
        path = plan.saved.path
        state = "saved" if plan.is_saved else "changed since" if path else "not saved"
        self.file.set_words(
            Words(path.name if path else "Plan of this model", f"· {state}", bold=True, tip=str(path or ""))
        )
        self.undo.setEnabled(session.can_undo)
        self.redo.setEnabled(session.can_redo)
        self.undo.setToolTip(session.undo.undoText())
        self.redo.setToolTip(session.undo.redoText())
        if not session.has_model:
            self.close()
