"""Run in a Python that has NNCF, with the folder of the exchange: see `precision/quantizers/base.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(folder: Path) -> None:
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # tells nobody
    import numpy as np
    import onnx

    options = json.loads((folder / "options.json").read_text("utf-8"))
    feeds = []
    for path in sorted((folder / "feeds").glob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            feeds.append(dict(stored))
    model = onnx.load(folder / "model.onnx")
    onnx.save(_quantized(model, feeds, options), folder / "quantized.onnx")


def _quantized(model: Any, feeds: list[dict[str, Any]], options: dict[str, Any]) -> Any:
    import nncf

    excluded = nncf.IgnoredScope(names=options["excluded"], validate=False)
    match options.get("way"):
        case "weights":
            mode = nncf.CompressWeightsMode(options["mode"])
            size = options.get("group_size")
            return nncf.compress_weights(
                model, mode=mode, group_size=int(size) if size else None, ignored_scope=excluded
            )
        case "accuracy":
            return _controlled(model, feeds, float(options["max_drop"]), excluded)
        case _:
            return nncf.quantize(model, nncf.Dataset(feeds), subset_size=len(feeds), ignored_scope=excluded)


def _controlled(model: Any, feeds: list[dict[str, Any]], max_drop: float, excluded: Any) -> Any:
    """Accuracy is one minus the relative error of all outputs against the model as it was, without labels."""
    import nncf
    import numpy as np

    outputs = [output.name for output in model.graph.output]
    reference = [_outputs(_session(model), outputs, feed) for feed in feeds]
    data = nncf.Dataset(list(range(len(feeds))), lambda index: feeds[index])

    def accuracy(candidate: Any, indices: Any) -> tuple[float, None]:
        session, error, whole = _session(candidate), 0.0, 0.0
        for index in indices:
            for ours, theirs in zip(_outputs(session, outputs, feeds[index]), reference[index], strict=True):
                error += float(np.square(ours - theirs).sum())
                whole += float(np.square(theirs).sum())
        return 1.0 - (error / whole) ** 0.5 if whole else 1.0, None

    indices = nncf.Dataset(list(range(len(feeds))))
    return nncf.quantize_with_accuracy_control(
        model, data, indices, accuracy, max_drop=max_drop, subset_size=len(feeds), ignored_scope=excluded
    )


def _session(model: Any) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _outputs(session: Any, names: list[str], feed: dict[str, Any]) -> list[Any]:
    import numpy as np

    return [np.asarray(value, dtype=np.float64) for value in session.run(names, feed)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
