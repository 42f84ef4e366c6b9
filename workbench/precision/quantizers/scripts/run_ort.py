"""ONNX Runtime's quantizer, run with the folder of the exchange: see `precision/quantizers/base.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


class Reader:
    """Samples as its calibrator wants them."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = iter(paths)

    def get_next(self) -> dict[str, Any] | None:
        import numpy as np

        path = next(self._paths, None)
        if path is None:
            return None
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)


def main(folder: Path) -> None:
    from onnx import version_converter  # noqa: F401  its quantizer expects this to be loaded
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    options = json.loads((folder / "options.json").read_text("utf-8"))
    prepared = folder / "prepared.onnx"
    quant_pre_process(str(folder / "model.onnx"), str(prepared), skip_symbolic_shape=True)
    quantization.quantize_static(
        str(prepared),
        str(folder / "quantized.onnx"),
        Reader(sorted((folder / "feeds").glob("*.npz"))),
        nodes_to_exclude=_fused(prepared, set(options["excluded"])),
        **(_for_tensorrt(quantization) if options.get("way") == "tensorrt" else {}),
    )


def _fused(model: Path, excluded: set[str]) -> list[str]:
    """Its pre-processing fuses nodes and names them after the first: `n2/MatMulAddFusion`."""
    import onnx

    names = [node.name for node in onnx.load(model, load_external_data=False).graph.node]
    return [name for name in names if name.partition("/")[0] in excluded]


def _for_tensorrt(quantization: Any) -> dict[str, Any]:
    int8 = quantization.QuantType.QInt8
    return {
        "per_channel": True,
        "activation_type": int8,
        "weight_type": int8,
        "op_types_to_quantize": ["Conv", "Gemm", "MatMul"],
        "extra_options": {
            "ActivationSymmetric": True,
            "WeightSymmetric": True,
            "QuantizeBias": False,
            "AddQDQPairToWeight": True,
        },
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
