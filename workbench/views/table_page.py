"""A page with a table: a filter, what it says in a sentence, and how it is copied and saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QStackedLayout, QVBoxLayout, QWidget

from workbench.session.column_table import TableContent
from workbench.session.session import Session
from workbench.views.files import ask_where_to_save
from workbench.views.guard import guarded
from workbench.views.linked_table import LinkedTable
from workbench.views.saving import saved
from workbench.views.widgets import Line, Words, empty_label, menu_item, tab_before

FILTERS = "CSV table (*.csv);;Tab-separated text (*.tsv)"


class TablePage(QWidget):
    """`show_content` None shows the sentence of the empty page."""

    def __init__(self, session: Session, name: str, empty: str) -> None:
        super().__init__()
        self._session = session
        self._name = name
        self.table = LinkedTable(name)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter")
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedSize(150, 26)
        self.filter.setAccessibleName(f"Filter of {name.lower()}")
        self.filter.textChanged.connect(self._filter_changed)
        self.sentence = Line(px=12)
        self.empty = empty_label(empty)
        self.menu = QMenu(self)
        menu_item(self.menu, "Copy as table", lambda: QGuiApplication.clipboard().setText(self.table.rows.tsv()))
        menu_item(self.menu, "Save as CSV…", self._ask_save)
        self.head = QHBoxLayout()
        self.head.setSpacing(8)
        self.head.addWidget(self.filter)
        self.head.addWidget(self.sentence, 1)
        whole = QWidget()
        self.column = QVBoxLayout(whole)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(4)
        self.column.addLayout(self.head)
        self.column.addWidget(self.table, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(whole)

    def offer(self, *parts: QWidget) -> None:
        """Puts them below the sentence of the empty page: what fills it, at one click."""
        self._stack.removeWidget(self.empty)
        first = QWidget()
        column = QVBoxLayout(first)
        column.addStretch(1)
        column.addWidget(self.empty)
        for part in parts:
            column.addWidget(part, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.empty.show()  # the stack had hidden it
        self._stack.setCurrentIndex(self._stack.insertWidget(0, first))

    def show_content(self, content: TableContent | None) -> None:
        content_or_none = content or TableContent()
        self.table.set_content(content_or_none)
        self.sentence.set_words(Words(content_or_none.sentence, tone="soft"))
        self._stack.setCurrentIndex(0 if content is None else 1)

    def save(self, path: Path) -> None:
        """As CSV, or as tab-separated text by the suffix. What is filtered away is left out."""
        text = self.table.rows.tsv() if path.suffix.lower() == ".tsv" else self.table.rows.csv()
        path.write_text(text, encoding="utf-8")

    def _ask_save(self) -> None:
        name = f"{self._name.lower().replace(' ', '-')}.csv"
        ask_where_to_save(self, f"Save {self._name.lower()}", name, FILTERS, self._save)

    def _save(self, path: str) -> None:
        saved(self._session, lambda: self.save(Path(path)), f"The table is written to {path}.")

    def _filter_changed(self, text: str) -> None:
        self.table.set_filter(text)
        self.follow()

    def refresh(self, _news: object = None) -> None:
        """Called for every piece of news: does something where the page is seen and something is new."""

    def follow(self, _news: object = None) -> None:
        """Shows the session's selection as rows."""

    @guarded
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        head = (item.widget() for place in range(self.head.count()) if (item := self.head.itemAt(place)) is not None)
        tab_before(self.table, [part for part in head if part is not None])
        self.refresh()
        self.follow()
