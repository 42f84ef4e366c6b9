"""Arithmetic, weights and bytes of nodes, against numbers worked out by hand and totals that papers report."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx.backend.test.data
import pytest
from onnx import TensorProto, helper

from workbench.core.costs import Cost, total
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.model import open_model
from workbench.model.costs import model_costs, node_costs

LIGHT = Path(next(iter(onnx.backend.test.data.__path__))) / "light"
REAL = Path(__file__).parents[2] / "sample_models"


def cost(op: str, shapes: list[tuple[int | str, ...]], out: tuple[int, ...], constant: int = 9, **attrs: str) -> Cost:
    """Of one node; inputs from number `constant` on are weights."""
    tensors = {f"i{n}": Tensor(f"i{n}", shape, "float32", 0, n >= constant) for n, shape in enumerate(shapes)}
    tensors["y"] = Tensor("y", out, "float32", 4)
    layer = Layer("n0", "", op, tuple(f"i{n}" for n in range(len(shapes))), ("y",), attributes=attrs)
    return node_costs(Graph("g", (layer,), tensors))["n0"]


@pytest.mark.parametrize(
    ("op", "shapes", "out", "attributes", "flops"),
    [
        ("Conv", [(1, 3, 8, 8), (16, 3, 3, 3)], (1, 16, 6, 6), {}, 2 * 16 * 36 * 27),
        ("Conv", [(1, 3, 8, 8), (16, 3, 3, 3), (16,)], (1, 16, 6, 6), {}, 16 * 36 * (54 + 1)),
        ("Conv", [(1, 8, 8, 8), (8, 1, 3, 3)], (1, 8, 8, 8), {"group": "8"}, 2 * 512 * 9),
        ("ConvTranspose", [(1, 4, 5, 5), (4, 2, 3, 3)], (1, 2, 7, 7), {}, 2 * 100 * 18),
        ("Gemm", [(2, 8), (8, 5), (5,)], (2, 5), {}, 10 * 17),
        ("Gemm", [(8, 2), (8, 5)], (2, 5), {"transA": "1"}, 10 * 16),
        ("MatMul", [(4, 7, 8), (8, 3)], (4, 7, 3), {}, 2 * 84 * 8),
        ("Einsum", [(2, 3, 4), (2, 4, 5)], (2, 3, 5), {"equation": "bij,bjk->bik"}, 2 * 2 * 3 * 4 * 5),
        ("Einsum", [(6, 3, 4), (6, 4, 5)], (6, 3, 5), {"equation": "...ij, ...jk -> ...ik"}, 2 * 6 * 60),
        ("Einsum", [(3,), (4,)], (3, 4), {"equation": "i,j->ij"}, 12),
        ("Einsum", [(3, 4)], (), {"equation": "ij->"}, 12),
        ("Einsum", [(3, 4)], (4, 3), {"equation": "ji"}, 0),
        ("com.microsoft.FusedMatMul", [(4, 8, 7), (8, 3)], (4, 7, 3), {"transA": "1"}, 2 * 84 * 8),
        ("com.microsoft.QGemm", [(2, 8), (), (), (8, 5), (), (), (5,)], (2, 5), {}, 10 * 17),
        ("com.microsoft.QLinearAdd", [(2, 8), (), (), (2, 8)], (2, 8), {}, 16),
        ("LSTM", [(10, 2, 5), (1, 12, 5), (1, 12, 3)], (10, 1, 2, 3), {}, 10 * 2 * 3 * (4 * (2 * 8 + 3) + 5)),
        ("GRU", [(10, 2, 5), (2, 9, 5), (2, 9, 3)], (10, 2, 2, 3), {}, 10 * 2 * 2 * 3 * (3 * (2 * 8 + 3) + 5)),
        ("RNN", [(10, 2, 5), (1, 3, 5), (1, 3, 3)], (10, 1, 2, 3), {}, 10 * 2 * 3 * (2 * 8 + 3)),
        ("Attention", [(1, 2, 4, 8), (1, 2, 6, 8), (1, 2, 6, 8)], (1, 2, 4, 8), {}, 2 * 4 * 6 * (16 + 16 + 7)),
        ("Attention", [(1, 4, 16)] * 3, (1, 4, 16), {"q_num_heads": "2", "kv_num_heads": "2"}, 2 * 4 * 4 * 39),
        ("com.microsoft.MultiHeadAttention", [(1, 4, 16)] * 3, (1, 4, 16), {"num_heads": "2"}, 2 * 4 * 4 * 39),
        ("MaxPool", [(1, 2, 8, 8)], (1, 2, 4, 4), {"kernel_shape": "[2, 2]"}, 32 * 4),
        ("GlobalAveragePool", [(1, 2, 8, 8)], (1, 2, 1, 1), {}, 128),
        ("ReduceMean", [(2, 8)], (2, 1), {}, 16),
        ("BatchNormalization", [(1, 4, 2, 2)], (1, 4, 2, 2), {}, 32),
        ("LayerNormalization", [(2, 8)], (2, 8), {}, 80),
        ("Softmax", [(2, 8)], (2, 8), {}, 80),
        ("Relu", [(2, 8)], (2, 8), {}, 16),
        ("Add", [(2, 8), (8,)], (2, 8), {}, 16),
        ("Sum", [(2, 8)] * 4, (2, 8), {}, 48),
        ("Reshape", [(2, 8), (1,)], (16,), {}, 0),
        ("Resize", [(1, 2, 4, 4)], (1, 2, 8, 8), {"mode": "linear"}, 128 * 2 * 4),
        ("Resize", [(1, 2, 4, 4)], (1, 2, 8, 8), {"mode": "nearest"}, 0),
    ],
)
def test_operations_are_those_worked_out_by_hand(
    op: str, shapes: list[tuple[int | str, ...]], out: tuple[int, ...], attributes: dict[str, str], flops: int
) -> None:
    assert cost(op, shapes, out, **attributes).flops == flops


def test_what_cannot_be_known_is_none_and_not_nought() -> None:
    assert cost("Conv", [("batch", 3, 8, 8), (16, 3, 3, 3)], (1, 16, 6, 6)).flops is not None  # the output says it
    assert cost("MatMul", [(4, "n"), ("n", 3)], (4, 3)).flops is None
    assert cost("MatMul", [(4, "n"), ("n", 3)], (4, 3)).bytes_read is None
    assert cost("some.domain.Fancy", [(4, 4)], (4, 4)).flops is None
    assert cost("MaxPool", [(1, 2, 8, 8)], (1, 2, 4, 4), kernel_shape="[2, … 14 in all]").flops is None
    assert cost("LSTM", [(10, 2, 5), (1, 13, 5), (1, 13, 3)], (10, 1, 2, 3)).flops is None
    assert cost("LSTM", [(10, 5), (1, 12, 5), (1, 12, 3)], (10, 1, 2, 3)).flops is None  # of a rank that it has not


@pytest.mark.parametrize(("rows", "read"), [(64, 64 * 256 * 4), (40000, 30000 * 256 * 4)])
def test_of_a_table_only_what_is_selected_is_read(rows: int, read: int) -> None:
    """An embedding of 30 MB moves 64 words, not 30 MB."""
    table = Tensor("t", (30000, 256), "float32", 30000 * 256 * 4, constant=True)
    tensors = {"t": table, "i": Tensor("i", (rows,), "int64", rows * 8)}
    tensors["y"] = Tensor("y", (rows, 256), "float32", rows * 256 * 4)
    found = node_costs(Graph("g", (Layer("n0", "", "Gather", ("t", "i"), ("y",)),), tensors))["n0"]
    assert (found.bytes_read, found.bytes_written, found.parameters) == (read + rows * 8, rows * 1024, 30000 * 256)


def test_weights_are_counted_at_their_reader() -> None:
    assert cost("Gemm", [(2, 8), (8, 5), (5,)], (2, 5), constant=1).parameters == 45
    assert cost("MatMul", [(2, 8), (8, 8)], (2, 8)).parameters == 0


def test_a_sum_leaves_out_what_is_not_known() -> None:
    assert total([Cost(3, 1, 8, None), Cost(None, 2, 4, None)]) == Cost(3, 3, 12, None)
    assert total([]) == Cost(None, 0, None, None)


def test_bodies_count_at_their_own_nodes() -> None:
    body = Graph("b", (Layer("n0.then_branch.n0", "", "Exp", ("x",), ("z",)),), {"z": Tensor("z", (5,), "float32", 20)})
    holder = Layer("n0", "", "If", ("c",), ("y",), kind=LayerKind.CONTROL)
    found = node_costs(Graph("g", (holder,), {"y": Tensor("y", (5,))}, (), (), {"n0.then_branch": body}))
    assert (found["n0"].flops, found["n0.then_branch.n0"].flops) == (0, 5)


@pytest.mark.parametrize(
    ("name", "gmacs", "parameters"),  # torchvision's and the papers' figures; half of our FLOPs, elementwise included
    [("resnet50", 4.09, 25.6e6), ("squeezenet", 0.35, 1.24e6), ("vgg19", 19.63, 143.7e6)],
)
def test_totals_are_the_published_ones(name: str, gmacs: float, parameters: float) -> None:
    model = open_model(LIGHT / f"light_{name}.onnx")
    found = total(model_costs(model, model.shapes).values())
    assert found.flops is not None and found.flops / 2e9 == pytest.approx(gmacs, rel=0.015)
    assert found.parameters == pytest.approx(parameters, rel=0.005)


def dynamic(path: Path) -> Path:
    """x[batch, 8] W, then as many values as the batch has."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 8])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    weight = helper.make_tensor("w", TensorProto.FLOAT, [8, 200], [0.5] * 1600)
    last = helper.make_tensor("last", TensorProto.INT64, [1], [-1])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Shape", ["a"], ["s"]),
        helper.make_node("Reshape", ["a", "last"], ["r"]),
        helper.make_node("Relu", ["r"], ["y"]),
    ]
    onnx.save(helper.make_model(helper.make_graph(nodes, "g", [x], [y], [weight, last])), path)
    return path


def test_free_dimensions_are_those_chosen(tmp_path: Path) -> None:
    model = open_model(dynamic(tmp_path / "dynamic.onnx"))
    for batch in (1, 16):
        found = model_costs(model, {"x": (batch, 8)})
        assert found["n0"] == Cost(2 * batch * 200 * 8, 1600, batch * 32 + 6400, batch * 800)
        assert (found["n3"].flops, found["n3"].bytes_written) == (batch * 200, batch * 800)


def test_a_file_that_has_changed_is_refused(tmp_path: Path) -> None:
    path = dynamic(tmp_path / "dynamic.onnx")
    model = open_model(path)
    path.write_bytes(path.read_bytes() + b"\x32\x00")
    with pytest.raises(WorkbenchError):
        model_costs(model, model.shapes)


def test_every_node_of_a_real_model_is_known() -> None:
    model = open_model(next(REAL.glob("ocr/*rec*.onnx"), next(REAL.glob("ocr/*.onnx"))))
    found = model_costs(model, model.shapes)
    assert set(found) == {node.id for node in model.graph.walk()}
    assert all(cost.flops is not None and cost.bytes_written is not None for cost in found.values())
    assert total(found.values()).parameters == pytest.approx(model.parameters, rel=0.001)
