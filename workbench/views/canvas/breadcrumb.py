"""Where one is inside a control-flow layer: `main › n3 then_branch`, with its other bodies beside it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from workbench.core.theme import LIGHT, Theme
from workbench.views.canvas.fonts import face
from workbench.views.canvas.nest import Nest, Path

HEIGHT = 32


class Breadcrumb(QWidget):
    """Hidden at the top level. `chosen` carries a path."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = LIGHT
        self._parts: list[QWidget] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(10, 2, 10, 2)
        self._row.setSpacing(4)
        self._row.addStretch(1)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setObjectName("breadcrumb")
        self.setAccessibleName("Open bodies")
        self.hide()

    def sizeHint(self) -> QSize:
        return QSize(240, HEIGHT)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setStyleSheet(
            f"#breadcrumb {{ background: {theme.canvas}; border-bottom: 1px solid {theme.line}; }}"
            f"QToolButton {{ color: {theme.accent}; border: none; padding: 2px 4px; background: transparent; }}"
            f"QToolButton:hover {{ background: {theme.accent_ground}; border-radius: 4px; }}"
            f"QToolButton:disabled {{ color: {theme.text}; }}"
            f"QLabel {{ color: {theme.faint}; background: transparent; }}"
        )

    def show_path(self, path: Path, nest: Nest) -> None:
        """Crumbs for `path`; the last stands among its siblings."""
        for part in self._parts:
            self._row.removeWidget(part)
            part.deleteLater()
        self._parts = []
        self.setVisible(bool(path))
        if not path:
            return
        self._add_button("main", ())
        for depth in range(1, len(path) + 1):
            holder, _, body = path[depth - 1].rpartition(".")
            layer = nest.layer(holder)
            self._add_label(f"›  {holder.rpartition('.')[2]} {layer.op if layer else ''}")
            if depth < len(path):
                self._add_button(body, path[:depth])
        for sibling in nest.siblings(path):
            self._add_button(sibling[-1].rpartition(".")[2], sibling, is_here=sibling == path)

    def _add_button(self, text: str, path: Path, is_here: bool = False) -> None:
        button = QToolButton(self)
        button.setText(text)
        button.setFont(face(12, weight=600 if is_here else 400))
        button.setEnabled(not is_here)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(lambda: self.chosen.emit(path))
        self._add(button)

    def _add_label(self, text: str) -> None:
        label = QLabel(text, self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setFont(face(12))
        self._add(label)

    def _add(self, part: QWidget) -> None:
        self._row.insertWidget(self._row.count() - 1, part)
        self._parts.append(part)
        part.show()
