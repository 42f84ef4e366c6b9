"""One optimization profile as a small table: a row a free dimension, a field for each of min, opt and max."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from workbench.core.profile import FreeDim, Range
from workbench.session.session import Session
from workbench.views.guard import guarded
from workbench.views.widgets import Head, Line, Words, button, tip

SIDES = ("min", "opt", "max")
FIELD_WIDTH = 108
MOST = 2**31 - 1


class SizeField(QSpinBox):
    """A size, taken when it is whole. The wheel scrolls the page unless the field has the keyboard."""

    def __init__(self) -> None:
        super().__init__()
        self.setRange(1, MOST)
        self.setKeyboardTracking(False)
        self.setFixedWidth(FIELD_WIDTH)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @guarded
    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class ProfileCard(QWidget):
    """Shows the profile at `index`; every change goes to the session at once and can be undone."""

    def __init__(self, session: Session, index: int, dims: tuple[FreeDim, ...]) -> None:
        super().__init__()
        self._profiles = session.profiles
        self._index = index
        self.dims = dims
        self.fields: dict[tuple[str, int], SizeField] = {}
        self.head = Head(f"Profile {index + 1}")
        duplicate, self.remove = button("Duplicate", "link"), button("Remove", "link")
        duplicate.clicked.connect(lambda: self._profiles.duplicate(index))
        self.remove.clicked.connect(lambda: self._profiles.remove(index))
        head = QHBoxLayout()
        head.addWidget(self.head, 1)
        for each in (duplicate, self.remove):
            head.addWidget(each)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        for column, title in enumerate(SIDES, 1):
            grid.addWidget(Line(Words(title, tone="faint"), px=12), 0, column)
        for row, dim in enumerate(dims, 1):
            self._add(grid, row, dim)
        column_of = QVBoxLayout(self)
        column_of.setContentsMargins(0, 0, 0, 0)
        column_of.setSpacing(4)
        column_of.addLayout(head)
        column_of.addLayout(grid)

    def _add(self, grid: QGridLayout, row: int, dim: FreeDim) -> None:
        where = ", ".join(f"{name} axis {axis}" for name, axis in dim.places)
        is_unnamed = dim.name.startswith("?")
        grid.addWidget(Line(Words(dim.title, "" if is_unnamed else where, tip=f"{dim.title}: {where}")), row, 0)
        for side, title in enumerate(SIDES):
            field = self.fields[dim.name, side] = SizeField()
            field.setAccessibleName(f"{title} of {dim.title}, profile {self._index + 1}")
            field.setToolTip(tip(_TIPS[side].format(dim.title)))
            field.valueChanged.connect(
                lambda value, n=dim.name, s=side: self._profiles.set_value(self._index, n, s, value)
            )
            grid.addWidget(field, row, side + 1)

    def show_ranges(self, ranges: Mapping[str, Range]) -> None:
        """The numbers as they are now; nobody is told."""
        for (name, side), field in self.fields.items():
            if field.value() != ranges[name][side]:
                field.blockSignals(True)
                field.setValue(ranges[name][side])
                field.blockSignals(False)


_TIPS = (
    "The smallest {} that the engine takes",
    "The usual {}: kernels are chosen for it, and the first profile is timed with it",
    "The largest {} that the engine takes; memory is set aside for it",
)
