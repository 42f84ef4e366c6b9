"""TensorRT's time of every layer: `trtexec --exportProfile=FILE`.

`[{"count": 100}, {"name": .., "timeMs": .., "averageMs": .., "medianMs": .., "percentage": ..}, ..]`, where `timeMs` is
the sum over `count` iterations. Format: `Profiler::exportJSONProfile` in samples/common/sampleReporting.cpp of TensorRT
(8 to 11.1; `medianMs` since 8.4).
"""

from __future__ import annotations

from workbench.backends.tensorrt_rtx.imported import imported_engine
from workbench.backends.tensorrt_rtx.inspector import named_layer
from workbench.backends.tensorrt_rtx.layers import Block
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.pipeline.readers.base import MOST_LAYERS, Document, Engine, Part, check_count, dicts, number, text

WHAT = "TensorRT times of layers (trtexec --exportProfile)"


def recognise(document: Document) -> bool:
    entries = dicts(document)[:2]
    return any("averageMs" in entry or "timeMs" in entry for entry in entries) or bool(
        entries and entries[0].keys() == {"count"}
    )


def read(document: Document) -> Part:
    entries = dicts(document)
    count = next((entry["count"] for entry in entries if "count" in entry), 0)
    timed = [entry for entry in entries if text(entry, "name")]
    if not timed:
        raise WorkbenchError("The file has no times of layers.", "Export it from a run that infers.")
    check_count(len(timed), MOST_LAYERS, "layers")
    times = tuple((text(entry, "name"), _mean(entry, count)) for entry in timed)
    names = Block(tuple(named_layer(name) for name, _ in times))

    def link(model: Model | None) -> Engine:
        return Engine(*imported_engine(names, model))

    iterations = count if isinstance(count, int) and 0 < count < 1 << 40 else 0
    return Part(title="TensorRT", link=link, layer_ms=times, iterations=iterations)


def _mean(entry: dict[str, object], count: object) -> float:
    if "averageMs" in entry:
        return number(entry, "averageMs")
    if not isinstance(count, int) or count <= 0:
        raise WorkbenchError("The file does not say how many iterations it counts.", "Export it again.")
    return number(entry, "timeMs") / count
