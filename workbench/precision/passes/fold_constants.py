"""Compute what depends on constants only.

Rules
1. Wanted at any size are the inputs of Conv, ConvTranspose, MatMul and Gemm, and inputs 1 to 4 of BatchNormalization;
   of everything else what is known to be small (at most 4 Mi values): a tensor that grows out of nothing stays.
2. A wanted tensor is folded when everything above it is constant, standard, deterministic and without bodies.
3. What a file stores in 8 bits or fewer stays so (a DequantizeLinear is no waste), unless `stored` says that weights
   are about to be stored anew.
4. It is computed by ONNX Runtime with optimisations off, all at once, and becomes an initializer of the same name. What
   ONNX Runtime does not take, such as arithmetic in BF16 or an opset that is not released, stays as it is.
5. Nodes that nothing needs any more are reported as `folded`.
6. Nothing over 1 GiB is folded.
"""

from __future__ import annotations

import contextlib

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from workbench.core.errors import WorkbenchError
from workbench.model.inference import constant_tensor
from workbench.model.kinds import RANDOM
from workbench.precision.editor import GraphEditor, bodies, captured_names
from workbench.precision.session import reference_session, runtime_errors

_COMPUTE = ("Conv", "ConvTranspose", "MatMul", "Gemm")
_LIMIT_BYTES = 1 << 30
_SMALL = 4 << 20
_FEW_BITS = {
    TensorProto.INT8,
    TensorProto.UINT8,
    TensorProto.INT4,
    TensorProto.UINT4,
    TensorProto.FLOAT8E4M3FN,
    TensorProto.FLOAT8E5M2,
    TensorProto.FLOAT4E2M1,
}
_NUMBERS = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT32, TensorProto.INT64}
_NUMBERS |= {TensorProto.BOOL, TensorProto.BFLOAT16}


def fold_constants(model: ModelProto, *, stored: bool = True) -> dict[str, str]:
    """Edits `model`; returns the nodes it took out."""
    editor = GraphEditor(model)
    wanted = dict.fromkeys([*_wanted(editor), *_small(editor)])
    cones = {name: cone for name in wanted if (cone := _constant_cone(editor, name)) is not None}
    if not stored:
        cones = {name: cone for name, cone in cones.items() if not any(_is_stored(editor, node) for node in cone)}
    if not cones:
        return {}
    for name, values in _evaluate(editor, cones).items():
        if values.nbytes > _LIMIT_BYTES:
            continue
        editor.set_constant(name, values)
        node = editor.producers[name]
        node.output[list(node.output).index(name)] = editor.new_name(f"{name}:unused")
    gone = drop_unneeded(editor, {node.name for cone in cones.values() for node in cone})
    return dict.fromkeys(gone, "folded")


def _wanted(editor: GraphEditor) -> list[str]:
    names: dict[str, None] = {}
    for node in editor.nodes:
        if node.domain not in ("", "ai.onnx"):
            continue
        if node.op_type in _COMPUTE:
            names |= dict.fromkeys(node.input)
        elif node.op_type == "BatchNormalization":
            names |= dict.fromkeys(node.input[1:5])
    return [name for name in names if name in editor.producers and name not in editor.outputs]


def _small(editor: GraphEditor) -> list[str]:
    """Constant tensors of known, small size, made of none but such, that something else reads."""
    made = {name for name in editor.constants if name not in editor.inputs}
    constant: set[str] = set()
    for node in editor.nodes:
        inputs = [name for name in node.input if name]
        if _is_foldable(node) and made.issuperset(inputs) and all(_is_small(editor, name) for name in node.output):
            made.update(node.output)
            constant.add(node.name)
    read = (name for name in made if any(use.node.name not in constant for use in editor.uses.get(name, ())))
    order = {name: index for index, node in enumerate(editor.nodes) for name in node.output}
    return sorted((name for name in read if name in order and name not in editor.outputs), key=order.__getitem__)


def _is_small(editor: GraphEditor, name: str) -> bool:
    if not name:
        return True
    node = editor.producers[name]
    value = constant_tensor(node)
    size = _most(editor, name) if value is None else int(np.prod(value.dims))
    return editor.types.get(name) in _NUMBERS and size is not None and size <= _SMALL


def _most(editor: GraphEditor, name: str) -> int | None:
    """How many values a tensor has at most; of NonZero an index per axis for every value it reads."""
    node = editor.producers[name]
    if node.op_type != "NonZero":
        return editor.size(name)
    size, shape = editor.size(node.input[0]), editor.shape(node.input[0])
    return None if size is None or shape is None else size * max(len(shape), 1)


def _is_stored(editor: GraphEditor, node: NodeProto) -> bool:
    """Rule 3."""
    return any(editor.types.get(name) in _FEW_BITS for name in (*node.input, *node.output))


def _constant_cone(editor: GraphEditor, name: str) -> list[NodeProto] | None:
    """Every node above `name`, in file order, if all of it is constant; else None."""
    found: dict[str, NodeProto] = {}
    waiting = [name]
    while waiting:
        tensor = waiting.pop()
        if not tensor or (tensor in editor.constants and tensor not in editor.inputs):
            continue
        node = editor.producers.get(tensor)
        if node is None or not _is_foldable(node):
            return None
        if node.name not in found:
            found[node.name] = node
            waiting.extend(node.input)
    return [node for node in editor.nodes if node.name in found]


def _is_foldable(node: NodeProto) -> bool:
    return node.domain in ("", "ai.onnx") and node.op_type not in RANDOM and not any(True for _ in bodies(node))


def _evaluate(editor: GraphEditor, cones: dict[str, list[NodeProto]]) -> dict[str, NDArray[np.generic]]:
    """Values of the wanted tensors: `Constant` directly, the rest in one run."""
    values: dict[str, NDArray[np.generic]] = {}
    names: list[str] = []
    for name in cones:
        direct = constant_tensor(editor.producers[name])
        if direct is None:
            names.append(name)
        else:
            values[name] = onnx.numpy_helper.to_array(direct)
    if names:
        needed = {node.name for name in names for node in cones[name]}
        nodes = [node for node in editor.nodes if node.name in needed]
        with contextlib.suppress(WorkbenchError, *runtime_errors()):
            values |= dict(zip(names, _run(editor, nodes, names), strict=True))
    return values


def _run(editor: GraphEditor, nodes: list[NodeProto], names: list[str]) -> list[NDArray[np.generic]]:
    """ONNX Runtime hands no BF16 to numpy: it goes by float32, which holds all of it."""
    used = {name for node in nodes for name in node.input}
    wide = {name: f"{name}:float32" for name in names if editor.types.get(name) == TensorProto.BFLOAT16}
    nodes = nodes + [onnx.helper.make_node("Cast", [name], [new], to=TensorProto.FLOAT) for name, new in wide.items()]
    asked = [wide.get(name, name) for name in names]
    outputs = [onnx.ValueInfoProto(name=name) for name in asked]
    constants = [tensor for name, tensor in editor.constants.items() if name in used]
    graph = onnx.helper.make_graph(nodes, "constants", [], outputs, constants)
    model = onnx.helper.make_model(graph, opset_imports=editor.model.opset_import, ir_version=editor.model.ir_version)
    found = reference_session(model).run(asked, {})
    return [one.astype(ml_dtypes.bfloat16) if name in wide else one for name, one in zip(names, found, strict=True)]


def drop_unneeded(editor: GraphEditor, candidates: set[str]) -> list[str]:
    """Takes out candidates whose outputs nothing uses, from the last to the first; their names in file order.

    The editor is committed.
    """
    needed = set(editor.outputs)
    gone: list[str] = []
    for node in reversed(editor.nodes):
        if node.name in candidates and not needed.intersection(node.output):
            editor.drop(node)
            gone.append(node.name)
        else:
            needed.update(node.input, captured_names(node))
    editor.commit()
    return gone[::-1]
