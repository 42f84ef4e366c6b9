"""A canvas of a fixed size, without animation, with the shipped fonts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QFontDatabase
from pytestqt.qtbot import QtBot

from tests.views.canvas.graphs import residual
from workbench.resources import resource
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.fonts import forget_fonts


@pytest.fixture(scope="session")
def fonts(qapp: object) -> None:
    for path in sorted(resource("fonts").glob("*.ttf")):
        assert QFontDatabase.addApplicationFont(str(path)) >= 0
    forget_fonts()


@pytest.fixture
def canvas(qtbot: QtBot, fonts: None) -> Iterator[GraphCanvas]:
    """Shows `residual()` whole."""
    widget = GraphCanvas()
    qtbot.addWidget(widget)
    widget.is_animated = False
    widget.resize(600, 700)
    widget.show()
    qtbot.waitExposed(widget)
    widget.set_graph(residual())
    yield widget
    assert not widget.error_text
