"""Every Qt override goes through here: a bug in one must not take the program down or go unseen.

An exception inside an open QPainter is a segmentation fault in PySide6, and one that escapes from an event handler ends
in Qt's hands. So overrides are wrapped: the bug is logged with its traceback, and the widget shows a banner.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from workbench.core.errors import one_line

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., Any])

BANNER_HEIGHT = 28


def guarded(default: object = None) -> Callable[[F], F]:
    """Wrap a Qt override: an exception is logged, the widget's `error_text` says it, and `default` is returned."""

    def wrap(override: F) -> F:
        @functools.wraps(override)
        def call(widget: QWidget, *args: Any) -> Any:
            try:
                return override(widget, *args)
            except Exception as error:  # noqa: BLE001  the border to Qt: nothing may pass it
                _remember(widget, override.__name__, error)
                return default

        return call  # type: ignore[return-value]

    return wrap


def _remember(widget: QWidget, name: str, error: Exception) -> None:
    log.exception("%s.%s failed", type(widget).__name__, name)
    is_first = not getattr(widget, "error_text", "")
    widget.error_text = one_line(f"Drawing failed: {error}", 160)  # type: ignore[attr-defined]
    if name == "paintEvent":
        with QPainter(widget) as painter:
            draw_banner(painter, widget)
    elif is_first:
        widget.update()


def draw_banner(painter: QPainter, widget: QWidget) -> None:
    """One line on red at the top, if the widget has an error to show."""
    text = str(getattr(widget, "error_text", ""))
    if not text:
        return
    area = QRectF(0, 0, widget.width(), BANNER_HEIGHT)
    painter.resetTransform()
    painter.fillRect(area, QColor("#b3261e"))
    painter.setPen(QColor("#ffffff"))
    painter.drawText(area.adjusted(10, 0, -10, 0), int(Qt.AlignmentFlag.AlignVCenter), text)
