"""Run in a Python that has Model Optimizer, with the folder of the exchange: see `precision/quantizers/base.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Reader:
    """Samples as its calibrator wants them: from the start as often as it likes."""

    def __init__(self, paths: list[Path]) -> None:
        self._paths = paths
        self._next = 0

    def get_next(self) -> dict[str, Any] | None:
        if self._next >= len(self._paths):
            return None
        self._next += 1
        return self._read(self._next - 1)

    def get_first(self) -> dict[str, Any]:
        return self._read(0)

    def rewind(self) -> None:
        self._next = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.rewind()
        return iter(self.get_next, None)

    def _read(self, index: int) -> dict[str, Any]:
        import numpy as np

        with np.load(self._paths[index], allow_pickle=False) as stored:
            return dict(stored)


def main(folder: Path) -> None:
    options = json.loads((folder / "options.json").read_text("utf-8"))
    out = folder / "quantized.onnx"
    if options.get("way") == "cast":
        _cast(folder / "model.onnx", out, options["excluded"])
        return
    from modelopt.onnx.quantization import quantize

    quantize(
        onnx_path=str(folder / "model.onnx"),
        quantize_mode=options["mode"],
        calibration_method=options["method"],
        calibration_data_reader=Reader(sorted((folder / "feeds").glob("*.npz"))),
        calibration_eps=["cpu"],
        high_precision_dtype="fp32",
        nodes_to_exclude=[f"^{name}$" for name in options["excluded"]],
        output_path=str(out),
    )


def _cast(source: Path, out: Path, excluded: list[str]) -> None:
    import onnx
    from modelopt.onnx.autocast import convert_to_mixed_precision

    patterns = [f"^{name}$" for name in excluded]
    cast = convert_to_mixed_precision(
        onnx_path=str(source), low_precision_type="fp16", keep_io_types=True, nodes_to_exclude=patterns
    )
    onnx.save(cast, out)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
