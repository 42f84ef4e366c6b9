"""Netron in a dock: what its page may load, what the dock says without it, and where it is installed the real thing."""

from __future__ import annotations

import importlib.util
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import onnx
import psutil
import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from tests.session.conftest import build_and_wait
from tests.views.driving import TIMEOUT_MS, click
from workbench.views.main_window import MainWindow
from workbench.views.netron.files import NetronFiles, netron_folder
from workbench.views.netron.missing import COMMAND, what_is_missing

PAGE = """<html><head><meta name="version" content="9.3.3">
<meta name="date" content="2020-01-01 00:00:00">
<title>Netron</title><style>@media (prefers-color-scheme: dark) { body { color: #ddd; } }</style></head></html>"""


@pytest.fixture
def files(tmp_path: Path) -> NetronFiles:
    """A package of three files, beside which something lies that nobody may read."""
    folder = tmp_path / "netron"
    (folder / "inner").mkdir(parents=True)
    (tmp_path / "secret.json").write_text("{}")
    (folder / "inner" / "deep.js").write_text("deep")
    (folder / "index.html").write_text(PAGE)
    (folder / "view.js").write_text("view")
    (folder / "server.py").write_text("import socket")
    (folder / "linked.json").symlink_to(tmp_path / "secret.json")
    made = NetronFiles(folder)
    made.set_graph("source", 'a "model" <b>.onnx', b"model")
    return made


def test_files_of_the_package_and_the_graph_are_served(files: NetronFiles) -> None:
    assert files.answer("source", "/view.js") == ("text/javascript", b"view")
    assert files.answer("source", "/data/model.onnx") == ("application/octet-stream", b"model")


REFUSED = """/../secret.json /..%2fsecret.json /../netron/view.js /inner/../view.js /inner/deep.js /linked.json
/server.py //view.js /./view.js /view.js/ /data/other.onnx /data/../view.js /data/model.onnx.data /missing.js /.js /data
/etc/passwd /view.js\0 /C:\\windows\\view.js ///secret.json"""


@pytest.mark.parametrize("path", REFUSED.split())
def test_nothing_else_can_be_read(files: NetronFiles, path: str) -> None:
    assert files.answer("source", path) is None


def test_a_graph_that_is_not_shown_has_no_page(files: NetronFiles) -> None:
    assert files.answer("engine", "/index.html") is None
    files.drop_graph("source")
    assert files.answer("source", "/view.js") is None


def test_the_page_is_of_today_counts_as_unpackaged_and_names_the_model_as_text(files: NetronFiles) -> None:
    before = datetime.now(UTC)
    found = files.answer("source", "/")
    assert found is not None
    page = found[1].decode()
    days = {f"{at:%Y-%m-%d}" for at in (before, datetime.now(UTC))}  # two at midnight
    assert any(f'<meta name="date" content="{day}' in page for day in days)
    assert '<meta name="version" content="0.0.0">' in page
    assert '<meta name="file" content="data/model.onnx">' in page
    assert 'content="a &quot;model&quot; &lt;b&gt;.onnx"' in page


@pytest.mark.parametrize(("is_dark", "query"), [(True, "@media all"), (False, "@media not all")])
def test_the_page_follows_light_and_dark(files: NetronFiles, is_dark: bool, query: str) -> None:
    files.is_dark = is_dark
    found = files.answer("source", "/index.html")
    assert found is not None and query in found[1].decode()


def test_without_netron_the_dock_says_how_to_get_it(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.views.netron.missing.netron_folder", lambda: None)
    window.actions_by_id["netron"].trigger()
    missing = window.netron.missing
    assert missing is not None and missing.isVisible()
    assert "Netron is not installed here." in missing.text.text()
    click(missing.copy)
    assert QGuiApplication.clipboard().text() == COMMAND == "pip install 'inference-workbench[netron]'"
    window.actions_by_id["netron"].trigger()
    assert not window.netron.isVisible()


def test_a_library_that_webengine_needs_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(name: str) -> None:
        raise ImportError("libnss3.so: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("workbench.views.netron.missing.netron_folder", lambda: tmp_path)
    monkeypatch.setattr("workbench.views.netron.missing.importlib.import_module", fail)
    found = what_is_missing()
    assert found is not None and "libnss3.so is missing" in found.why and "libnss3" in found.command


def test_nothing_of_netron_is_loaded_before_the_dock_is_opened(window: MainWindow) -> None:
    assert window.netron.widget() is None and not window.netron.views
    assert not window.netron.isVisible()


def test_the_engine_is_saved_as_a_file_for_netron(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    from workbench.session.netron import save_engine

    assert build_and_wait(window.session, qtbot).error is None
    save_engine(window.session, tmp_path / "engine.onnx")
    proto = onnx.load(tmp_path / "engine.onnx")
    assert window.session.engine is not None
    assert len(proto.graph.node) == len(window.session.engine.graph.layers)
    assert any(attribute.name == "time_ms" for node in proto.graph.node for attribute in node.attribute)


# where it is installed

HAS_NETRON = netron_folder() is not None and importlib.util.find_spec("PySide6.QtWebEngineWidgets") is not None
needs_netron = pytest.mark.skipif(not HAS_NETRON, reason="netron and PySide6-Addons are not installed")
CLICK = """(() => {
    for (const [node, element] of window.__view__.target._table) {
        if (node.metadata && node.metadata.some((item) => item.name === 'workbench.id' && item.value === %s)) {
            element.element.querySelector('.node-item').dispatchEvent(new MouseEvent('click', { bubbles: true }));
        }
    }
})()"""
ASK_OUT = "fetch('https://example.com/x.json').catch(() => 0); new Image().src = 'http://127.0.0.1:9/x.png'; 0"


@needs_netron
@pytest.mark.qt_log_level_fail("CRITICAL")  # Chromium tells of graphics that are not here
def test_selection_is_one_with_netron_and_nothing_leaves_the_machine(window: MainWindow, qtbot: QtBot) -> None:
    session = window.session
    assert build_and_wait(session, qtbot).error is None
    node, other = [layer.id for layer in session.model.graph.layers][:2]
    session.select_nodes([node])
    window.actions_by_id["netron"].trigger()
    dock = window.netron
    source, engine = dock.views["source"], dock.views["engine"]
    qtbot.waitUntil(lambda: source.shown == (node,), timeout=TIMEOUT_MS)
    source.netron_page.runJavaScript(CLICK % json.dumps(other))
    qtbot.waitUntil(lambda: session.selection.nodes == {other}, timeout=TIMEOUT_MS)
    dock.show_graph("engine")
    layers = tuple(sorted(session.links.layers_of([other])))
    qtbot.waitUntil(lambda: engine.shown == layers, timeout=TIMEOUT_MS)
    last = session.engine.graph.layers[-1].id
    engine.netron_page.runJavaScript(CLICK % json.dumps(last))
    qtbot.waitUntil(lambda: session.selection.layers == {last}, timeout=TIMEOUT_MS)
    gate = dock.engine.gate
    assert gate.refused == [], "Netron asks for nothing outside"
    assert not listening()
    engine.netron_page.runJavaScript(ASK_OUT)
    qtbot.waitUntil(lambda: len(gate.refused) == 2, timeout=TIMEOUT_MS)


def listening() -> list[object]:
    """Sockets of this process and its children that reach anywhere."""
    own = psutil.Process(os.getpid())
    return [each for process in (own, *own.children(recursive=True)) for each in process.net_connections(kind="inet")]
