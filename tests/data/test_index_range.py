"""Random whole numbers that a model can take: places in its tables, lengths of its sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from workbench.core.recipe import InputSpec, Recipe
from workbench.data import open_samples
from workbench.data.index_range import index_range
from workbench.model import open_model

TABLE = "float[7,3] table"
LSTM = "float[1,8,4] w;float[1,8,2] r"
CASES = [
    ("(int64[2] i) => (float[2,3] y)", TABLE, "y = Gather (table, i)", (0, 6)),
    ("(int64[2] i) => (float[7,2] y)", TABLE, "y = Gather <axis = -1> (table, i)", (0, 2)),
    ("(int32[2] i) => (float[2,3] y)", TABLE, "l = Cast <to = 7> (i) y = Gather (table, l)", (0, 6)),
    (
        "(int64[2] i) => (float[2,3] y, float[2] z)",
        f"{TABLE};float[4] short",
        "y = Gather (table, i) z = Gather (short, i)",
        (0, 3),
    ),
    ("(int64[2] i) => (float[2,3] y)", "int8[7,3] q", "table = Cast <to = 1> (q) y = Gather (table, i)", (0, 6)),
    (
        "(float[5,2,4] x, int32[2] i) => (float[5,1,2,2] y)",
        LSTM,
        "y = LSTM <hidden_size = 2> (x, w, r, , i)",
        (5, 5),
    ),
    ("(int64[9] i, int64[2] k) => (int64[2] y)", "", "y = Gather (i, k)", None),
    ("(int64[2] i) => (int64[2] y)", "", "y = Add (i, i)", None),
]


def made(folder: Path, head: str, constants: str, body: str) -> Path:
    proto = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["" : 17]> g {head} {{ {body} }}')
    for text in filter(None, constants.split(";")):
        kind, name = text.split()
        dtype, _, dims = kind.rstrip("]").partition("[")
        shape = [int(size) for size in dims.split(",")]
        values = np.ones(shape, {"float": np.float32}.get(dtype, dtype))
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    path = folder / "model.onnx"
    onnx.save(proto, path)
    return path


@pytest.mark.parametrize(("head", "constants", "body", "wanted"), CASES)
def test_an_input_of_places_stays_within_its_table(
    tmp_path: Path, head: str, constants: str, body: str, wanted: tuple[int, int] | None
) -> None:
    assert index_range(open_model(made(tmp_path, head, constants, body)).graph, "i") == wanted


def test_random_values_are_places_of_the_table_unless_the_recipe_says_otherwise(tmp_path: Path) -> None:
    model = open_model(made(tmp_path, "(int64[500] i) => (float[500,3] y)", TABLE, "y = Gather (table, i)"))
    feed = open_samples("random", model, Recipe(), model.shapes).feed(0)
    assert set(feed["i"].tolist()) == set(range(7))
    told = Recipe(inputs={"i": InputSpec(low=2, high=3)})
    assert set(open_samples("random", model, told, model.shapes).feed(0)["i"].tolist()) == {2, 3}
