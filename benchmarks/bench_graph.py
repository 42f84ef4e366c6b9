"""The graph canvas against Netron's own layout, on the same graphs and box sizes, and against what it promises.

python -m benchmarks.bench_graph [SECONDS]    how long Netron may take for one graph; 30 without

Everything is CPU time of this process (or of node), so that it holds on a shared machine. Netron is given its layout
alone, without reading, measuring and drawing; ours is counted from the graph to the first painted frame, with every
group open. Needs `node`, and the netron package: pip install 'inference-workbench[netron]'.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
from PySide6.QtCore import QPointF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from benchmarks.graphs import transformer
from workbench.core.graph import Graph
from workbench.model import find_all_scopes
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.boxes import HEIGHT
from workbench.views.canvas.fonts import ruler
from workbench.views.canvas.heat import Heat
from workbench.views.canvas.nest import Nest
from workbench.views.canvas.scene import Scene
from workbench.views.netron.files import netron_folder

PANE = (1400, 900)
MIB = 1024**2


def told(what: str, value: float, unit: str, limit: float, *, at_least: bool = False) -> None:
    """One line: what was measured, what is promised, and whether that holds."""
    holds = value >= limit if at_least else value <= limit
    sign = ">=" if at_least else "<="
    print(f"  {what:52s}{value:9.3f} {unit:4s} {sign} {limit:g} {unit:4s} {'ok' if holds else 'MISSED'}", flush=True)


def cpu_ms(act: Callable[[], object], times: int) -> float:
    """Mean CPU milliseconds of this process, all threads."""
    gc.collect()
    start = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - start) / times * 1000


def laid_out(graph: Graph) -> Scene:
    """Scopes, then the layout of the whole graph with every group open."""
    scopes = find_all_scopes(graph)
    every = frozenset(scope.id for scope in scopes[""].walk())
    return Nest(graph, ruler(), scopes).draft((), every).scene


def layout_s(nodes: int, times: int) -> tuple[Scene, float]:
    """Best of some: the others were disturbed."""
    graph = transformer(nodes)
    best = min(cpu_ms(lambda: laid_out(graph), 1) for _ in range(times)) / 1000
    return laid_out(graph), best


def first_picture_s(graph: Graph, *, whole: bool) -> float:
    """From the graph to the first frame on a canvas of its own."""
    image = QImage(*PANE, QImage.Format.Format_RGB32)
    canvas = shown(None)

    def show() -> None:
        canvas.set_graph(graph, find_all_scopes(graph))
        if whole:
            canvas.expand_all()
        canvas.render(image)

    return cpu_ms(show, 1) / 1000


def shown(graph: Graph | None, width: int = PANE[0]) -> GraphCanvas:
    canvas = GraphCanvas()
    canvas.is_animated = False
    canvas.resize(width, PANE[1])
    if graph is not None:
        canvas.set_graph(graph, find_all_scopes(graph))
        canvas.expand_all()
        canvas.fit()
    return canvas


# Netron


def netron_seconds(scene: Scene, limit: float) -> float | None:
    """CPU seconds of Netron's layout of the same boxes and edges; None where it does not end in `limit` of them."""
    folder = netron_folder()
    assert folder is not None
    nodes = [{"v": str(i), "width": width, "height": HEIGHT} for i, width in enumerate(scene.widths.tolist())]
    edges = [
        {
            "v": str(v),
            "w": str(w),
            "minlen": 1,
            "weight": 1,
            "width": 0,
            "height": 0,
            "labeloffset": 10,
            "labelpos": "r",
        }
        for v, w in scene.edges.tolist()
    ]
    with tempfile.TemporaryDirectory() as place:
        dagre, graph = Path(place) / "dagre.mjs", Path(place) / "graph.json"
        shutil.copyfile(folder / "dagre.js", dagre)  # node takes modules by this suffix
        graph.write_text(json.dumps({"nodes": nodes, "edges": edges}))
        script = Path(__file__).parent / "dagre.mjs"
        command = f'ulimit -t {round(limit)}; exec node "$0" "$1" "$2"'
        done = subprocess.run(["sh", "-c", command, script, dagre, graph], capture_output=True, text=True, check=False)
        if done.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
            return None
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["placed"] == scene.count
    return float(said["seconds"])


def against_netron(limit: float) -> None:
    missing = [name for name, there in (("node", shutil.which("node")), ("netron", netron_folder())) if not there]
    if missing:
        print(f"  Netron is not compared: {' and '.join(missing)} is missing here.")
        return
    for nodes in (1_000, 5_000):
        graph = transformer(nodes)
        scene = laid_out(graph)
        first_picture_s(graph, whole=True)  # what is imported and cached at the first time is not the layout's
        ours = min(first_picture_s(graph, whole=True) for _ in range(5))
        theirs = netron_seconds(scene, limit)
        words = f"Netron {theirs:.2f} s" if theirs is not None else f"Netron not done in {limit:g} s"
        print(f"  {scene.count} boxes, {len(scene.edges)} edges: first picture {ours:.3f} s, layout of {words}")
        ratio = (limit if theirs is None else theirs) / ours
        told(f"faster than Netron at {nodes:,} nodes{'' if theirs else ', at least'}", ratio, "x", 30.0, at_least=True)


# frames


def frames(graph: Graph, process: psutil.Process) -> None:
    """What a canvas of 50,000 nodes costs, everything open. Each frame is of another place, as when one pans."""
    gc.collect()
    before = process.memory_full_info().uss
    canvas = shown(graph)
    image = QImage(*PANE, QImage.Format.Format_RGB32)
    canvas.render(image)
    gc.collect()
    used = (process.memory_full_info().uss - before) / MIB

    def frame() -> None:
        canvas.pan(3.0, 2.0)
        canvas.render(image)

    def frame_ms(zoom: float) -> float:
        canvas.fit()
        if zoom:
            canvas.zoom_about(zoom / canvas.camera.zoom, PANE[0] / 2, PANE[1] / 2)
        frame()
        return min(cpu_ms(frame, 10) for _ in range(3))

    told("frame, all of 50,000 nodes in view", frame_ms(0.0), "ms", 16)
    told("frame, zoom 0.4", frame_ms(0.4), "ms", 16)
    told("frame, near", frame_ms(1.0), "ms", 8)
    drawn = random.Random(0)
    places = [QPointF(drawn.uniform(0, PANE[0]), drawn.uniform(0, PANE[1])) for _ in range(100)]
    canvas.fit()
    told("what is under the pointer", cpu_ms(lambda: [canvas.box_under(p) for p in places], 3) / 100, "ms", 2)
    told("memory of the canvas", used, "MiB", 150)


def recolouring(graph: Graph) -> None:
    """Two panes side by side, 5,000 nodes each, get new values and are painted, as at every tick of a measuring run."""
    panes = [shown(graph, PANE[0] // 2), shown(graph, PANE[0] // 2)]
    image = QImage(PANE[0] // 2, PANE[1], QImage.Format.Format_RGB32)
    drawn = random.Random(0)
    values = [{layer.id: drawn.random() for layer in graph.layers} for _ in range(4)]
    turn = 0

    def tick() -> None:
        nonlocal turn
        turn += 1
        for pane in panes:
            pane.set_overlay(Heat(values[turn % len(values)], "ms"))
            pane.render(image)

    tick()
    told("two panes of 5,000 nodes recoloured and painted", min(cpu_ms(tick, 8) for _ in range(3)), "ms", 16)


def main() -> None:
    app = QApplication.instance() or QApplication([])
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    print("against Netron, every group open")
    against_netron(limit)
    print("scopes and layout, every group open")
    told("5,000 nodes", layout_s(5_000, 5)[1], "s", 0.3)
    told("50,000 nodes", layout_s(50_000, 2)[1], "s", 3)
    print("drawing")
    frames(transformer(50_000), psutil.Process())
    recolouring(transformer(5_000))
    app.processEvents()


if __name__ == "__main__":
    main()
