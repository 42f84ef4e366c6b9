"""Which nodes of the model a layer runs, and which it only serves, from the node names the engine gives for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from workbench.backends.tensorrt_rtx.kinds import is_generated
from workbench.backends.tensorrt_rtx.layers import EngineLayer
from workbench.model.ids import sources_of

_LIBRARY_OPS = frozenset(["Conv", "ConvTranspose", "MatMul", "Gemm"])
_ATTENTION = "_gemm_mha"


class Owned(msgspec.Struct, frozen=True):
    """Node ids: `own` run in the layer; for `served` it only quantizes, casts or pads what they read or write."""

    own: tuple[str, ...] = ()
    served: tuple[str, ...] = ()


def owned_nodes(lines: Sequence[EngineLayer], ops: Mapping[str, str]) -> list[Owned]:
    """What each layer runs and serves; `ops` are the ops of the model's nodes.

    A node that a pass added (`n17:quantize_x`) makes its layer serve n17, not run it. A convolution or matrix product
    which a library kernel runs, and all of an attention, is often named by generated kernels beside it too, which
    only prepare its input or rescale its output: these serve it. The holder of a body gives way to nodes of the body.
    """
    library = {
        name
        for line in lines
        if not is_generated(line)
        for name in _plain(line)
        if line.name.startswith(_ATTENTION) or any(ops.get(node) in _LIBRARY_OPS for node in sources_of(name))
    }
    return [_owned(line, library) for line in lines]


def _owned(line: EngineLayer, library: set[str]) -> Owned:
    own = _nodes(name for name in _plain(line) if not (is_generated(line) and name in library))
    return Owned(own, tuple(node for node in _nodes(line.nodes) if node not in own))


def _plain(line: EngineLayer) -> list[str]:
    """Names of nodes as such, not of those that a pass added for them. A merged one (`n10+n11`) is one name."""
    return [name for name in line.nodes if ":" not in name]


def _nodes(names: Iterable[str]) -> tuple[str, ...]:
    """Ids in `names`, the innermost only where bodies are about."""
    nodes = dict.fromkeys(node for name in names for node in sources_of(name))
    return tuple(node for node in nodes if not any(other.startswith(f"{node}.") for other in nodes))
