"""INT8 models made by other tools from the same calibration data: ONNX Runtime's quantizer and NNCF, as they come."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import version_converter  # noqa: F401  not imported by onnx itself

from workbench.precision.editor import default_opset
from workbench.precision.passes.lift_opset import PER_CHANNEL_OPSET

Feed = Mapping[str, NDArray[np.generic]]
NNCF_PYTHON = os.environ.get("WORKBENCH_NNCF_PYTHON", sys.executable)
"""A Python that can import nncf: it may live in an environment of its own."""
_NNCF = """
import sys
sys.modules["openvino_telemetry"] = None  # no tracking
import nncf, numpy as np, onnx
model, data, out = sys.argv[1:]
with np.load(data) as stored:
    count = int(stored["count"])
    feeds = [{n.partition(":")[2]: stored[n] for n in stored.files if n.startswith(f"{i}:")} for i in range(count)]
proto = onnx.load(model)
if proto.opset_import[0].version < 13:
    proto = onnx.version_converter.convert_version(proto, 17)
onnx.save(nncf.quantize(proto, nncf.Dataset(feeds), subset_size=count), out)
"""


def quantize(tool: str, model: Path, feeds: Sequence[Feed], folder: Path) -> Path:
    """The INT8 model of `ort`, `ort_trt` or `nncf`. Raises whatever the tool raises."""
    out = folder / f"{tool}.onnx"
    {"ort": _by_ort, "ort_trt": _by_ort_for_tensorrt, "nncf": _by_nncf}[tool](model, feeds, out)
    return out


class _Reader:
    """Feeds as ONNX Runtime's calibrator wants them."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> dict[str, NDArray[np.generic]] | None:
        feed = next(self._feeds, None)
        return None if feed is None else dict(feed)


def _by_ort(model: Path, feeds: Sequence[Feed], out: Path, **options: object) -> None:
    """Its defaults: QDQ, uint8 activations by minimum and maximum, int8 weights, int32 bias."""
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    prepared = out.with_name("prepared.onnx")
    quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
    if options.get("per_channel"):
        _lift(prepared)
    quantization.quantize_static(str(prepared), str(out), _Reader(feeds), **options)


def _lift(path: Path) -> None:
    """Scales along an axis came with opset 13; below, its quantizer writes them all the same, and nobody takes that."""
    proto = onnx.load(path)
    if default_opset(proto) < PER_CHANNEL_OPSET:
        onnx.save(onnx.version_converter.convert_version(proto, PER_CHANNEL_OPSET), path)


def _by_ort_for_tensorrt(model: Path, feeds: Sequence[Feed], out: Path) -> None:
    """The options that TensorRT takes: symmetric, float bias, and no more than Conv, Gemm and MatMul."""
    from onnxruntime import quantization

    int8 = quantization.QuantType.QInt8
    safe = {"ActivationSymmetric": True, "WeightSymmetric": True, "QuantizeBias": False, "AddQDQPairToWeight": True}
    _by_ort(
        model,
        feeds,
        out,
        per_channel=True,
        activation_type=int8,
        weight_type=int8,
        op_types_to_quantize=["Conv", "Gemm", "MatMul"],
        extra_options=safe,
    )


def _by_nncf(model: Path, feeds: Sequence[Feed], out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "feeds.npz"
        arrays = {f"{i}:{name}": values for i, feed in enumerate(feeds) for name, values in feed.items()}
        np.savez(data, count=np.array(len(feeds)), **arrays)
        done = subprocess.run(
            [NNCF_PYTHON, "-c", _NNCF, str(model), str(data), str(out)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise RuntimeError(f"NNCF: {last[0]}")
