"""TensorRT's layers: `trtexec --exportLayerInfo=FILE` and the JSON of `EngineInspector`, of TensorRT 8 to 11 and RTX.

Format: NVIDIA's developer guide, "Engine Inspector"; `exportLayerInfo` in samples/common/sampleEngines.cpp of TensorRT.
"""

from __future__ import annotations

from workbench.backends.tensorrt_rtx.imported import imported_engine
from workbench.backends.tensorrt_rtx.inspector import block_from_json
from workbench.backends.tensorrt_rtx.layers import first_profile
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.pipeline.readers.base import MOST_LAYERS, Document, Engine, Part, check_count

WHAT = "TensorRT layers (trtexec --exportLayerInfo, EngineInspector)"


def recognise(document: Document) -> bool:
    return isinstance(document, dict) and "Layers" in document


def read(document: Document) -> Part:
    assert isinstance(document, dict)
    entries = document["Layers"]
    if not isinstance(entries, list) or not entries:
        raise WorkbenchError("The file has no list of layers.", "Export it with --profilingVerbosity=detailed.")
    check_count(len(entries), MOST_LAYERS, "layers")
    block = block_from_json(document)
    if not block.layers:
        raise WorkbenchError("No layer of the file can be read.", "Export it with --profilingVerbosity=detailed.")
    hidden = len(block.layers) - len(first_profile(block).layers)
    notes = []
    if block.unread:
        notes.append(f"{len(block.unread)} entries of the layer list could not be read, the first: {block.unread[0]}.")
    if any(isinstance(entry, str) for entry in entries):
        notes.append("The file has names of layers only: precisions and tensors are not told. DETAILED has them.")
    if hidden:
        notes.append(f"The graph shows the first optimization profile; {hidden} layers of the others are left out.")

    def link(model: Model | None) -> Engine:
        return Engine(*imported_engine(block, model))

    return Part(title=_title(document), rank=2, link=link, notes=tuple(notes))


def _title(document: dict[str, object]) -> str:
    """By the word for inputs and outputs, which TensorRT 11 changed."""
    return "TensorRT 11" if "I/O Tensors" in document else "TensorRT 10" if "Bindings" in document else "TensorRT"
