"""Small graphs by hand, for the canvas tests."""

from __future__ import annotations

from workbench.core.graph import Graph, Layer, LayerKind, Tensor
from workbench.core.scopes import Scope, ScopeOrigin


def layer(
    layer_id: str,
    op: str,
    reads: str,
    writes: str,
    *,
    name: str = "",
    kind: LayerKind = LayerKind.COMPUTE,
    **extra: str,
) -> Layer:
    """`reads` and `writes` are tensor names with spaces between."""
    inputs, outputs = tuple(reads.split()), tuple(writes.split())
    return Layer(layer_id, name, op, inputs, outputs, sources=(layer_id,), kind=kind, attributes=dict(extra))


def residual() -> Graph:
    """x -> Conv -> Relu -> Conv -> Add -> y, and a shortcut from the Relu before to the Add."""
    layers = (
        layer("n0", "Conv", "x w0", "a", name="stem/conv"),
        layer("n1", "Relu", "a", "b"),
        layer("n2", "Constant", "", "w1", kind=LayerKind.CONSTANT),
        layer("n3", "Conv", "b w1", "c", name="block/conv", kernel_shape="[3, 3]"),
        layer("n4", "Relu", "c", "d"),
        layer("n5", "Add", "d b", "y", name="block/add"),
    )
    shape = (1, 8, 16, 16)
    tensors = {name: Tensor(name, shape, "float32") for name in "abcdy"}
    tensors |= {"x": Tensor("x", ("batch", 3, 32, 32), "float32"), "w0": Tensor("w0", (8, 3, 3, 3), constant=True)}
    return Graph("residual", layers, tensors, ("x",), ("y",))


def control_flow() -> Graph:
    """An If with two bodies that read `x` of the graph around them; one holds a Loop with a body of its own."""
    inner = Graph("inner", (layer("n1.then_branch.n0.body.n0", "Neg", "i", "o"),), {}, ("i",), ("o",))
    then = Graph(
        "then",
        (
            layer("n1.then_branch.n0", "Loop", "x", "t", kind=LayerKind.CONTROL),
            layer("n1.then_branch.n1", "Relu", "t", "r"),
        ),
        {},
        (),
        ("r",),
        {"n1.then_branch.n0.body": inner},
    )
    other = Graph("else", (layer("n1.else_branch.n0", "Abs", "x", "e"),), {}, (), ("e",))
    layers = (
        layer("n0", "Not", "c", "k"),
        layer("n1", "If", "k", "z", kind=LayerKind.CONTROL),
        layer("n2", "Exp", "z", "y"),
    )
    bodies = {"n1.then_branch": then, "n1.else_branch": other}
    return Graph("control", layers, {"x": Tensor("x", (4,), "float32")}, ("c", "x"), ("y",), bodies)


def chain(length: int) -> Graph:
    layers = tuple(layer(f"n{i}", "Relu", f"t{i}", f"t{i + 1}", name=f"/body/relu_{i}") for i in range(length))
    return Graph("chain", layers, {}, ("t0",), (f"t{length}",))


def blocks(count: int) -> tuple[Graph, dict[str, Scope]]:
    """x -> stem -> `count` equal residual blocks in `body`, all of which read `mask` -> head, with their scopes.

    Nodes n1.. are four to a block: MatMul, Relu, Mul with the mask, Add with what came in.
    """
    layers = [layer("n0", "Conv", "x", "h0", name="/stem/Conv")]
    scopes = []
    for k in range(count):
        ids = [f"n{1 + 4 * k + i}" for i in range(4)]
        ops = [("MatMul", f"h{k}"), ("Relu", f"a{k}"), ("Mul", f"b{k} mask"), ("Add", f"c{k} h{k}")]
        made = [f"a{k}", f"b{k}", f"c{k}", f"h{k + 1}"]
        for node, (op, reads), writes in zip(ids, ops, made, strict=True):
            layers.append(layer(node, op, reads, writes, name=f"/body/block.{k}/{op}"))
        mlp = Scope(f"body/{k}/mlp", "mlp", ScopeOrigin.NAMES, tuple(ids[:2]), (), "mlp")
        scopes.append(Scope(f"body/{k}", f"block.{k}", ScopeOrigin.NAMES, tuple(ids[2:]), (mlp,), "block"))
    last = f"n{1 + 4 * count}"
    layers.append(layer(last, "Gemm", f"h{count}", "y", name="/head/Gemm"))
    body = Scope("body", "body", ScopeOrigin.NAMES, (), tuple(scopes))
    return Graph("blocks", tuple(layers), {}, ("x", "mask"), ("y",)), {
        "": Scope("", "", layers=("n0", last), children=(body,))
    }


def wide_blocks(count: int, branches: int) -> tuple[Graph, dict[str, Scope]]:
    """x -> `count` equal blocks in a row, each of so many branches side by side -> y, with their scopes."""
    layers, scopes = [], []
    for k in range(count):
        ids = [f"n{k * (branches + 1) + i}" for i in range(branches + 1)]
        made = [f"b{k}_{i}" for i in range(branches)]
        layers += [layer(node, "Conv", f"h{k}", out) for node, out in zip(ids, made, strict=False)]
        layers.append(layer(ids[-1], "Concat", " ".join(made), f"h{k + 1}"))
        scopes.append(Scope(f"mixed_{k}", f"mixed_{k}", layers=tuple(ids)))
    graph = Graph("wide", tuple(layers), {}, ("h0",), (f"h{count}",))
    return graph, {"": Scope("", "", children=tuple(scopes))}
