"""Models made to break in low precision: which of their layers do it is known, because it was planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.core.recipe import InputSpec, Recipe
from workbench.core.run import BuildConfig, RunRequest

CHANNELS, SIZE, SAMPLES = 8, 8, 6
OUTLIER = "outlier_conv"
OVERFLOW = ("make_large", "make_small")
MAX = Calibration(CalibrationMethod.MAX, samples=4)
INT8 = PrecisionPlan(Precision.INT8, calibration=MAX)
FP16 = PrecisionPlan(Precision.FP16)
BOTH = PrecisionPlan(
    Precision.FP16, rules=(Rule(Precision.INT8, nodes=("conv_1", "conv_2", OUTLIER)),), calibration=MAX
)
RECIPE = Recipe(inputs={"x": InputSpec(low=-4.0, high=4.0)})


class _Making:
    """A chain of layers on one tensor; branches are made of `tensor` names."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(11)
        self.nodes: list[NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.tensor = "x"

    def constant(self, values: NDArray[np.float32]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def op(self, op: str, name: str, *inputs: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, list(inputs), [f"{name}_out"], name=name, **attributes))
        self.tensor = f"{name}_out"
        return self.tensor

    def weights(self) -> NDArray[np.float32]:
        shape = (CHANNELS, CHANNELS, 3, 3)
        drawn: NDArray[np.float32] = (self.random.normal(size=shape) / np.sqrt(9 * CHANNELS)).astype(np.float32)
        return drawn

    def conv(self, name: str, x: str = "", weights: NDArray[np.float32] | None = None) -> str:
        drawn = self.weights() if weights is None else weights
        return self.op("Conv", name, x or self.tensor, self.constant(drawn), pads=[1, 1, 1, 1])

    def outlier(self, size: float = 300.0) -> None:
        """A Conv one of whose input channels is `size` times the others, and counts as little as they."""
        scale = np.ones((1, CHANNELS, 1, 1), np.float32)
        scale[:, 2] = size
        self.op("Mul", "outlier_scale", self.tensor, self.constant(scale))
        self.conv(OUTLIER, weights=self.weights() / scale)

    def overflow(self) -> None:
        """Beyond 65504 between two layers, and back; the constants themselves are small enough."""
        for op, name, factor in (
            ("Mul", "louder", 30.0),
            ("Mul", OVERFLOW[0], 4e4),
            ("Div", OVERFLOW[1], 4e4),
            ("Mul", "softer", 1 / 30),
        ):
            self.op(op, name, self.tensor, self.constant(np.float32([factor])))

    def save(self, path: Path) -> Path:
        shape = [1, CHANNELS, SIZE, SIZE]
        self.op("Identity", "out", self.tensor)
        graph = helper.make_graph(
            self.nodes,
            "breaking",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("out_out", TensorProto.FLOAT, shape)],
            self.constants,
        )
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
        return path


def broken_model(path: Path, *, outlier: bool = True, overflow: bool = True, layers: int = 9) -> Path:
    """`layers` Convs with Tanh, one of them with an outlier channel, and an overflow of FP16 further on."""
    making = _Making()
    for index in range(layers):
        if overflow and index == 2 * layers // 3:
            making.overflow()  # what is infinite stays so: no Tanh behind it
            continue
        if outlier and index == layers // 3:
            making.outlier()
        else:
            making.conv(f"conv_{index}")
        making.op("Tanh", f"tanh_{index}", making.tensor)
    return making.save(path)


def cancelling_model(path: Path) -> Path:
    """Two branches whose errors are equal and cancel, loud if only one is quantized; and the one that really costs."""
    making = _Making()
    making.conv("first")
    stem, same = making.op("Tanh", "tanh_first", making.tensor), making.weights()
    left, right = making.conv("left", stem, same), making.conv("right", stem, same)
    difference = making.op("Sub", "difference", left, right)
    loud = making.op("Mul", "loud", difference, making.constant(np.float32([300.0])))
    making.tensor = stem
    making.outlier(100.0)
    making.op("Add", "sum", making.tensor, loud)
    making.conv("last")
    return making.save(path)


def samples(path: Path) -> Path:
    x = np.random.default_rng(5).normal(size=(SAMPLES, CHANNELS, SIZE, SIZE)).astype(np.float32)
    np.savez(path, x=x)
    return path


def request(folder: Path, model: Path, plan: PrecisionPlan, *, calibration: str = "") -> RunRequest:
    """As a run is asked for; OpenVINO's form, whose engine is not built."""
    evaluation = str(samples(folder / "samples.npz"))
    given = calibration or (evaluation if plan.needs_calibration else "")
    return RunRequest(
        "r", str(folder / "r"), str(model), BuildConfig("openvino", plan), calibration=given, evaluation=evaluation
    )
