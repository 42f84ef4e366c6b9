"""A small model and requests for it on the null backend; nothing may be left behind by any test here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from workbench.core.run import BuildConfig, RunRequest, TimingConfig

MakeRequest = Callable[..., RunRequest]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    threads = set(threading.enumerate())
    yield
    children = psutil.Process().children(recursive=True)
    assert not children, children
    left = [t for t in threading.enumerate() if t not in threads and t.is_alive()]
    for thread in left:
        thread.join(timeout=60)
    assert not [t for t in left if t.is_alive()]


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weight = numpy_helper.from_array(np.ones((4, 3, 3, 3), np.float32), "w")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 8, 8])],
        [weight],
    )
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), path)
    return path


@pytest.fixture
def make_request(model_path: Path, tmp_path: Path) -> MakeRequest:
    count = iter(range(1000))

    def make(**options: str) -> RunRequest:
        name = f"job-{next(count):04d}"
        return RunRequest(
            id=name,
            folder=str(tmp_path / name),
            model_path=str(model_path),
            config=BuildConfig(backend="null", threads=1, options=options),
            timing=TimingConfig(warmup_ms=1, warmup_iterations=1, seconds=0.05, min_iterations=5),
        )

    return make
