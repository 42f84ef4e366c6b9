"""A dialect: the form in which a backend fuses precision best and computes it rightly."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.precision import Precision


class How(StrEnum):
    """How a backend takes a precision."""

    GRAPH = "graph"  # written into the ONNX: tensors have this type, or Q/DQ pairs
    HINT = "hint"  # the graph stays float32; the backend has it only as an execution hint
    ROUNDED = "rounded"  # no kernels: values are rounded to it by casts and computed in float32
    NONE = "none"


class Dialect(msgspec.Struct, frozen=True):
    """What the passes in `precision/` need to know of a backend.

    `unsigned_activations`: write activations that meet constant weights (of Conv, and the first operand of MatMul and
    Gemm) as uint8 over the range that was seen: OpenVINO's fast form, finer by up to a bit, and the cure for its wrong
    signed Q/DQ around Concat. Everything else is symmetric int8. `unquantized_behind`: operators behind which the
    engine computes quantized nodes wrongly; what reads them stays float.

    `float_ops`: operators that stay float32 whatever is asked, because the engine has no kernel of that precision.
    `int8_needs_dq`: an int8 constant is taken only in front of a DequantizeLinear. `half_scales`: Q/DQ in a graph
    of half types have scales of that type, so that what is quantized reads and writes halves; else it stands between
    casts to float32. `own_weights`: each node has stored weights of its own, though another has the same.
    `integer_results`: kernels in integers write integers, so that results are quantized too, of Conv and of the sums
    and products behind it; all activations are uint8.
    """

    name: str
    how: dict[Precision, How]
    unsigned_activations: bool = False
    unquantized_behind: tuple[str, ...] = ()
    float_ops: dict[Precision, tuple[str, ...]] = {}
    int8_needs_dq: bool = False
    half_scales: bool = False
    own_weights: bool = False
    integer_results: bool = False

    @property
    def int8_words(self) -> str:
        """The form that ranges are written in, for people."""
        if self.integer_results:
            return "uint8 over the range that was seen, results of integer operators too"
        if self.unsigned_activations:
            return "uint8 over the range that was seen where activations meet weights, else int8, symmetric"
        return "int8, symmetric"
