"""Pictures as files: SVG, PNG and PDF through the same painter as the pane, with the legend below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QMarginsF, QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QImageWriter, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from workbench.core.errors import WorkbenchError
from workbench.views.canvas import legend
from workbench.views.canvas.camera import Camera
from workbench.views.canvas.paint import TEXT, Frame
from workbench.views.canvas.picture import paint_picture

SIDE_MOST = 16_000  # px; Qt's raster stops at 32767, and a picture of more pixels serves nobody
PIXELS_MOST = 40_000_000  # 160 MB while it is drawn
PDF_SIDE_MOST = 14_400  # points: the limit of the PDF format
NAMED_MOST = 12_000  # boxes that a drawing names: 12,000 are some 20 MB of SVG and take seconds
LEGEND_LEAST = 720.0  # px: a narrower page is widened for the legend
SHARPEST = 4.0


def write(frame: Frame, path: Path, sharpness: float = 2.0) -> str:
    """In the form that the suffix says; what had to be left out, in a sentence, or nothing.

    `sharpness` is pixels of a PNG for each of the screen. Raises WorkbenchError where the file cannot be written.
    """
    writers = {".svg": _to_svg, ".png": _to_png, ".pdf": _to_pdf}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        known = ", ".join(writers)
        raise WorkbenchError(f"{path.name}: a picture of this form cannot be written.", f"Take one of {known}.")
    return writer(frame, path, sharpness)


def to_image(frame: Frame, sharpness: float = 2.0) -> QImage:
    """At most so sharp; less where it would be too large."""
    size, scale = image_size(frame, sharpness), image_scale(frame, sharpness)
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(frame.palette.color("canvas"))
    with QPainter(image) as painter:
        painter.scale(scale, scale)
        _paint_page(painter, frame)
    return image


def image_size(frame: Frame, sharpness: float) -> QSize:
    width, height = page_size(frame)
    scale = image_scale(frame, sharpness)
    return QSize(max(int(width * scale), 1), max(int(height * scale), 1))


def image_scale(frame: Frame, sharpness: float) -> float:
    """Pixels of the picture for each of the screen's."""
    width, height = page_size(frame)
    return min(sharpness, SHARPEST, SIDE_MOST / max(width, height), (PIXELS_MOST / (width * height)) ** 0.5)


def image_remark(frame: Frame, sharpness: float) -> str:
    """Says where a picture is less sharp than asked for."""
    scale, size = image_scale(frame, sharpness), image_size(frame, sharpness)
    if scale >= min(sharpness, SHARPEST):
        return ""
    pixels = f"{size.width():,} × {size.height():,} pixels"
    return f"The graph is large: the picture is limited to {pixels}. SVG has no limit; closed groups make it smaller."


def drawing_remark(frame: Frame) -> str:
    """Says where a drawing has no names."""
    if frame.scene.count <= NAMED_MOST or frame.zoom < TEXT:
        return ""
    return f"With more than {NAMED_MOST:,} boxes they are drawn without names. Close groups, or save what is seen."


def page_size(frame: Frame) -> tuple[float, float]:
    """The picture with its legend below, in px."""
    if not legend.legend_text(frame.marks):
        return frame.width, frame.height
    return max(frame.width, LEGEND_LEAST), frame.height + legend.HEIGHT


def _to_png(frame: Frame, path: Path, sharpness: float) -> str:
    writer = QImageWriter(str(path), b"png")
    if not writer.write(to_image(frame, sharpness)):
        raise _unwritable(path, writer.errorString())
    return image_remark(frame, sharpness)


def _to_svg(frame: Frame, path: Path, _sharpness: float) -> str:
    _check(path)
    remark, frame = drawing_remark(frame), _bounded(frame)
    width, height = page_size(frame)
    writer = QSvgGenerator()
    writer.setFileName(str(path))
    size = QSize(int(width), int(height))
    writer.setResolution(96)  # CSS pixels
    writer.setSize(size)
    writer.setViewBox(QRect(0, 0, size.width(), size.height()))
    writer.setTitle("Graph")
    writer.setDescription(legend.legend_text(frame.marks))
    _draw(writer, lambda painter: _paint_page(painter, frame))
    return remark


def _to_pdf(frame: Frame, path: Path, _sharpness: float) -> str:
    """One page of the picture's size."""
    _check(path)
    remark, frame = drawing_remark(frame), _bounded(frame)
    width, height = page_size(frame)
    scale = min(0.75, PDF_SIDE_MOST / max(width, height))  # 96 px to the inch
    writer = QPdfWriter(str(path))
    writer.setResolution(72)
    writer.setTitle("Graph")
    size = QSizeF(width * scale, height * scale)
    writer.setPageSize(QPageSize(size, QPageSize.Unit.Point, "graph", QPageSize.SizeMatchPolicy.ExactMatch))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))

    def paint(painter: QPainter) -> None:
        painter.scale(scale, scale)
        _paint_page(painter, frame)

    _draw(writer, paint)
    return remark


def _draw(device: QSvgGenerator | QPdfWriter, paint: Callable[[QPainter], None]) -> None:
    with QPainter(device) as painter:
        paint(painter)


def _bounded(frame: Frame) -> Frame:
    """As seen from so far away that nothing is written, where there are too many boxes."""
    if not drawing_remark(frame):
        return frame
    shrink = TEXT / frame.zoom * 0.9
    camera = Camera(frame.zoom * shrink, frame.camera.shift_x * shrink, frame.camera.shift_y * shrink)
    return replace(frame, camera=camera, width=frame.width * shrink, height=frame.height * shrink)


def _paint_page(painter: QPainter, frame: Frame) -> None:
    width, height = page_size(frame)
    painter.fillRect(QRectF(0, 0, width + 1, height + 1), frame.palette.color("canvas"))
    painter.save()
    painter.translate((width - frame.width) / 2, 0.0)
    painter.setClipRect(QRectF(0, 0, frame.width, frame.height))
    paint_picture(painter, frame)
    painter.restore()
    if height > frame.height:
        legend.paint_legend(painter, QRectF(0, frame.height, width, legend.HEIGHT), frame.marks)


def _check(path: Path) -> None:
    try:
        path.open("ab").close()
    except OSError as error:
        raise _unwritable(path, str(error.strerror)) from error


def _unwritable(path: Path, reason: str = "") -> WorkbenchError:
    return WorkbenchError(f"Cannot write {path.name}. {reason}".strip(), "Choose another folder or name.")
