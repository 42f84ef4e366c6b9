"""OpenVINO's runtime model as XML: `openvino.serialize(compiled.get_runtime_model(), FILE)`, or `benchmark_app
-exec_graph_path FILE`. Each layer has `execOrder`, `execTimeMcs`, `primitiveType` and `originalLayersNames`.

Format: docs.openvino.ai, "Runtime model"; ExecGraphInfoSerialization in OpenVINO's sources.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from workbench.backends.openvino.imported import imported_engine, parse_ops
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.pipeline.readers.base import MOST_LAYERS, Document, Engine, Part, check_count

WHAT = "OpenVINO runtime model (XML)"


def recognise(document: Document) -> bool:
    return isinstance(document, Element) and document.tag == "net"


def read(document: Document) -> Part:
    assert isinstance(document, Element)
    count = len(document.findall("./layers/layer"))
    if not count:
        raise WorkbenchError("The file has no layers.", "Write compiled.get_runtime_model() with openvino.serialize.")
    check_count(count, MOST_LAYERS, "layers")
    found = parse_ops(document)

    def link(model: Model | None) -> Engine:
        return Engine(*imported_engine(found, model))

    notes = () if found.times_ms else ("The file has no times: compile with PERF_COUNT and infer before writing it.",)
    return Part(title="OpenVINO", rank=2, link=link, iterations=1, notes=notes)
