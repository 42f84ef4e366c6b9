"""What runs on a GPU cannot run without one: every class, method and argument is held against the real bindings."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import workbench.backends.tensorrt_rtx.runtime as runtime
from workbench.backends.base import Runner
from workbench.backends.tensorrt_rtx.module import find_module, load_module
from workbench.core.errors import WorkbenchError

pytestmark = pytest.mark.skipif(
    not find_module().startswith("tensorrt_rtx"), reason="TensorRT for RTX is not installed"
)

ROOM = Path(runtime.__file__).parent
FILES = ("runtime", "context", "outputs")
TREE = ast.Module([part for name in FILES for part in ast.parse((ROOM / f"{name}.py").read_text()).body], [])
CLASSES = {
    "_runtime": "Runtime",
    "runtime": "Runtime",
    "_engine": "ICudaEngine",
    "engine": "ICudaEngine",
    "_context": "IExecutionContext",
    "config": "IRuntimeConfig",
    "_cache": "IRuntimeCache",
    "strategy": "CudaGraphStrategy",
}
"""Names that hold an object of the bindings in those files, bare or behind `self`."""


def holder(node: ast.expr) -> str:
    """`_context` of `self._context`, `engine` of `engine`."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def uses() -> set[tuple[str, str]]:
    """(class, attribute) of everything that is touched."""
    found = {
        (CLASSES[holder(node.value)], node.attr)
        for node in ast.walk(TREE)
        if isinstance(node, ast.Attribute) and holder(node.value) in CLASSES
    }
    return {(kind, attribute) for kind, attribute in found if not attribute.startswith("_")}


def calls() -> list[tuple[str, str, int]]:
    """(class, method, number of positional arguments) of every call."""
    return [
        (CLASSES[holder(node.func.value)], node.func.attr, len(node.args))
        for node in ast.walk(TREE)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and holder(node.func.value) in CLASSES
    ]


def test_the_walk_sees_the_calls() -> None:
    names = {method for _, method, _ in calls()}
    assert {"deserialize_cuda_engine", "execute_async_v3", "set_tensor_address", "infer_shapes"} <= names
    assert {"set_optimization_profile_async", "get_tensor_profile_shape", "set_output_allocator"} <= names
    assert {"create_runtime_cache", "set_runtime_cache", "serialize", "deserialize"} <= names
    assert ("IRuntimeConfig", "cuda_graph_strategy") in uses()
    assert ("CudaGraphStrategy", "WHOLE_GRAPH_CAPTURE") in uses()


@pytest.mark.parametrize(("kind", "attribute"), sorted(uses()))
def test_every_method_and_property_exists(kind: str, attribute: str) -> None:
    assert hasattr(getattr(load_module(), kind), attribute)


@pytest.mark.parametrize(("kind", "method", "count"), sorted(calls()))
def test_every_call_has_as_many_arguments_as_the_bindings_take(kind: str, method: str, count: int) -> None:
    text = getattr(getattr(load_module(), kind), method).__doc__ or ""
    assert count in arguments(text, method), text


def arguments(text: str, method: str) -> set[int]:
    """How many arguments, without self, each signature in a pybind docstring takes; optional ones may be left out."""
    counts: set[int] = set()
    for found in re.finditer(rf"{method}\((.*?)\) ->", text):
        given = [part for part in re.split(r", (?=\w+:)", found[1]) if not part.startswith("self")]
        required = [part for part in given if "=" not in part]
        counts.update(range(len(required), len(given) + 1))
    return counts


def test_names_of_the_module_exist() -> None:
    trt = load_module()
    chains = {chain(node) for node in ast.walk(TREE) if isinstance(node, ast.Attribute)}
    used = sorted(name for name in chains if name.startswith("trt."))
    assert "trt.IProfiler" in used
    for name in used:
        value: Any = trt
        for part in name.split(".")[1:]:
            if part != "__init__":
                assert hasattr(value, part), name
                value = getattr(value, part)


def chain(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{chain(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def test_every_type_has_its_numpy_name() -> None:
    assert set(runtime._NUMPY) <= set(load_module().DataType.__members__)


def test_the_profiler_adds_up_by_layer_id() -> None:
    from workbench.core.graph import Graph, Layer

    graph = Graph("g", (Layer("l0", "first", "Conv"), Layer("l1", "second", "Relu")))
    profiler = runtime.as_profiler(load_module(), graph)
    for ms in (1.0, 3.0):
        profiler.report_layer_time("first", ms)
        profiler.report_layer_time("of no layer", ms)
        profiler.runs += 1
    assert profiler.means() == {"l0": 2.0, "l1": 0.0}


def test_an_engine_that_does_not_load_leaves_no_buffers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.core.graph import Graph

    class Buffers:
        closed = False

        def close(self) -> None:
            self.closed = True

    buffers = Buffers()
    monkeypatch.setattr(runtime, "open_buffers", lambda: buffers)
    artefact = tmp_path / "engine.trt"
    artefact.write_bytes(b"no engine")
    with pytest.raises(WorkbenchError, match=r"cannot load engine\.trt"):
        runtime.TensorRtRunner(artefact, Graph("g"))
    assert buffers.closed


def test_the_runner_is_a_whole_runner() -> None:
    assert issubclass(runtime.TensorRtRunner, Runner)
    assert not getattr(runtime.TensorRtRunner, "__abstractmethods__", None)


OVERRIDDEN = {"report_layer_time", "reallocate_output_async", "reallocate_output", "notify_shape"}


def test_what_the_subclasses_override_takes_what_the_bindings_hand_over() -> None:
    """Abstract methods stand in the documentation of their class alone."""
    trt, found = load_module(), set()
    for kind, method in overrides():
        text = getattr(trt, kind).__doc__ + (getattr(getattr(trt, kind), method, None).__doc__ or "")
        if (told := re.search(rf"{method}\(self(.*?)\)", text)) is not None:
            found.add(method)
            names = re.findall(r", (\w+)", re.sub(r": [\w.]+", "", told[1]))
            assert names == overrides()[kind, method], method
    assert found == OVERRIDDEN


def overrides() -> dict[tuple[str, str], list[str]]:
    """(class of the bindings, method) -> names of arguments, of what is overridden or added."""
    return {
        (chain(base).removeprefix("trt."), part.name): [argument.arg for argument in part.args.args[1:]]
        for node in ast.walk(TREE)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if chain(base).startswith("trt.")
        for part in node.body
        if isinstance(part, ast.FunctionDef) and part.name != "__init__"
    }


def test_every_function_of_cuda_bindings_exists() -> None:
    cuda = pytest.importorskip("cuda.bindings.runtime")
    tree = ast.parse((ROOM / "buffers.py").read_text())
    names = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_call"
        if isinstance(node.args[0], ast.Constant)
    }
    assert {"cudaMalloc", "cudaMemcpy", "cudaEventElapsedTime", "cudaStreamSynchronize"} <= names
    assert all(hasattr(cuda, str(name)) for name in names)
