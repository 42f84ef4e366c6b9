"""Pictures as files, opened again."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtSvg import QSvgRenderer

from tests.views.canvas.graphs import chain
from workbench.core.errors import WorkbenchError
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas import export as export_module
from workbench.views.canvas.heat import Heat
from workbench.views.canvas.legend import HEIGHT


def test_svg_has_the_whole_graph_as_text(canvas: GraphCanvas, tmp_path: Path) -> None:
    path = tmp_path / "graph.svg"
    canvas.zoom_about(8.0, 0, 0)  # the view does not matter
    assert canvas.export(path) == ""
    text = path.read_text()
    assert text.count(">Conv</text>") == 2
    assert "block/add" in text
    renderer = QSvgRenderer(str(path))
    assert renderer.isValid()
    frame = canvas.export_frame(True)
    assert (renderer.viewBox().width(), renderer.viewBox().height()) == (int(frame.width), int(frame.height))


@pytest.mark.parametrize("times", [1, 2, 4])
def test_png_is_as_sharp_as_asked(canvas: GraphCanvas, tmp_path: Path, times: int) -> None:
    path = tmp_path / "graph.png"
    canvas.export(path, whole=False, sharpness=times)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (600 * times, 700 * times)


def test_pdf_is_one_page_of_the_pictures_size(canvas: GraphCanvas, tmp_path: Path) -> None:
    path = tmp_path / "graph.pdf"
    canvas.export(path)
    data = path.read_bytes()
    assert data.startswith(b"%PDF") and data.rstrip().endswith(b"%%EOF")
    assert data.count(b"/Type /Page\n") == 1
    frame = canvas.export_frame(True)
    box = data.partition(b"/MediaBox [")[2].partition(b"]")[0].split()
    assert [float(value) for value in box[2:]] == pytest.approx([frame.width * 0.75, frame.height * 0.75], abs=2)


def test_the_view_shows_what_the_pane_shows(canvas: GraphCanvas, tmp_path: Path) -> None:
    canvas.set_graph(chain(300))
    path = tmp_path / "view.svg"
    canvas.export(path, whole=False)
    assert 2 < path.read_text().count(">Relu</text>") < 30
    canvas.export(path)
    assert path.read_text().count(">Relu</text>") == 300


def test_the_legend_stands_below_the_picture(canvas: GraphCanvas, tmp_path: Path) -> None:
    canvas.set_overlay(Heat({"n0": 1.0, "n3": 3.0}, "ms", "Time", total=4.0, missing="not timed"))
    path = tmp_path / "heat.svg"
    canvas.export(path)
    text = path.read_text()
    assert ">Time</text>" in text and "3 not timed" in text and ">1.00 ms</text>" in text
    assert "median 2.00 ms" in text and "sum 4.00 ms" in text
    frame = canvas.export_frame(True)
    assert QSvgRenderer(str(path)).viewBox().height() == int(frame.height + HEIGHT)


def test_a_large_png_is_bounded_and_says_so(canvas: GraphCanvas, tmp_path: Path) -> None:
    canvas.set_graph(chain(2000))
    path = tmp_path / "large.png"
    assert "limited to" in canvas.export(path, sharpness=4)
    image = QImage(str(path))
    assert image.height() <= export_module.SIDE_MOST
    assert image.width() * image.height() <= export_module.PIXELS_MOST


def test_a_large_drawing_leaves_names_out_and_says_so(
    canvas: GraphCanvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_module, "NAMED_MOST", 100)
    canvas.set_graph(chain(200))
    path = tmp_path / "large.svg"
    assert "without names" in canvas.export(path)
    assert "Relu" not in path.read_text()
    assert canvas.export(tmp_path / "large.pdf") != ""
    assert QSvgRenderer(str(path)).isValid()


def test_the_picture_can_be_copied(canvas: GraphCanvas) -> None:
    canvas.copy_picture()
    assert not QGuiApplication.clipboard().image().isNull()


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_a_file_that_cannot_be_written_is_the_users_error(canvas: GraphCanvas, tmp_path: Path, kind: str) -> None:
    with pytest.raises(WorkbenchError, match="Cannot write"):
        canvas.export(tmp_path / "missing" / f"graph.{kind}")


def test_another_form_is_refused_with_those_there_are(canvas: GraphCanvas, tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="cannot be written") as refused:
        canvas.export(tmp_path / "graph.docx")
    assert ".svg, .png, .pdf" in refused.value.hint
