"""The command line called in this process; only jobs and probes are children."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from workbench.cli import main

QUICK = ("--backend", "null", "--seconds", "0.05", "--option", "latency_ms=0.2")


class Answer:
    """What a command gave: exit code, stdout, stderr, and the model the window was opened with."""

    def __init__(self, code: int, out: str, err: str, opened: list[tuple[str, str]]) -> None:
        self.code, self.out, self.err, self.opened = code, out, err, opened

    @property
    def document(self) -> Any:
        """The one document on stdout; fails where anything else stands there."""
        return json.loads(self.out)


Cli = Callable[..., Answer]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path / "home"


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Calls the command line in this process; only jobs and probes are children."""

    def call(*argv: str | Path) -> Answer:
        opened: list[tuple[str, str]] = []

        def open_window(path: str, screenshot: str) -> int:
            opened.append((path, screenshot))
            return 0

        capfd.readouterr()
        code = main([str(word) for word in argv], open_window)
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Answer(code, out, err, opened)

    return call


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conv + Relu with a free batch, and an input name that holds what separates words elsewhere."""
    nodes = [helper.make_node("Conv", ["in:0=a", "w"], ["c"]), helper.make_node("Relu", ["c"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("in:0=a", TensorProto.FLOAT, ["n", 1, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2, 2, 2])],
        [numpy_helper.from_array(np.ones((2, 1, 3, 3), np.float32), "w")],
    )
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path
