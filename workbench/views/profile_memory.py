"""How the memory of activations follows the largest shape: from real builds that the user starts."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from workbench.charts.shape_memory import ShapeMemoryPlot
from workbench.core.profile_memory import ProfileMemory
from workbench.session.session import Session
from workbench.session.words import bytes_words
from workbench.views.controls import Bar
from workbench.views.layouts import emptied
from workbench.views.theme import current
from workbench.views.widgets import Head, Line, Words, button, connect_all, soft_label

HEAD = ("up to", "activations", "ESTIMATE", "weights", "engine", "build")
HINT = "Builds the first profile for several largest values of a dimension, each in a process of its own."
PLOT_HEIGHT = 180


class MemoryOfShapes(QWidget):
    """Shown where there is a profile, and a backend that tells the memory of such an engine."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: tuple[ProfileMemory, ...] = ()
        self.dim = QComboBox()
        self.dim.setAccessibleName("Dimension to measure")
        self.measure, self.cancel, self.copy = button("Measure"), button("Cancel"), button("Copy as table", "link")
        self.measure.clicked.connect(lambda: session.profile_memories.start(self.dim.currentData()))
        self.cancel.clicked.connect(session.profile_memories.cancel)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.tsv()))
        self.bar, self.words, self.note = Bar(), Line(px=12), soft_label(HINT)
        self.plot = ShapeMemoryPlot()
        self.plot.setFixedHeight(PLOT_HEIGHT)
        self.table = QGridLayout()
        self.table.setHorizontalSpacing(18)
        self.table.setVerticalSpacing(2)
        self._lay_out()
        connect_all(
            (session.profile_memories.changed, session.profiles.changed, session.backends_changed), self.refresh
        )
        session.settings.changed.connect(self._themed)
        self._themed()
        self.refresh()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        for part in (self.dim, self.measure, self.cancel):
            row.addWidget(part)
        row.addWidget(self.words, 1)
        row.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(Head("Memory by largest shape"))
        column.addWidget(self.note)
        column.addLayout(row)
        column.addWidget(self.bar)
        column.addWidget(self.plot)
        column.addLayout(self.table)

    def _themed(self, _key: object = None) -> None:
        self.plot.set_theme(current())

    def refresh(self, _news: object = None) -> None:
        memories, profiles = self._session.profile_memories, self._session.profiles
        self.setVisible(bool(profiles.ranges) and bool(memories.backends))
        self._fill_dims()
        is_busy = memories.is_at_work
        self.measure.setEnabled(not is_busy and self.dim.count() > 0)
        self.dim.setEnabled(not is_busy)
        for part in (self.cancel, self.bar):
            part.setVisible(is_busy)
        self.bar.set_share(memories.share)
        title = f"{memories.title}, {memories.dim}" if memories.found else ""
        self.words.set_words(Words(memories.words or title, tone="soft"))
        if memories.found != self._shown:
            self._shown = memories.found
            self._fill_table()
        self.copy.setVisible(bool(self._shown))
        self.plot.setVisible(len(self._shown) > 1)
        self.plot.set_found(self._shown, memories.dim)

    def _fill_dims(self) -> None:
        ranges = self._session.profiles.ranges
        titles = {dim.name: dim.title for dim in self._session.profiles.dims}
        wide = [name for name, (low, _, high) in ranges[0].items() if low < high] if ranges else []
        if wide != [self.dim.itemData(index) for index in range(self.dim.count())]:
            self.dim.clear()
            for name in wide:
                self.dim.addItem(titles[name], name)

    def _fill_table(self) -> None:
        emptied(self.table)
        for row, cells in enumerate(self._rows()):
            for column, text in enumerate(cells):
                line = Line(Words(text, tone="faint" if row == 0 else "", mono=row > 0), px=12, right=True)
                self.table.addWidget(line, row, column)

    def _rows(self) -> list[tuple[str, ...]]:
        return [HEAD, *(_row(one) for one in self._shown)] if self._shown else []

    def tsv(self) -> str:
        """Bytes, that a spreadsheet can reckon with."""
        head = "up to\tactivations_bytes\testimate_bytes\tweights_bytes\tengine_bytes\tbuild_seconds"
        rows = (
            f"{one.most}\t{one.activations_bytes}\t{one.estimate_bytes}\t{one.weights_bytes}\t{one.size_bytes}\t"
            f"{one.seconds:.2f}"
            for one in self._shown
        )
        return "\n".join([head, *rows]) + "\n"


def _row(one: ProfileMemory) -> tuple[str, ...]:
    sizes = (one.activations_bytes, one.estimate_bytes, one.weights_bytes, one.size_bytes)
    return (f"{one.most:,}", *(bytes_words(size) for size in sizes), f"{one.seconds:.1f} s")
