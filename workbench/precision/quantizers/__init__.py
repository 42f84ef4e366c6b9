"""Quantizers of others, for who has them: their ONNX comes back in our form, with the plan it amounts to."""

from workbench.precision.quantizers.adopt import Adopted as Adopted
from workbench.precision.quantizers.adopt import adopt as adopt
from workbench.precision.quantizers.base import Quantizer as Quantizer
from workbench.precision.quantizers.base import find_quantizer as find_quantizer
from workbench.precision.quantizers.base import quantizers as quantizers
from workbench.precision.quantizers.base import run_quantizer as run_quantizer
