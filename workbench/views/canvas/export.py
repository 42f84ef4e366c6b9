"""Pictures as files: SVG, PNG and PDF through the same painter as the pane."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QRect, QSize, QSizeF
from PySide6.QtGui import QImage, QImageWriter, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from workbench.core.errors import WorkbenchError
from workbench.views.canvas.paint import Frame
from workbench.views.canvas.picture import paint_picture

SIDE_MOST = 16_000  # px; Qt's raster stops at 32767, and a picture of more pixels serves nobody
PIXELS_MOST = 80_000_000
PDF_SIDE_MOST = 14_400  # points: the limit of the PDF format


def to_image(frame: Frame) -> QImage:
    """Twice as sharp as the screen where it is not too large; scaled down where it is."""
    scale = min(2.0, SIDE_MOST / max(frame.width, frame.height), (PIXELS_MOST / (frame.width * frame.height)) ** 0.5)
    image = QImage(
        QSize(max(int(frame.width * scale), 1), max(int(frame.height * scale), 1)), QImage.Format.Format_RGB32
    )
    image.fill(frame.palette.color("canvas"))
    with QPainter(image) as painter:
        painter.scale(scale, scale)
        paint_picture(painter, frame)
    return image


def to_png(frame: Frame, path: Path) -> None:
    if not QImageWriter(str(path), b"png").write(to_image(frame)):
        raise _unwritable(path)


def to_svg(frame: Frame, path: Path) -> None:
    _check(path)
    writer = QSvgGenerator()
    writer.setFileName(str(path))
    size = QSize(int(frame.width), int(frame.height))
    writer.setSize(size)
    writer.setViewBox(QRect(0, 0, size.width(), size.height()))
    writer.setTitle("Graph")
    with QPainter(writer) as painter:
        _paint_page(painter, frame)


def to_pdf(frame: Frame, path: Path) -> None:
    """One page of the picture's size."""
    _check(path)
    scale = min(0.75, PDF_SIDE_MOST / max(frame.width, frame.height))  # 96 px to the inch
    writer = QPdfWriter(str(path))
    writer.setResolution(72)
    size = QSizeF(frame.width * scale, frame.height * scale)
    writer.setPageSize(QPageSize(size, QPageSize.Unit.Point, "graph", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    with QPainter(writer) as painter:
        painter.scale(scale, scale)
        _paint_page(painter, frame)


def _paint_page(painter: QPainter, frame: Frame) -> None:
    painter.fillRect(QRect(0, 0, int(frame.width) + 1, int(frame.height) + 1), frame.palette.color("canvas"))
    paint_picture(painter, frame)


def _check(path: Path) -> None:
    try:
        path.open("ab").close()
    except OSError as error:
        raise _unwritable(path, str(error.strerror)) from error


def _unwritable(path: Path, reason: str = "") -> WorkbenchError:
    return WorkbenchError(f"Cannot write {path.name}. {reason}".strip(), "Choose another folder or name.")
