"""What the inspector adds up."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from tests.views.driving import TIMEOUT_MS, click_node
from workbench.core.costs import total
from workbench.session.words import bytes_words, count_words
from workbench.views.canvas.heat import told
from workbench.views.main_window import MainWindow


def rows(window: MainWindow) -> list[str]:
    return window.inspector.texts()


def test_a_node_and_a_selection_tell_work_weights_and_bytes(window: MainWindow, qtbot: QtBot) -> None:
    click_node(window.panes.source.canvas, "n2")
    qtbot.waitUntil(lambda: "work" in rows(window), timeout=TIMEOUT_MS)
    costs = window.session.costs.get()
    one = costs["n2"]
    assert one.flops and told(one.flops, "FLOP") in " ".join(rows(window))
    assert count_words(one.parameters) in rows(window)
    window.session.select_nodes(list(costs))
    every = total(costs.values())
    assert every.flops and every.bytes_written
    text = rows(window)
    assert f"{told(every.flops, 'FLOP')} 100.0 %" in text and bytes_words(every.bytes_written) in text
