"""Small models for these tests, written as onnx text, and what each test asks of a typed one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from workbench.core.dialect import Dialect, How
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.model import open_model
from workbench.precision import Observations, compile_plan, observe

SIGNED = Dialect(
    "signed",
    dict.fromkeys((Precision.FP32, Precision.FP16, Precision.BF16, Precision.INT8), How.GRAPH),
)
UNSIGNED = Dialect(
    "unsigned",
    {
        Precision.FP32: How.GRAPH,
        Precision.FP16: How.HINT,
        Precision.BF16: How.HINT,
        Precision.INT8: How.GRAPH,
    },
    unsigned_activations=True,
    unquantized_behind=("ReduceMax", "ReduceMin"),
)
ROUNDING = Dialect("rounding", {Precision.FP32: How.GRAPH, Precision.BF16: How.ROUNDED, Precision.INT8: How.NONE})

BY_MAX = Calibration(method=CalibrationMethod.MAX)
Arrays = Mapping[str, NDArray[np.generic]]


def write_model(
    folder: Path, text: str, constants: Arrays | None = None, *, opset: int = 17, name: str = "model.onnx"
) -> Model:
    """A model from the body of a graph in onnx text (`(float[1,3] x) => (float[1,3] y) { ... }`) and its weights."""
    version = 8 if opset >= 13 else 7
    proto = onnx.parser.parse_model(f'<ir_version: {version}, opset_import: ["" : {opset}]> g {text}')
    for key, values in (constants or {}).items():
        proto.graph.initializer.append(onnx.numpy_helper.from_array(values, key))
    path = folder / name
    onnx.save(proto, str(path))
    return open_model(path)


def blocks_model(folder: Path, blocks: int = 2, mlps: int = 1) -> Model:
    """MatMul and Relu in `layers/0/attn`, MatMul in `layers/0/mlp`, and so on for every block, named like paths."""
    parts = ("attn/MatMul", "attn/Relu", "mlp/MatMul", *(f"mlp/MatMul_{at}" for at in range(1, mlps)))
    names = [f"/layers/{block}/{part}" for block in range(blocks) for part in parts]
    lines, last = [], "x"
    for at, name in enumerate(names):
        lines.append(
            f"t{at} = {'Relu' if name.endswith('Relu') else 'MatMul'} ({last}{'' if 'Relu' in name else ', w'})"
        )
        last = f"t{at}"
    text = f"(float[1,4] x) => (float[1,4] {last}) {{ {' '.join(lines)} }}"
    path = Path(write_model(folder, text, {"w": np.eye(4, dtype=np.float32)}).path)
    proto = onnx.load(str(path))
    for node, name in zip(proto.graph.node, names, strict=True):
        node.name = name
    onnx.save(proto, str(path))
    return open_model(path)


def constants_model(folder: Path) -> Model:
    """n0 to n4 in `block/a`: a Constant, a Mul with it, Relu, Neg and Exp; n5 to n9 in `block/b` the same."""
    lines, names, last = [], [], "x"
    for part in "ab":
        lines.append(f"w{part} = Constant <value = float[1] {{2}}> () m{part} = Mul ({last}, w{part})")
        lines.append(f"r{part} = Relu (m{part}) n{part} = Neg (r{part}) e{part} = Exp (n{part})")
        names += [f"/block/{part}/{op}" for op in ("Constant", "Mul", "Relu", "Neg", "Exp")]
        last = f"e{part}"
    path = write_model(folder, f"(float[1,4] x) => (float[1,4] {last}) {{ {' '.join(lines)} }}").path
    proto = onnx.load(path)
    for node, name in zip(proto.graph.node, names, strict=True):
        node.name = name
    onnx.save(proto, path)
    return open_model(Path(path))


def seen(model: Model, *feeds: Arrays) -> Observations:
    return observe(model, model.shapes, feeds, total=len(feeds))


def compiled(
    model: Model,
    folder: Path,
    default: Precision,
    dialect: Dialect = SIGNED,
    observations: Observations | None = None,
    rules: tuple[Rule, ...] = (),
    calibration: Calibration = BY_MAX,
    skip: tuple[str, ...] = (),
    *,
    keep_io: bool = True,
) -> TypedModel:
    plan = PrecisionPlan(default=default, rules=rules, calibration=calibration, skip=skip, keep_io=keep_io)
    return compile_plan(model, plan, dialect, model.shapes, folder, observations)


def proto_of(typed: TypedModel) -> onnx.ModelProto:
    proto = onnx.load(typed.path)
    onnx.checker.check_model(proto)
    return proto


def nodes_of(typed: TypedModel) -> dict[str, onnx.NodeProto]:
    return {node.name: node for node in proto_of(typed).graph.node}


def constants_of(typed: TypedModel) -> dict[str, NDArray[np.generic]]:
    return {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(typed.path).graph.initializer}


def infer(path: str, feed: Arrays, *, level: int = 0) -> list[NDArray[np.generic]]:
    """ONNX Runtime, one thread; `level` 0 is the graph as written, 99 all optimisations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel(level)
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return list(session.run(None, dict(feed)))


def sqnr_db(values: NDArray[np.generic], reference: NDArray[np.generic]) -> float:
    error = float(((values.astype(np.float64) - reference) ** 2).sum())
    return 200.0 if error == 0.0 else float(10 * np.log10((reference.astype(np.float64) ** 2).sum() / error))


CONV_BN = """
(float[1,3,8,8] x) => (float[1,4,8,8] y) {
  a = Conv <pads = [1,1,1,1]> (x, w, b)
  c = BatchNormalization <epsilon = 0.001> (a, gamma, beta, mean, variance)
  y = Relu (c)
}
"""


def conv_bn_constants() -> dict[str, NDArray[np.generic]]:
    rng = np.random.default_rng(3)
    values = {
        "w": rng.standard_normal((4, 3, 3, 3)),
        "b": rng.standard_normal(4),
        "gamma": rng.uniform(0.5, 2.0, 4),
        "beta": rng.standard_normal(4),
        "mean": rng.standard_normal(4),
        "variance": rng.uniform(0.5, 2.0, 4),
    }
    return {name: array.astype(np.float32) for name, array in values.items()}
