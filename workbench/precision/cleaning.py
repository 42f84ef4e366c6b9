"""Cleaning a graph before a plan is written into it: passes in order, each with a name, a switch and a count.

A plan switches passes off by name (`PrecisionPlan.skip`). What they do keeps the function of the graph; where an
engine does the same, it is done here so that Q/DQ and casts stand in the right places, and so that the exported file is
as small as it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from onnx import ModelProto

from workbench.core.errors import WorkbenchError
from workbench.model import annotate, sources_of
from workbench.precision.passes.drop_dead import drop_dead
from workbench.precision.passes.drop_identities import drop_identities
from workbench.precision.passes.equalize import equalize
from workbench.precision.passes.fold_affine import fold_affine
from workbench.precision.passes.fold_batchnorm import fold_batchnorm
from workbench.precision.passes.fold_constants import fold_constants
from workbench.precision.passes.lift_opset import lift_opset
from workbench.precision.passes.merge_moves import merge_moves
from workbench.precision.passes.simplify_shapes import simplify_shapes


class PassInfo(NamedTuple):
    """A clean-up pass for people: its name in `skip`, what it does, and whether it is on where nothing is said."""

    name: str
    text: str
    default: bool = True


LIFT = PassInfo("lift_opset", "Lift old files to the opset that the Q/DQ of the plan need")
SHAPES = PassInfo("simplify_shapes", "Compute what follows from the input shapes; take out moves that move nothing")
SHAPES_PASS = SHAPES.name
"""Off where shapes vary: it computes what holds for those of one build only."""
CASTS = PassInfo("merge_casts", "Merge and skip casts once the plan is written")


class Cleaned(NamedTuple):
    """A cleaner graph; source nodes that are gone, with why; how much each pass did; sentences for the user."""

    proto: ModelProto
    removed: dict[str, str]
    counts: dict[str, int]
    notes: tuple[str, ...]


class _Pass(NamedTuple):
    """`run` edits a graph; it gives the nodes it took out, with why, or how often it did what takes out none."""

    info: PassInfo
    run: Callable[[ModelProto], dict[str, str] | int]
    for_quantization: bool = False


def _fold_plain(model: ModelProto) -> dict[str, str]:
    return fold_constants(model, stored=False)


_PASSES = (
    _Pass(PassInfo("drop_identities", "Take out Identity, and Dropout outside training"), drop_identities),
    _Pass(SHAPES, simplify_shapes),
    _Pass(PassInfo("fold_constants", "Compute what depends on constants only"), fold_constants),
    _Pass(PassInfo("merge_moves", "Merge Transpose, Reshape and Cast in a row"), merge_moves),
    _Pass(PassInfo("equalize", "Give channels before depthwise Convs one range, for INT8 and FP8"), equalize, True),
    _Pass(PassInfo("fold_batchnorm", "Fold BatchNormalization into the Conv before it"), fold_batchnorm),
    _Pass(PassInfo("fold_affine", "Fold Mul, Div, Add and Sub by constants into the Conv before them"), fold_affine),
    _Pass(PassInfo("drop_dead", "Take out nodes that no output depends on"), drop_dead),
)
_ALL = (LIFT, *(entry.info for entry in _PASSES), CASTS)


def list_passes() -> tuple[PassInfo, ...]:
    """Every clean-up pass, in the order they run."""
    return _ALL


def check_skip(names: Iterable[str]) -> None:
    """Raises WorkbenchError for a name that no pass has."""
    known = [info.name for info in _ALL]
    for name in names:
        if name not in known:
            raise WorkbenchError(f"There is no clean-up pass named {name!r}.", f"Choose from: {', '.join(known)}.")


def clean(proto: ModelProto, skip: Collection[str] = (), *, quantizing: bool) -> Cleaned:
    """All passes that are on. `quantizing`: weights are about to be stored in few bits, activations perhaps too.

    The argument is used up.
    """
    check_skip(skip)
    opset_notes: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    if LIFT.name not in skip:
        lifted, opset_notes = lift_opset(proto)
        if lifted is not proto:
            proto, counts[LIFT.name] = lifted, 1
            annotate(proto)
    removed: dict[str, str] = {}
    for entry in _PASSES:
        if entry.info.name in skip or (entry.for_quantization and not quantizing):
            continue
        run = entry.run if quantizing or entry.run is not fold_constants else _fold_plain
        before = len(proto.graph.node)
        done = run(proto)
        if isinstance(done, dict):
            removed |= {source: why for name, why in done.items() if ":" not in name for source in sources_of(name)}
        if count := done if isinstance(done, int) else before - len(proto.graph.node):
            counts[entry.info.name] = count
    annotate(proto)
    return Cleaned(proto, removed, counts, (*opset_notes, *_notes(counts)))


def _notes(counts: dict[str, int]) -> list[str]:
    """One sentence on what was done."""
    words = {
        "drop_identities": ("identity", "identities", "taken out"),
        "simplify_shapes": ("shape node", "shape nodes", "computed or taken out"),
        "fold_constants": ("constant node", "constant nodes", "folded"),
        "merge_moves": ("move", "moves", "merged"),
        "equalize": ("tensor before depthwise Convs", "tensors before depthwise Convs", "equalized"),
        "fold_batchnorm": ("BatchNormalization", "BatchNormalization", "folded into Convs"),
        "fold_affine": ("Mul, Div, Add or Sub", "Mul, Div, Add and Sub", "folded into Convs"),
        "drop_dead": ("dead node", "dead nodes", "taken out"),
    }
    told = [
        f"{counts[name]} {one if counts[name] == 1 else many} {done}"
        for name, (one, many, done) in words.items()
        if name in counts
    ]
    return [f"Clean-up: {', '.join(told)}."] if told else []
