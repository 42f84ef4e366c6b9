"""Chains of integer operators, for an engine that has them only where results are quantized too (ONNX Runtime).

Its integer Conv writes 8 bits. Where anything but a QuantizeLinear reads the result there is none: what runs is a
DequantizeLinear and a float32 Conv, without the blocked layout that a plain one gets, at half the speed of FP32. Conv,
sums and products in a row that hand on 8 bits need neither conversions nor changes of layout between them.

Measured with ONNX Runtime 1.31 on one thread of an EPYC with VNNI, 157,000 values: QuantizeLinear 22 to 45 us and
DequantizeLinear 20 to 30 us, beside 17 to 48 us for Add and Mul, integer or not. What is saved is the conversions.
Which operators it fuses is written in its `qdq_selectors.cc`.

Rules
1. The result of a quantized Conv is quantized; behind a Relu or Clip where only this reads it: the range does what it
   does. An output of the graph stays float32.
2. An Add or Mul with an operand in 8 bits is integer where its result is needed in 8 bits; so are a Concat of such
   tensors, GlobalAveragePool, LeakyRelu and Sigmoid. Other operands are quantized for it; a constant must be one
   number, which 8 bits hold exactly. It is needed where a quantized node reads it, or an integer one that is needed.
3. A product with one positive number, or a Div by it, of a tensor in 8 bits is done by another DequantizeLinear of the
   same values: its scale is multiplied. It costs nothing and rounds nothing (a hard-swish ends in such a Div).
4. What only moves or chooses values (`_MOVES`) hands them on in the form they have; a MaxPool where a quantized node
   reads it, for only then is it computed with channels last (582 us in 8 bits without, 53 us in float32).
5. AveragePool and Softmax are not made integer: their integer kernels take 6 times as long (514 to 78 us, 482 to 83
   us). MatMul and Gemm write float32 themselves, from integers.
6. A Conv with more than one tap on fewer than 16 input channels stays float32, unless it is depthwise: to gather few
   bytes from many places costs more than integers save. Time in float32 over integers: 3 to 16 channels 3x3 0.24, 12
   to 12 7x3 0.8, 8 to 8 3x39 0.8, 16 to 16 3x3 1.35, 32 to 32 3x3 3.9. A depthwise one is slower by itself (0.2 to
   1.07), but faster than with conversions on either side.
7. So does a Conv whose result is not quantized. Where rules 6 and 7 leave nothing, they leave all.
8. What only a hard-swish reads, x * clip(x + 3, 0, 6), needs no steps below -3: its result is 0 there. Where the method
   is MSE, the upper end is the percentile's: a hard-swish hands on large values whole and small ones by half, so that
   to clip costs more, and to round less, than the error of x says. Measured on the OCR sample, mean of four settings:
   86 % of the lines as in FP32 by MSE, 93 % so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from math import inf, prod
from typing import NamedTuple

from onnx import NodeProto, TensorProto

from workbench.precision.editor import GraphEditor, int_attribute, is_standard

_JOINS = ("Add", "Concat", "Mul")
_UNARY = ("GlobalAveragePool", "LeakyRelu", "Sigmoid")
_CLAMPS = ("Relu", "Clip")
_MOVES = ("Flatten", "MaxPool", "Reshape", "Slice", "Squeeze", "Transpose", "Unsqueeze")
_FEW_CHANNELS = 16


class Result(NamedTuple):
    """A tensor in 8 bits, and the node that makes it.

    `like`: the tensor whose form it has, where that is not its own. `factor`: it is that tensor times this number, and
    what dequantizes it does the product. `floor`: what is below makes no difference (rule 8).
    """

    tensor: str
    maker: NodeProto
    like: str = ""
    factor: float | None = None
    floor: float = -inf


class Chains(NamedTuple):
    """Results in graph order; Add, Mul and Concat whose operands are all quantized for them."""

    results: tuple[Result, ...]
    joins: tuple[NodeProto, ...]

    @property
    def tensors(self) -> list[str]:
        """All that ranges are needed of."""
        operands = (name for node in self.joins for name in node.input)
        return list(dict.fromkeys((*(result.tensor for result in self.results), *operands)))


def integer_chains(editor: GraphEditor, quantized: Set[str], has_range: Callable[[str], bool]) -> Chains:
    """`quantized` are names of Conv, MatMul and Gemm. Fewer of them give a part of the chains, never others."""
    return _Search(editor, quantized, has_range).found()


def better_float(editor: GraphEditor, able: Iterable[NodeProto], has_range: Callable[[str], bool]) -> dict[str, str]:
    """Rules 6 and 7: names of nodes, and why."""
    nodes = {node.name: node for node in able}
    results = {result.maker.name for result in integer_chains(editor, set(nodes), has_range).results}
    convs = {name: node for name, node in nodes.items() if node.op_type == "Conv"}
    found = {name: "its result cannot be quantized" for name in convs if name not in results}
    found |= {name: "its integer kernel is slower" for name, node in convs.items() if _is_slow(editor, node)}
    return found if len(found) < len(nodes) else {}


def _is_slow(editor: GraphEditor, conv: NodeProto) -> bool:
    """Rule 6."""
    outputs, inputs, *kernel = editor.constants[conv.input[1]].dims
    is_depthwise = inputs == 1 and int_attribute(conv, "group", 1) == outputs > 1
    return inputs < _FEW_CHANNELS and prod(kernel) > 1 and not is_depthwise


class _Search:
    def __init__(self, editor: GraphEditor, quantized: Set[str], has_range: Callable[[str], bool]) -> None:
        self._editor, self._quantized, self._has_range = editor, quantized, has_range
        self._able: dict[str, Result] = {}
        for node in editor.nodes:
            if (result := self._result(node)) is not None:
                self._able[result.tensor] = result
        self._made = {result.maker.name: result.tensor for result in self._able.values()}
        self._needed: set[str] = set()
        for name, result in reversed(self._able.items()):
            if result.maker.name in quantized or self._is_read(name):
                self._needed.add(name)

    def found(self) -> Chains:
        results = tuple(result for name, result in self._able.items() if name in self._needed)
        joins = (result.maker for result in results if not result.like and is_standard(result.maker, *_JOINS))
        return Chains(results, tuple(joins))

    def _result(self, node: NodeProto) -> Result | None:
        if not node.input or len(node.output) != 1 or not self._is_integer(node):
            return None
        if is_standard(node, *_MOVES):
            return self._checked(Result(node.output[0], node, node.input[0]))
        if (scaled := self._scaled(node)) is not None:
            return self._checked(scaled)
        name = self._behind_clamp(node.output[0])
        return self._checked(Result(name, node, floor=self._floor(name))) if self._has_range(name) else None

    def _floor(self, name: str) -> float:
        """Rule 8."""
        readers = {use.node.op_type: use.node for use in self._editor.uses.get(name, [])}
        if set(readers) != {"Add", "Mul"} or len(self._editor.uses[name]) != 2:
            return -inf
        numbers = [number for operand in readers["Add"].input if (number := self._number(operand)) is not None]
        gate = self._behind_clamp(readers["Add"].output[0])
        clip = self._editor.producers[gate]
        is_gate = gate in readers["Mul"].input and (clip.op_type == "Relu" or self._clips_at_zero(clip))
        return -numbers[0] if numbers and numbers[0] > 0.0 and is_gate else -inf

    def _clips_at_zero(self, node: NodeProto) -> bool:
        return is_standard(node, "Clip") and len(node.input) > 1 and self._number(node.input[1]) == 0.0

    def _checked(self, result: Result) -> Result | None:
        """None for what must stay float32, is none, or is read by nobody."""
        editor, name = self._editor, result.tensor
        is_free = name not in editor.outputs and editor.uses.get(name)
        return result if is_free and editor.types.get(name) == TensorProto.FLOAT else None

    def _is_integer(self, node: NodeProto) -> bool:
        """Whether the node has an integer form, as far as what it reads goes."""
        if node.name in self._quantized:
            return is_standard(node, "Conv")
        if is_standard(node, *_UNARY, *_MOVES):
            return node.input[0] in self._able and (node.op_type != "MaxPool" or self._feeds_quantized(node))
        if is_standard(node, "Div"):
            return self._scaled(node) is not None
        if is_standard(node, "Concat"):
            return all(name in self._able for name in node.input)
        known = any(name in self._able for name in node.input)
        return is_standard(node, "Add", "Mul") and known and all(self._is_operand(name) for name in node.input)

    def _feeds_quantized(self, node: NodeProto) -> bool:
        return any(use.node.name in self._quantized for use in self._editor.uses.get(node.output[0], ()))

    def _is_operand(self, name: str) -> bool:
        if self._editor.constant(name) is not None:
            return self._number(name) is not None
        return name in self._able or self._has_range(name)

    def _number(self, name: str) -> float | None:
        value = self._editor.constant(name)
        return float(value.ravel()[0]) if value is not None and value.size == 1 and value.dtype == "float32" else None

    def _scaled(self, node: NodeProto) -> Result | None:
        """Rule 3."""
        slots: tuple[int, ...] = (0, 1) if is_standard(node, "Mul") else (0,) if is_standard(node, "Div") else ()
        for slot in slots:
            number = self._number(node.input[1 - slot])
            if node.input[slot] in self._able and number is not None and number > 0.0:
                return Result(node.output[0], node, node.input[slot], number if len(slots) == 2 else 1 / number)
        return None

    def _behind_clamp(self, name: str) -> str:
        """Rule 1."""
        uses = self._editor.uses.get(name, [])
        is_clamped = len(uses) == 1 and is_standard(uses[0].node, *_CLAMPS) and uses[0].slot == 0
        return str(uses[0].node.output[0]) if is_clamped and name not in self._editor.outputs else name

    def _is_read(self, name: str) -> bool:
        """Rule 2: whether it is needed in 8 bits."""
        for use in self._editor.uses[name]:
            if use.node.name in self._quantized and use.slot in (0, 1):
                return True
            if self._made.get(use.node.name) in self._needed:
                return True
        return False
