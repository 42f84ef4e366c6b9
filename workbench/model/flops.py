"""Arithmetic of a node from its shapes: one formula an operator.

Conventions, as papers and profilers have them: a multiply-add is two operations; a function of one value (Exp, Erf,
Sigmoid) is one; moving, selecting and renaming values is none. So `ResNet-50 = 4.1 GMACs` is 8.2 GFLOPs here. Formulas
follow the operators' definitions (https://onnx.ai/onnx/operators); normalisations are counted as fvcore does
(`jit_handles.py`). Bodies of If, Loop and Scan count once, at the nodes inside.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from math import log2, prod

from workbench.core.graph import Layer, Tensor

Shape = tuple[int, ...]


class UnknownSizeError(Exception):
    """A shape or attribute that the formula needs is not known."""


class Sizes:
    """What formulas see of a node: shapes of its inputs and outputs, all ints, and its attributes."""

    def __init__(self, layer: Layer, tensors: Mapping[str, Tensor]) -> None:
        self._layer, self._tensors = layer, tensors

    def input(self, index: int) -> Shape:
        """Raises UnknownSizeError where there is no such input or its shape is not known."""
        return self._shape(self._layer.inputs, index)

    def output(self, index: int = 0) -> Shape:
        return self._shape(self._layer.outputs, index)

    def has(self, index: int) -> bool:
        """Is this optional input given?"""
        return index < len(self._layer.inputs) and bool(self._layer.inputs[index])

    @property
    def inputs(self) -> int:
        return len(self._layer.inputs)

    @property
    def out(self) -> int:
        """Elements of the first output."""
        return prod(self.output())

    def text(self, name: str, default: str = "") -> str:
        return self._layer.attributes.get(name, default)

    def number(self, name: str, default: int) -> int:
        text = self.text(name)
        return int(text) if text.lstrip("-").isdigit() else default

    def numbers(self, name: str) -> Shape:
        """A list attribute as it was written for people: `[3, 3]`."""
        try:
            found = ast.literal_eval(self.text(name))
            return tuple(int(value) for value in found)
        except (ValueError, SyntaxError, TypeError) as error:
            raise UnknownSizeError(name) from error

    def _shape(self, names: tuple[str, ...], index: int) -> Shape:
        tensor = self._tensors.get(names[index]) if index < len(names) and names[index] else None
        if tensor is None or tensor.shape is None:
            raise UnknownSizeError(f"{self._layer.id}: {index}")
        if not all(isinstance(dim, int) for dim in tensor.shape):
            raise UnknownSizeError(tensor.name)
        return tuple(int(dim) for dim in tensor.shape)


Formula = Callable[[Sizes], int]


def flops_of(layer: Layer, tensors: Mapping[str, Tensor]) -> int | None:
    """Operations of one run of a node; None where a shape is not known or the operator is nobody's standard."""
    formula = FORMULAS.get(layer.op, None if "." in layer.op else elementwise)
    try:
        return formula(Sizes(layer, tensors)) if formula is not None else None
    except (UnknownSizeError, IndexError, ValueError, ZeroDivisionError):  # of a rank that the operator does not take
        return None


def only_moves(op: str) -> bool:
    """Whether an operator does no arithmetic, whatever its shapes: Reshape, Transpose, Gather, ..."""
    return FORMULAS.get(op) is nothing


# data that is only moved or named, and one operation an element


def nothing(node: Sizes) -> int:
    return 0


def elementwise(node: Sizes) -> int:
    """One operation an output element; an n-ary Sum or Max n - 1."""
    return node.out


def variadic(node: Sizes) -> int:
    return node.out * max(node.inputs - 1, 1)


def per_output(operations: int) -> Formula:
    return lambda node: node.out * operations


def per_input(operations: int) -> Formula:
    """Reductions: every input element is looked at once."""
    return lambda node: prod(node.input(0)) * operations


# products


def convolution(weight: int, bias: int = -1) -> Formula:
    """Conv: W is [M, C/group, kernel...]; every output element is a dot product of a window of C/group channels."""

    def formula(node: Sizes) -> int:
        window = prod(node.input(weight)[1:])
        return node.out * (2 * window + (bias >= 0 and node.has(bias)))

    return formula


def transposed_convolution(node: Sizes) -> int:
    """ConvTranspose: W is [C, M/group, kernel...]; every input element is spread over a window of M/group channels."""
    return 2 * prod(node.input(0)) * prod(node.input(1)[1:]) + (node.out if node.has(2) else 0)


def gemm(bias: int) -> Formula:
    """Y[M, N] = alpha A' B' + beta C."""

    def formula(node: Sizes) -> int:
        a = node.input(0)
        inner = a[0] if node.number("transA", 0) else a[-1]
        return node.out * (2 * inner + node.has(bias))

    return formula


def matmul(node: Sizes) -> int:
    """As numpy's: the last axis of A is summed over."""
    return 2 * node.out * node.input(0)[-1]


def fused_matmul(node: Sizes) -> int:
    """com.microsoft FusedMatMul: A may be transposed."""
    a = node.input(0)
    return 2 * node.out * (a[-2] if node.number("transA", 0) else a[-1])


def packed_matmul(node: Sizes) -> int:
    """com.microsoft MatMulNBits: A[..., K] with packed B[N, K]; unpacking is not counted."""
    return 2 * node.out * node.number("K", node.input(0)[-1])


def einsum(node: Sizes) -> int:
    """All indices run once: with n factors n - 1 products and a sum for each; without a sum the products only."""
    left, arrow, right = node.text("equation").replace(" ", "").partition("->")
    terms = left.split(",")
    sizes: dict[str, int] = {}
    for place, term in enumerate(terms):
        _bind(term, node.input(place), sizes)
    every = prod(sizes.values())
    letters = set(left) - {",", "."}
    kept = set(right) if arrow else {letter for letter in letters if left.count(letter) == 1}
    is_summed = bool(letters - kept)
    return every * (len(terms) - 1 + is_summed)


def _bind(term: str, shape: Shape, sizes: dict[str, int]) -> None:
    """Sizes of the letters of one term; the axes of `...` are lettered from the right by number."""
    head, dots, tail = term.partition("...")
    rest = shape[len(head) : len(shape) - len(tail)] if dots else ()
    names = [*head, *(str(len(rest) - i) for i in range(len(rest))), *tail]
    if len(names) != len(shape):
        raise UnknownSizeError(term)
    for name, size in zip(names, shape, strict=True):
        sizes[name] = max(sizes.get(name, 1), size)


def recurrent(gates: int, state: int) -> Formula:
    """X[T, B, I], W[D, gates*H, I], R[D, gates*H, H]: each step multiplies with both, adds, activates, and updates.

    For each hidden element and step: two products of length I and H a gate; the two sums and a function a gate;
    `state` operations for the new state (LSTM: f*c + i*g, o*tanh(c); GRU: r*h, (1 - z)*n + z*h; RNN: none).
    """

    def formula(node: Sizes) -> int:
        steps, batch, width = node.input(0)
        directions, rows, hidden = node.input(2)
        if rows != gates * hidden:
            raise UnknownSizeError("hidden size")
        each = gates * (2 * (width + hidden) + 3) + state
        return steps * batch * directions * hidden * each

    return formula


# attention


def attention(node: Sizes) -> int:
    """ai.onnx Attention: scores Q K' and their product with V; scaling, mask and softmax are 7 a score.

    Q is [B, heads, S, D] or [B, S, heads*D], K and V alike; scores are [B, heads of Q, S, all keys].
    """
    q, k, v = node.input(0), node.input(1), node.input(2)
    heads = q[1] if len(q) == 4 else node.number("q_num_heads", 0)
    past = node.input(4)[2] if node.has(4) else 0
    return _attention(q, k, v, heads, past)


def multi_head_attention(node: Sizes) -> int:
    """com.microsoft MultiHeadAttention: Q[B, S, hidden], K and V the same; packed forms are not known."""
    q, k, v = node.input(0), node.input(1), node.input(2)
    return _attention(q, k, v, node.number("num_heads", 0), 0)


def _attention(q: Shape, k: Shape, v: Shape, heads: int, past: int) -> int:
    if heads < 1 or len(q) not in (3, 4) or len(k) != len(q) or len(v) != len(q):
        raise UnknownSizeError("heads")
    queries, keys = q[-2], k[-2] + past
    scores = q[0] * heads * queries * keys
    width_q, width_v = (x[-1] if len(x) == 4 else x[-1] // heads for x in (q, v))
    if len(q) == 3 and k[-1] != q[-1]:  # grouped: fewer heads of K and V
        width_v = q[-1] // heads
    return scores * (2 * width_q + 2 * width_v + 7)


def fused_attention(node: Sizes) -> int:
    """com.microsoft Attention: input [B, S, I] times W [I, 3*hidden], then attention within it."""
    batch, length, width = node.input(0)
    hidden = node.input(1)[-1] // 3
    projections = 2 * batch * length * width * node.input(1)[-1] + batch * length * node.input(1)[-1]
    heads = node.number("num_heads", 0)
    inner = (batch, length, hidden)
    return projections + _attention(inner, inner, inner, heads, 0)


# windows, normalisations, resampling


def pooling(node: Sizes) -> int:
    """Every output element looks at its kernel once."""
    return node.out * prod(node.numbers("kernel_shape"))


def lrn(node: Sizes) -> int:
    """Square and sum over `size` channels; scale, offset, power, divide."""
    return node.out * (2 * node.number("size", 1) + 4)


def resize(node: Sizes) -> int:
    """Nearest moves only; linear weighs 2, cubic 4 neighbours along each axis that changes size."""
    taps = {"linear": 2, "cubic": 4}.get(node.text("mode", "nearest"), 0)
    axes = sum(a != b for a, b in zip(node.input(0), node.output(), strict=True))
    return node.out * 2 * taps**axes if taps and axes else 0


def fourier(node: Sizes) -> int:
    """5 n log2 n for each transform of length n, as FFTs are rated (https://www.fftw.org/speed/method.html)."""
    shape = node.output()
    length = max(shape[1], 2)
    return int(prod(shape[:-1]) // length * 5 * length * log2(length)) if len(shape) > 2 else 0


def short_fourier(node: Sizes) -> int:
    """STFT: one-sided frames [B, frames, n/2 + 1, 2]."""
    batch, frames, bins, _ = node.output()
    length = 2 * (bins - 1) if node.number("onesided", 1) else bins
    return int(batch * frames * 5 * length * log2(max(length, 2)))


_MOVING = """
Cast CastLike Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace Dropout Expand EyeLike Flatten
Gather GatherElements GatherND Identity If Loop MaxUnpool NonZero OneHot Optional OptionalGetElement OptionalHasElement
Pad Range Reshape ReverseSequence Scan ScatterElements ScatterND Scatter SequenceAt SequenceConstruct SequenceEmpty
SequenceErase SequenceInsert SequenceLength Shape Size Slice SpaceToDepth Split SplitToSequence Squeeze StringNormalizer
Tile Transpose Trilu Unsqueeze Upsample com.microsoft.FusedReshape com.microsoft.QLinearConcat
"""
_REDUCING = """
ArgMax ArgMin CumSum GlobalAveragePool GlobalLpPool GlobalMaxPool ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
TopK Unique
"""
FORMULAS: dict[str, Formula] = {
    **dict.fromkeys(_MOVING.split(), nothing),
    **dict.fromkeys(_REDUCING.split(), per_input(1)),
    **dict.fromkeys(("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum"), per_input(2)),
    "ReduceLogSumExp": per_input(3),
    **dict.fromkeys(("Sum", "Max", "Min", "Mean"), variadic),
    "Conv": convolution(1, 2),
    "ConvInteger": convolution(1),
    "QLinearConv": convolution(3, 8),
    "DeformConv": convolution(1, 3),
    "com.microsoft.FusedConv": convolution(1, 2),
    "ConvTranspose": transposed_convolution,
    **dict.fromkeys(("Gemm", "com.microsoft.FusedGemm"), gemm(2)),
    "com.microsoft.QGemm": gemm(6),
    **dict.fromkeys(("MatMul", "MatMulInteger", "QLinearMatMul"), matmul),
    **dict.fromkeys(("com.microsoft.DynamicQuantizeMatMul", "com.microsoft.MatMulIntegerToFloat"), matmul),
    "com.microsoft.FusedMatMul": fused_matmul,
    "com.microsoft.MatMulNBits": packed_matmul,
    "Einsum": einsum,
    "LSTM": recurrent(4, 5),
    "GRU": recurrent(3, 5),
    "RNN": recurrent(1, 0),
    "Attention": attention,
    "com.microsoft.MultiHeadAttention": multi_head_attention,
    "com.microsoft.Attention": fused_attention,
    **dict.fromkeys(("MaxPool", "AveragePool", "LpPool", "com.microsoft.QLinearAveragePool"), pooling),
    **dict.fromkeys((f"com.microsoft.QLinear{op}" for op in ("Add", "Mul", "Sigmoid", "LeakyRelu")), elementwise),
    "com.microsoft.QLinearGlobalAveragePool": per_input(1),
    "BatchNormalization": per_output(2),
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization", "GroupNormalization"), per_output(5)),
    "com.microsoft.SkipLayerNormalization": per_output(6),
    "MeanVarianceNormalization": per_output(4),
    **dict.fromkeys(("RMSNormalization", "SimplifiedLayerNormalization", "LpNormalization"), per_output(4)),
    "LRN": lrn,
    **dict.fromkeys(("Softmax", "LogSoftmax", "com.microsoft.QLinearSoftmax"), per_output(5)),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), per_output(2)),
    "DynamicQuantizeLinear": per_output(4),
    **dict.fromkeys(("com.microsoft.Gelu", "com.microsoft.FastGelu", "com.microsoft.QuickGelu"), elementwise),
    "com.microsoft.BiasGelu": per_output(2),
    "Resize": resize,
    "DFT": fourier,
    "STFT": short_fourier,
}
