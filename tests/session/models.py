"""Small models for tests of the session and the window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from workbench.data import read_recipe
from workbench.model import open_model
from workbench.session.questions import Opened
from workbench.session.session import Session

LONG = {"delay_s": "600"}
"""Options of a build that somebody ends: it lasts longer than any test waits."""
HOSTILE = "<img src='file:///etc/passwd'><b>name"


def save_small_model(path: Path, *, name: str = "conv", blocks: int = 2) -> Path:
    """Conv + Relu, `blocks` times, with a free batch dimension. The first Conv is called `name`."""
    nodes, weights, last = [], [], "x"
    for block in range(blocks):
        weights.append(numpy_helper.from_array(np.full((3, 3, 3, 3), 0.1, np.float32), f"w{block}"))
        title = name if block == 0 else f"conv_{block}"
        nodes.append(helper.make_node("Conv", [last, f"w{block}"], [f"c{block}"], name=title, pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{block}"], [f"r{block}"], name=f"relu_{block}"))
        last = f"r{block}"
    nodes.append(helper.make_node("Softmax", [last], ["y"], name="softmax", axis=1))
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        weights,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


def open_here(session: Session, path: Path) -> None:
    """As `session.open` does, but in this process: what opening in a child takes has tests of its own."""
    model = open_model(path)
    session.take(Opened(model, read_recipe(model)))
