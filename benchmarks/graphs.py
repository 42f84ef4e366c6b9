"""Graphs for benchmarks of the canvas: decoders of the Llama family, node by node as torch exports them."""

from __future__ import annotations

from workbench.core.graph import Graph, Layer, Tensor

HIDDEN = (1, 128, 768)


def transformer(nodes: int) -> Graph:
    """About so many nodes, in layers of 56, with the names of modules (`/model/layers.3/self_attn/q_proj/MatMul`).

    The hard case for a layout: two residual sums in each layer; an attention mask, a cosine and a sine table that
    every layer reads.
    """
    writer = _Writer()
    hidden = writer.add("/model/embed_tokens/Gather", "embed_tokens.weight", "input_ids")
    mask = writer.chain("/model", hidden="attention_mask", ops=("Unsqueeze", "Cast", "Sub", "Mul"))
    angles = writer.chain("/model/rotary_emb", hidden="position_ids", ops=("Unsqueeze", "Cast", "MatMul"))
    tables = (writer.add("/model/rotary_emb/Cos", angles), writer.add("/model/rotary_emb/Sin", angles))
    layer = 0
    while len(writer.layers) < nodes - 10:
        hidden = writer.block(f"/model/layers.{layer}", hidden, mask, tables)
        layer += 1
    logits = writer.add("/lm_head/MatMul", writer.norm("/model/norm", hidden), "lm_head.weight")
    return writer.graph(("input_ids", "attention_mask", "position_ids"), logits)


class _Writer:
    """Adds nodes one by one. An input that no node gives and no input of the graph is counts as a weight."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []

    def add(self, name: str, *inputs: str) -> str:
        """One node of the op that ends `name`; returns the tensor it gives."""
        number = len(self.layers)
        op = name.rpartition("/")[2].partition("_")[0]
        output = f"{name}_output_0"
        self.layers.append(Layer(f"n{number}", name, op, inputs, (output,), sources=(f"n{number}",)))
        return output

    def chain(self, scope: str, hidden: str, ops: tuple[str, ...]) -> str:
        for op in ops:
            hidden = self.add(f"{scope}/{op}", hidden)
        return hidden

    def block(self, scope: str, hidden: str, mask: str, tables: tuple[str, str]) -> str:
        normed = self.norm(f"{scope}/input_layernorm", hidden)
        hidden = self.add(f"{scope}/Add", hidden, self.attention(f"{scope}/self_attn", normed, mask, tables))
        normed = self.norm(f"{scope}/post_attention_layernorm", hidden)
        return self.add(f"{scope}/Add_1", hidden, self.mlp(f"{scope}/mlp", normed))

    def norm(self, scope: str, hidden: str) -> str:
        root = self.chain(scope, hidden, ("Pow", "ReduceMean", "Add", "Sqrt"))
        return self.add(f"{scope}/Mul", self.add(f"{scope}/Div", hidden, root), f"{scope}.weight")

    def attention(self, scope: str, hidden: str, mask: str, tables: tuple[str, str]) -> str:
        query, key, value = (self.heads(scope, part, hidden) for part in "qkv")
        query, key = self.rotated(scope, query, "", tables), self.rotated(scope, key, "_k", tables)
        scores = self.add(f"{scope}/MatMul", query, self.add(f"{scope}/Transpose_k", key))
        weights = self.add(f"{scope}/Softmax", self.add(f"{scope}/Add", self.add(f"{scope}/Mul", scores), mask))
        mixed = self.add(f"{scope}/MatMul_1", weights, value)
        joined = self.add(f"{scope}/Reshape_1", self.add(f"{scope}/Transpose_1", mixed))
        return self.add(f"{scope}/o_proj/MatMul", joined, f"{scope}.o_proj.weight")

    def heads(self, scope: str, part: str, hidden: str) -> str:
        product = self.add(f"{scope}/{part}_proj/MatMul", hidden, f"{scope}.{part}_proj.weight")
        biased = self.add(f"{scope}/{part}_proj/Add", product, f"{scope}.{part}_proj.bias")
        return self.add(f"{scope}/Transpose_{part}h", self.add(f"{scope}/Reshape_{part}h", biased))

    def rotated(self, scope: str, heads: str, suffix: str, tables: tuple[str, str]) -> str:
        """Rotary position embedding: halves swapped, one negated."""
        first, second = (self.add(f"{scope}/Slice{suffix}_{half}", heads) for half in (0, 1))
        turned = self.add(f"{scope}/Concat{suffix}", self.add(f"{scope}/Neg{suffix}", second), first)
        straight = self.add(f"{scope}/Mul{suffix}_2", heads, tables[0])
        return self.add(f"{scope}/Add{suffix}_2", straight, self.add(f"{scope}/Mul{suffix}_3", turned, tables[1]))

    def mlp(self, scope: str, hidden: str) -> str:
        gate = self.add(f"{scope}/gate_proj/MatMul", hidden, f"{scope}.gate_proj.weight")
        gate = self.add(f"{scope}/act_fn/Mul", gate, self.add(f"{scope}/act_fn/Sigmoid", gate))
        up = self.add(f"{scope}/up_proj/MatMul", hidden, f"{scope}.up_proj.weight")
        return self.add(f"{scope}/down_proj/MatMul", self.add(f"{scope}/Mul", gate, up), f"{scope}.down_proj.weight")

    def graph(self, inputs: tuple[str, ...], output: str) -> Graph:
        made = [name for layer in self.layers for name in layer.outputs]
        read = {name for layer in self.layers for name in layer.inputs}
        tensors = {name: Tensor(name, HIDDEN, "float32", 4 * 128 * 768) for name in (*inputs, *made)}
        weights = sorted(read - tensors.keys())
        tensors |= {name: Tensor(name, (768, 768), "float32", 4 * 768 * 768, constant=True) for name in weights}
        return Graph("transformer", tuple(self.layers), tensors, inputs, (output,))
