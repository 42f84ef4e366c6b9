"""Which overlay a pane shows: chips for the usual ones as far as there is room, and a menu with all of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QPoint, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QMenu, QSizePolicy, QWidget

from workbench.views.controls import Chip
from workbench.views.guard import guarded
from workbench.views.overlays import OverlayKind
from workbench.views.widgets import menu_item, tip

SPACING = 6
CHIPS = 4  # as many are worth a chip


class OverlayBar(QWidget):
    """Exactly one overlay is on. `chosen` is sent for the user's own doing only."""

    chosen = Signal(str)

    def __init__(self, kinds: Mapping[str, OverlayKind], remembered: object) -> None:
        """`remembered` is what a settings file says: the first overlay where it is none of these."""
        super().__init__()
        self.current = remembered if isinstance(remembered, str) and remembered in kinds else next(iter(kinds))
        self._kinds = kinds
        self._reasons: dict[str, str] = {}
        self.chips = {key: Chip(kinds[key].title, kinds[key].summary) for key in list(kinds)[:CHIPS]}
        self.more = Chip("", "Everything that can be laid over this graph")
        self.more.setAccessibleName("Overlay")
        self.menu = QMenu(self)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill)
        self.more.clicked.connect(self.popup)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACING)
        row.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        row.addStretch(1)
        for key, chip in self.chips.items():
            chip.clicked.connect(partial(self._choose, key))
            row.addWidget(chip)
        row.addWidget(self.more)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._show()

    @property
    def kind(self) -> OverlayKind:
        """The one that is on."""
        return self._kinds[self.current]

    def choose(self, key: str) -> None:
        """Shows which one is on; unknown ones are ignored."""
        if key in self._kinds:
            self.current = key
            self._show()

    def set_reasons(self, reasons: Mapping[str, str]) -> None:
        """Why an overlay has nothing to show; empty where it has."""
        if dict(reasons) == self._reasons:
            return
        self._reasons = dict(reasons)
        for key, chip in self.chips.items():
            reason = self._reasons.get(key, "")
            chip.setEnabled(not reason)
            chip.setToolTip(tip(reason or self._kinds[key].summary))

    def popup(self) -> None:
        """The menu of all overlays; the arrow keys and Enter choose."""
        self._show()
        self.menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height() + 2)))

    def sizeHint(self) -> QSize:
        wide = sum(chip.sizeHint().width() + SPACING for chip in self.chips.values())
        return QSize(wide + self.more.sizeHint().width(), self.more.sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.more.sizeHint()

    @guarded
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show()

    def _choose(self, key: str) -> None:
        self.choose(key)
        self.chosen.emit(key)

    def _show(self) -> None:
        """Chips from the left while they fit; the menu bears the name of what is on where its chip does not show."""
        shown = self._fitting()
        for key, chip in self.chips.items():
            chip.setVisible(key in shown)
            chip.setChecked(key == self.current)
        is_hidden = self.current not in shown
        self.more.setText(f"{self._kinds[self.current].title} ▾" if is_hidden else "more ▾")
        self.more.setChecked(is_hidden)
        self.more.updateGeometry()

    def _fitting(self) -> list[str]:
        longest = max((kind.title for kind in self._kinds.values()), key=len)
        probe = Chip(f"{longest} ▾", parent=None)
        room, shown = self.width() - probe.sizeHint().width(), []
        for key, chip in self.chips.items():
            room -= chip.sizeHint().width() + SPACING
            if room < 0:
                break
            shown.append(key)
        return shown

    def _fill(self) -> None:
        self.menu.clear()
        for key, kind in self._kinds.items():
            reason = self._reasons.get(key, "")
            run = partial(self._choose, key)
            item = menu_item(self.menu, kind.title, run, on=key == self.current, reason=reason)
            if not reason:
                item.setToolTip(tip(kind.summary))
