"""The program's icons, drawn in the colours of the theme."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from workbench.resources import resource
from workbench.views.theme import current

SIZES = (16, 32)


def icon(name: str) -> QIcon:
    """`resources/icons/<name>.svg` with its strokes in the theme's soft colour; an empty icon where there is none."""
    made = QIcon()
    path = resource("icons") / f"{name}.svg"
    if not path.is_file():
        return made
    drawing = path.read_text("utf-8")
    for mode, color in ((QIcon.Mode.Normal, current().soft), (QIcon.Mode.Disabled, current().line)):
        renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", color).encode()))
        for size in SIZES:
            pixmap = QPixmap(QSize(size, size))
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                renderer.render(painter)
            made.addPixmap(pixmap, mode)
    return made


def app_icon() -> QIcon:
    """The logo."""
    return QIcon(str(resource("icons") / "app.svg"))
