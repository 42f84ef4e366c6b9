"""Pictures as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage

from workbench.core.errors import WorkbenchError
from workbench.views.canvas import GraphCanvas


def test_svg_has_the_whole_graph_as_text(canvas: GraphCanvas, tmp_path: Path) -> None:
    path = tmp_path / "graph.svg"
    canvas.zoom_about(8.0, 0, 0)  # the view does not matter
    canvas.export_svg(path)
    text = path.read_text()
    assert text.count(">Conv</text>") == 2
    assert "block/add" in text


def test_png_is_twice_as_sharp_as_the_screen(canvas: GraphCanvas, tmp_path: Path) -> None:
    path = tmp_path / "graph.png"
    canvas.export_png(path, whole=False)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (1200, 1400)


def test_pdf_is_one_page(canvas: GraphCanvas, tmp_path: Path) -> None:
    path = tmp_path / "graph.pdf"
    canvas.export_pdf(path)
    data = path.read_bytes()
    assert data.startswith(b"%PDF")
    assert data.count(b"/Type /Page\n") == 1


def test_the_picture_can_be_copied(canvas: GraphCanvas) -> None:
    canvas.copy_picture()
    assert not QGuiApplication.clipboard().image().isNull()


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_a_file_that_cannot_be_written_is_the_users_error(canvas: GraphCanvas, tmp_path: Path, kind: str) -> None:
    with pytest.raises(WorkbenchError, match="Cannot write"):
        getattr(canvas, f"export_{kind}")(tmp_path / "missing" / f"graph.{kind}")
