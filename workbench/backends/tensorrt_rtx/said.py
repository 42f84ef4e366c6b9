"""What TensorRT said of an engine while it built it: kept beside the engine, for the file alone tells less.

On a machine without a GPU an engine cannot be opened to be asked; with this text it is read again as if just built.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.backends._built import Facts
from workbench.backends.tensorrt_rtx.engine import TensorRtEngine
from workbench.backends.tensorrt_rtx.graph import engine_graph
from workbench.backends.tensorrt_rtx.layers import Block, first_profile, parse_block
from workbench.backends.tensorrt_rtx.module import find_module, module_version
from workbench.backends.tensorrt_rtx.notes import notes_on
from workbench.core.json import read_json
from workbench.core.model import TypedModel
from workbench.core.run import BuildConfig

SAID_FILE = "engine.said.json"


class Said(msgspec.Struct, frozen=True):
    """The `Layers:` message (empty: there was none), bytes of memory by name, inputs with free dimensions, and bytes of
    scratch and persistent memory (`BuildLog.beside`)."""

    layers: str
    memory: dict[str, int]
    free_inputs: tuple[str, ...] = ()
    beside: dict[str, int] = {}


def artefact_name(targets: tuple[str, ...]) -> str:
    return f"engine.{'-'.join(targets) or 'local'}.trt"


def read_engine(typed: TypedModel, config: BuildConfig, targets: tuple[str, ...], folder: Path) -> TensorRtEngine:
    """The engine whose files are in `folder`. Raises WorkbenchError where they cannot be read."""
    said = read_json(folder / SAID_FILE, Said)
    return engine_of(typed, config, targets, folder, said, parse_block(said.layers))


def engine_of(
    typed: TypedModel, config: BuildConfig, targets: tuple[str, ...], folder: Path, said: Said, block: Block
) -> TensorRtEngine:
    """The engine in `folder`, of which TensorRT said this; `block` is what its layers were read as."""
    shown = first_profile(block)
    graph, fates = engine_graph(shown, typed)
    artefact = folder / artefact_name(targets)
    facts = Facts(
        graph=graph,
        fates=fates,
        memory=said.memory,
        artefact=artefact,
        notes=notes_on(typed, config, targets, graph, block, shown, said.free_inputs, said.beside),
        versions={find_module().removesuffix("_bindings"): module_version()},
        files=(artefact, folder / SAID_FILE),
    )
    return TensorRtEngine(facts, targets=targets, options=config.options)
