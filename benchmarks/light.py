"""The light models of the onnx wheel with real weights: they make theirs at run time, which engines do not fold."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

DATA = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


def light_models() -> list[Path]:
    """Files of the wheel, the smallest network first; empty where the wheel leaves its test data out."""
    return sorted(DATA.glob("light_*.onnx"), key=lambda path: sum(_made_elements(onnx.load(path).graph).values()))


def with_weights(path: Path, folder: Path) -> Path:
    """`path` with weights in place of every ConstantOfShape, in `folder`; one made before is taken again.

    Convolutions and products get He's normal distribution, so that values stay of one size through the layers; scales
    and variances are 1 plus a little, all else is near 0. Seeded by the name: the same file every time.
    """
    made = folder / path.name.removeprefix("light_")
    if not made.is_file():
        model = onnx.load(path)
        _fill(model.graph, np.random.default_rng(sum(path.name.encode())))
        part = made.with_suffix(".part")
        onnx.save_model(model, part)
        part.replace(made)
    return made


def _made_elements(graph: onnx.GraphProto) -> dict[str, int]:
    return {name: prod(shape) for name, shape in _shapes(graph).items()}


def _shapes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """Of what ConstantOfShape makes, by tensor."""
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = (node for node in graph.node if node.op_type == "ConstantOfShape")
    return {
        node.output[0]: tuple(int(dim) for dim in known[node.input[0]]) for node in makers if node.input[0] in known
    }


def _fill(graph: onnx.GraphProto, random: np.random.Generator) -> None:
    shapes, roles = _shapes(graph), _roles(graph)
    for name, shape in shapes.items():
        graph.initializer.append(numpy_helper.from_array(_values(shape, roles.get(name, ""), random), name))
    kept = [node for node in graph.node if not set(node.output) & shapes.keys()]
    del graph.node[:]
    graph.node.extend(kept)


def _roles(graph: onnx.GraphProto) -> dict[str, str]:
    """`Conv 1` for the weight of a Conv: the op that reads a tensor first, and as which input."""
    roles: dict[str, str] = {}
    for node in graph.node:
        for index, name in enumerate(node.input):
            roles.setdefault(name, f"{node.op_type} {index}")
    return roles


def _values(shape: tuple[int, ...], role: str, random: np.random.Generator) -> NDArray[np.float32]:
    noise = random.standard_normal(shape, np.float32)
    if role in ("BatchNormalization 1", "BatchNormalization 4"):
        return np.abs(noise) * np.float32(0.1) + 1
    if len(shape) > 1:
        return noise * np.float32((2 / prod(shape[1:])) ** 0.5)
    return noise * np.float32(0.01)
