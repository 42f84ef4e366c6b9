"""The opened model: what the file holds, without its weights."""

from __future__ import annotations

import msgspec

from workbench.core.graph import Graph

Shape = tuple[int, ...]


class TensorSpec(msgspec.Struct, frozen=True):
    """An input or output as the file declares it. Free dimensions are names (`batch`, `?0`)."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    @property
    def is_dynamic(self) -> bool:
        return any(isinstance(dim, str) for dim in self.shape)


class Model(msgspec.Struct, frozen=True):
    """An ONNX file that passed the gate. The proto itself stays in the rooms below and is read from `path`.

    `graph` is the whole source graph, bodies included, its layers named by index (`Layer.id`). `shapes` are guesses
    for every input (all ints), to be edited by the user. `warnings` are findings that do not stop anything.
    """

    path: str
    graph: Graph
    opset: int
    ir_version: int
    producer: str
    size_bytes: int  # with external data
    weights_bytes: int
    parameters: int
    sha256: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    shapes: dict[str, Shape]
    metadata: dict[str, str] = {}
    warnings: tuple[str, ...] = ()

    @property
    def top_level_nodes(self) -> int:
        return len(self.graph.layers)

    @property
    def all_nodes(self) -> int:
        """Nodes with those in bodies of If, Loop and Scan."""
        return sum(1 for _ in self.graph.walk())


class TypedModel(msgspec.Struct, frozen=True):
    """A precision plan compiled into ONNX: what a backend is given to build.

    `path` is a private copy whose node names are source ids: `n17`, several joined by `+` where a pass merged nodes
    (`n10+n11`), and `:role` behind the ids of a node a pass added (`n17:quantize_x`). `asked` is the precision the
    plan asks of each compute node; `hint` the precision the backend must be told to run float in (FP32 unless the
    backend has BF16 or FP16 only as an execution hint). `removed` are source nodes that a pass took out: id -> the
    reason (`folded`, `absorbed`, `removed`). `notes` are sentences for the user. `cleanup` is how much each clean-up
    pass did, by its name.
    """

    model: Model
    path: str
    shapes: dict[str, Shape]
    asked: dict[str, str] = {}
    hint: str = "fp32"
    removed: dict[str, str] = {}
    notes: tuple[str, ...] = ()
    cleanup: dict[str, int] = {}
