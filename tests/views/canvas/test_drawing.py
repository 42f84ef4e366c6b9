"""What the canvas draws: heat, colours, hover, tooltips, the minimap."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from tests.views.canvas.events import (
    color_at,
    drag,
    hover,
    pixels,
    place_of,
)
from tests.views.canvas.graphs import chain, layer
from workbench.core.graph import Graph, Tensor
from workbench.core.theme import DARK, LIGHT
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.heat import Heat


def test_heat_runs_from_quiet_to_hot(canvas: GraphCanvas) -> None:
    canvas.set_overlay(Heat({"n0": 0.1, "n3": 5.0, "n1": float("nan")}, "ms"))
    edge = QPoint(18, 0)  # between the stripe and the text
    half = int(canvas.scene.widths[canvas.scene.index["n0"]] / 2 * canvas.camera.zoom)
    quiet = color_at(canvas, place_of(canvas, "n0") - QPoint(half, 0) + edge)
    hot = color_at(canvas, place_of(canvas, "n3") - QPoint(half, 0) + edge)
    assert channel(quiet) == pytest.approx(channel(LIGHT.heat[0]), abs=6)
    assert channel(hot) == pytest.approx(channel(LIGHT.heat[-1]), abs=6)
    assert canvas.marks.value_text(canvas.scene.index["n3"]) == "5.00 ms"
    assert canvas.marks.value_text(canvas.scene.index["n1"]) == ""


def channel(name: str) -> list[int]:
    return [int(name[i : i + 2], 16) for i in (1, 3, 5)]


def test_colours_badges_and_dimming_are_drawn(canvas: GraphCanvas) -> None:
    plain = pixels(canvas)
    canvas.set_colors({"n0": "#ff00ff"})
    striped = pixels(canvas)
    assert (striped[..., :3] == (255, 0, 255)).all(axis=2).any()
    canvas.set_badges({"n3": "6 nodes → 1"})
    assert (pixels(canvas) != striped).any()
    canvas.set_badges({})
    canvas.set_colors({})
    canvas.set_kept(["n0", "n3"])
    assert (pixels(canvas) != plain).any()
    canvas.set_kept(None)
    assert (pixels(canvas) == plain).all()


def test_the_theme_changes_at_once(canvas: GraphCanvas) -> None:
    canvas.set_theme(DARK)
    assert color_at(canvas, QPoint(2, 350)) == DARK.canvas
    canvas.set_theme(LIGHT)
    assert color_at(canvas, QPoint(2, 350)) == LIGHT.canvas


def test_hover_lights_the_edges_and_leaving_puts_them_out(canvas: GraphCanvas) -> None:
    plain = pixels(canvas)
    hover(canvas, place_of(canvas, "n3"))
    assert (pixels(canvas) != plain).any()
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert (pixels(canvas) == plain).all()


def test_the_tooltip_is_plain_text_whatever_the_names_are(canvas: GraphCanvas) -> None:
    evil = layer("n0", "Relu", "x", "y", name="<img src=x><b>bold</b>")
    canvas.set_graph(Graph("g", (evil,), {"y": Tensor("y", (2, 3), "float32")}, ("x",), ("y",)))
    place = place_of(canvas, "n0")
    QApplication.sendEvent(canvas, QHelpEvent(QEvent.Type.ToolTip, place, canvas.mapToGlobal(place)))
    assert "&lt;img src=x&gt;&lt;b&gt;bold&lt;/b&gt;" in QToolTip.text()
    assert "→ y  2×3 float32" in QToolTip.text()
    QToolTip.hideText()


def test_the_minimap_shows_and_moves_the_window(canvas: GraphCanvas) -> None:
    assert not canvas._minimap.isVisible()  # all is seen
    canvas.set_graph(chain(300))
    minimap = canvas._minimap
    assert minimap.isVisible()
    bottom = QPoint(minimap.width() // 2, int(minimap.card().bottom()) - 8)
    drag(minimap, minimap.window_area().center().toPoint(), bottom)
    assert 0 < place_of(canvas, "n296").y() < 700
    assert abs(minimap.window_area().center().y() - bottom.y()) < 4
