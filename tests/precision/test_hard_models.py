"""Every precision, in every backend's dialect, on models that are hard: what is written computes the same function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.precision.hard import HARD, Arrays
from tests.precision.models import compiled, infer, seen, sqnr_db
from workbench.backends.base import load_backend
from workbench.core.dialect import Dialect, How
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.model import open_model, private_copy, sources_of
from workbench.precision.simulation import exact_copy

LEAST_DB = {
    Precision.FP32: 100.0,
    Precision.TF32: 100.0,
    Precision.FP16: 45.0,
    Precision.BF16: 28.0,
    Precision.FP8: 17.0,
    Precision.INT8: 22.0,
    Precision.INT8_WEIGHTS: 30.0,
    Precision.INT4_WEIGHTS: 8.0,
    Precision.FP4_WEIGHTS: 8.0,
}
"""What the worst output of these models keeps, with a margin: random weights and few channels are hard on few bits."""


def _feed(model: Model) -> Arrays:
    rng = np.random.default_rng(5)
    proto = onnx.load(model.path)
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    return {value.name: rng.standard_normal(_shape(value)).astype(_type(value)) for value in inputs}


def _shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def _type(value: onnx.ValueInfoProto) -> np.dtype[np.generic]:
    return onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime", "tensorrt_rtx"])
@pytest.mark.parametrize("make", HARD, ids=lambda make: make.__name__)
def test_every_precision_keeps_the_function(tmp_path: Path, make: Callable[[], onnx.ModelProto], backend: str) -> None:
    onnx.save(make(), str(tmp_path / "model.onnx"))
    model = open_model(tmp_path / "model.onnx")
    feed, dialect = _feed(model), load_backend(backend).dialect()
    onnx.save(private_copy(model), tmp_path / "plain.onnx")
    expected = infer(str(tmp_path / "plain.onnx"), feed)
    observations = None if Precision.INT8 in HARD[make] else seen(model, feed)
    for precision in (p for p in Precision if dialect.how.get(p, How.NONE) in (How.GRAPH, How.ROUNDED)):
        if precision in HARD[make] or (precision is Precision.BF16 and _is_left(make, dialect)):
            with pytest.raises(WorkbenchError, match="Nothing to") as refused:
                compiled(model, tmp_path / "none", precision, dialect, observations)
            assert refused.value.hint
            continue
        typed = compiled(model, tmp_path / "a", precision, dialect, observations)
        _check_interface(typed.path, model.path)
        again = compiled(model, tmp_path / "b", precision, dialect, observations)
        assert Path(typed.path).read_bytes() == Path(again.path).read_bytes(), precision
        exact = exact_copy(typed.path)
        onnx.save(exact, tmp_path / "exact.onnx")
        found = infer(str(tmp_path / "exact.onnx"), {v.name: feed[v.name].astype(_type(v)) for v in exact.graph.input})
        worst = min(sqnr_db(values, reference) for values, reference in zip(found, expected, strict=True))
        assert worst > LEAST_DB[precision], precision


def _is_left(make: Callable[[], onnx.ModelProto], dialect: Dialect) -> bool:
    """BF16: the operands of what computes are rounded whatever their type; written it is into float32 graphs only."""
    return make.__name__ == ("nothing_to_quantize" if dialect.how[Precision.BF16] is How.ROUNDED else "float16")


def _check_interface(path: str, source: str) -> None:
    """The checker passes; inputs and outputs have the names, types and shapes of the user's file."""
    proto, wanted = onnx.load(path), onnx.load(source)
    onnx.checker.check_model(proto, full_check=True)
    weights = {tensor.name for tensor in wanted.graph.initializer}
    assert list(proto.graph.input) == [value for value in wanted.graph.input if value.name not in weights]
    assert list(proto.graph.output) == list(wanted.graph.output)
    assert all(sources_of(node.name) for node in proto.graph.node)
