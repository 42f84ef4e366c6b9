"""The fusion ledger: what became one kernel, what that saved, and what stayed apart."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.graph import LayerKind
from workbench.core.precision import Precision


class Stop(StrEnum):
    """Why fusion ended behind a layer, as far as the two graphs show it."""

    NONE = ""  # not asked of layers that compute nothing
    OUTPUT = "output"  # it writes an output of the model
    READERS = "readers"  # several layers read what it writes
    CONVERSION = "conversion"  # what follows changes type or layout
    PRECISION = "precision"  # what follows runs in another precision
    SHAPE = "shape"  # what follows computes shapes
    CONTROL = "control"  # what follows is an If, Loop or Scan
    NEVER = "never"  # this engine takes nothing into layers that begin with that op
    UNKNOWN = "unknown"


class LedgerRow(msgspec.Struct, frozen=True):
    """One engine layer. `pattern` are the ops it was fused from, in file order (`Conv+BatchNormalization+Relu`).

    `ms` is None where nothing was timed; `share` is of the sum of all layers, 0..1. `saved_bytes` is an ESTIMATE
    (`pipeline.ledger.saved_bytes` has the rule). `does` says what a layer that only converts does; `is_added` is True
    where it runs no node of the model: the compiler put it there. `why` is `stop` in a sentence.
    """

    layer: str
    name: str
    pattern: str
    kind: LayerKind
    precision: Precision | None = None
    tactic: str = ""
    sources: tuple[str, ...] = ()
    is_exact: bool = True
    is_added: bool = False
    does: str = ""
    ms: float | None = None
    share: float | None = None
    saved_bytes: int = 0
    stop: Stop = Stop.NONE
    why: str = ""


class PatternRow(msgspec.Struct, frozen=True):
    """All layers of one pattern. `ms` and `saved_bytes` are sums; `ms` None: nothing timed."""

    pattern: str
    count: int
    nodes: int
    ms: float | None = None
    share: float | None = None
    saved_bytes: int = 0


class Ledger(msgspec.Struct, frozen=True):
    """`rows` in execution order, bodies after their holder; `patterns` the most frequent first.

    `fates` counts source nodes by kind of fate, `added` the layers that the compiler put between others.
    `unsized` tensors stay inside a kernel too, but nobody knows their size: `saved_bytes` lacks them.
    """

    rows: tuple[LedgerRow, ...] = ()
    patterns: tuple[PatternRow, ...] = ()
    nodes: int = 0
    layers: int = 0
    fates: dict[str, int] = {}
    added: int = 0
    saved_bytes: int = 0
    unsized: int = 0
    total_ms: float | None = None
