"""Engines and profiles of other tools in the window: by the menu's dialog and dropped."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.views.driving import TIMEOUT_MS, drop, hover
from workbench.core.run import Run
from workbench.views.main_window import MainWindow


def write_layers(folder: Path, window: MainWindow) -> list[Path]:
    """One layer that names every node of the open model, as TensorRT 10 writes it, and its time."""
    assert window.session.model is not None
    nodes = [layer.name for layer in window.session.model.graph.layers if layer.name]
    layer = {"Name": "all", "LayerType": "Myelin", "Metadata": "\x1e".join(f"[ONNX Layer: {n}]" for n in nodes)}
    layers, profile = folder / "layers.json", folder / "profile.json"
    layers.write_text(json.dumps({"Layers": [layer], "Bindings": []}), "utf-8")
    profile.write_text(json.dumps([{"count": 10}, {"name": "all", "averageMs": 0.25}]), "utf-8")
    return [layers, profile]


def arrived(window: MainWindow, qtbot: QtBot) -> Run:
    qtbot.waitUntil(lambda: not window.session.runs.jobs, timeout=TIMEOUT_MS)
    assert window.session.current is not None
    return window.session.current


def test_files_from_the_dialog_become_the_current_run(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    files = write_layers(tmp_path, window)
    window.actions_by_id["import"].trigger()
    dialog = window.findChild(QFileDialog)
    assert dialog is not None
    assert dialog.fileMode() is QFileDialog.FileMode.ExistingFiles
    dialog.filesSelected.emit([str(file) for file in files])
    dialog.close()
    run = arrived(window, qtbot)
    assert run.config.backend == "TensorRT 10 (imported)"
    assert window.session.runs.layer_ms(run.id) == {"l0": 0.25}
    engine = window.session.runs.engine(run.id)
    assert engine is not None
    assert engine.graph.layers[0].sources
    assert run.id not in window.session.races.racers
    assert {"L4", "GeForce RTX 4090"} <= {*window.session.rooflines.gpus}, "any GPU may have measured it"
    assert window.session.choices.like(run).backend == "null", "an imported run names no backend to build with"


def test_dropped_files_are_imported_and_wrong_ones_leave_nothing(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    files = write_layers(tmp_path, window)
    assert hover(window, files)
    assert window.drop_hint.text == "Drop to import layers.json"
    assert drop(window, files)
    assert arrived(window, qtbot).imported == ("layers.json", "profile.json")
    files[0].write_text("{}", "utf-8")
    assert drop(window, files[:1])
    qtbot.waitUntil(lambda: window.session.message is not None, timeout=TIMEOUT_MS)
    assert window.session.message is not None
    assert "no kind that can be imported" in window.session.message.text
    assert len(list(window.session.runs)) == 1
    assert len([path for path in window.session.runs.store.root.iterdir() if path.is_dir()]) == 1


def test_without_a_model_the_way_is_told(empty_window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "layers.json"
    path.write_text("{}", "utf-8")
    assert drop(empty_window, [path])
    message = empty_window.session.message
    assert message is not None
    assert "Open the ONNX file first" in message.hint
