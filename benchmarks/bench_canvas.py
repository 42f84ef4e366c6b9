"""Seconds of layout and milliseconds a frame of the graph canvas, on transformer-like graphs. Plain figures, CPU time.

python benchmarks/bench_canvas.py [NODES ...]
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from workbench.core.graph import Graph, Layer, Tensor
from workbench.session.search_index import SearchIndex
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.heat import Heat

PANE = (1400, 900)


def transformer(nodes: int) -> Graph:
    """Blocks of 18 nodes, each with two residual sums and a mask that every block reads: the hard case for a layout."""
    layers: list[Layer] = []

    def node(op: str, *inputs: str) -> str:
        name = f"n{len(layers)}"
        layers.append(
            Layer(name, f"/layers.{len(layers) // 18}/{op}", op, inputs, (f"t{len(layers)}",), sources=(name,))
        )
        return layers[-1].outputs[0]

    x = node("Gather", "ids")
    while len(layers) < nodes:
        h = node("LayerNormalization", x)
        q, k, v = (node("Transpose", node("Reshape", node("MatMul", h))) for _ in range(3))
        scores = node("Softmax", node("Add", node("MatMul", q, k), "mask"))
        x = node("Add", x, node("MatMul", node("Reshape", node("MatMul", scores, v))))
        x = node("Add", x, node("MatMul", node("Gelu", node("MatMul", node("LayerNormalization", x)))))
    tensors = {t: Tensor(t, (1, 128, 768), "float32") for layer in layers for t in layer.outputs}
    return Graph("transformer", tuple(layers), tensors, ("ids", "mask"), (x,))


def cpu_ms(act: Callable[[], object], times: int) -> float:
    """Mean CPU milliseconds of the calling thread."""
    start = time.thread_time()
    for _ in range(times):
        act()
    return (time.thread_time() - start) / times * 1000


def bench(nodes: int) -> None:
    graph = transformer(nodes)
    canvas = GraphCanvas()
    canvas.is_animated = False
    canvas.resize(*PANE)
    layout_s = cpu_ms(lambda: canvas.set_graph(graph), 1) / 1000
    image = QImage(*PANE, QImage.Format.Format_RGB32)
    values = {layer.id: float(i % 97) for i, layer in enumerate(graph.layers)}
    canvas.set_overlay(Heat(values, "ms"))

    def frame_ms(zoom: float) -> float:
        canvas.fit()
        if zoom:
            canvas.fly_to(graph.layers[len(graph.layers) // 2].id)
            canvas.zoom_about(zoom / canvas.camera.zoom, PANE[0] / 2, PANE[1] / 2)
        canvas.render(image)
        return cpu_ms(lambda: canvas.render(image), 10)

    fit, middle, near = frame_ms(0.0), frame_ms(0.4), frame_ms(1.0)
    recolour = cpu_ms(lambda: canvas.set_overlay(Heat(values, "ms")), 5)
    hit = cpu_ms(lambda: canvas.scene and canvas.box_under(canvas.rect().center().toPointF()), 20)
    search = SearchIndex(graph)
    find = cpu_ms(lambda: search.find("softmax"), 3)
    print(
        f"{len(graph.layers):6d} nodes  layout {layout_s:6.3f} s   frame ms: fit {fit:5.1f}  middle {middle:5.1f}  "
        f"near {near:5.1f}   recolour {recolour:5.1f} ms  hit {hit:4.2f} ms  find {find:5.1f} ms  "
        f"crossings {canvas.scene.placed.crossings}"
    )


def main() -> None:
    app = QApplication.instance() or QApplication([])
    for nodes in [int(arg) for arg in sys.argv[1:]] or [1_000, 5_000]:
        bench(nodes)
    app.processEvents()


if __name__ == "__main__":
    main()
