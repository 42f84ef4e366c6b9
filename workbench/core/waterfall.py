"""The waterfall: from the time of one engine to the time of another, step by step, with nothing left over."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class StepKind(StrEnum):
    """Why time was saved or spent from A to B."""

    SAVED = "compute saved"
    SLOWER = "compute slower"
    UNFUSED = "unfused"  # one layer in A, several in B
    CONVERSIONS = "conversions"  # reformat, cast, quantize and dequantize layers
    GONE = "no longer computed"  # only in A
    NEW = "newly computed"  # only in B
    REST = "rest"  # between the layers, and what timing layers apart does not see


class Step(msgspec.Struct, frozen=True):
    """`ms` is B - A: below zero is saved. `blocks` are the aligned groups it is made of, the largest first."""

    kind: StepKind
    ms: float
    blocks: tuple[BlockStep, ...] = ()


class BlockStep(msgspec.Struct, frozen=True):
    """One aligned group's part: its ops, what changed in words, source nodes, layers of A and of B by id, its name."""

    title: str
    words: str
    ms: float
    nodes: tuple[str, ...] = ()
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    name: str = ""

    @property
    def heading(self) -> str:
        """The ops, and what the engine calls them where it does."""
        return f"{self.title}  {self.name}" if self.name and self.name != self.title else self.title


class Waterfall(msgspec.Struct, frozen=True):
    """`a_ms` + the steps = `b_ms`, both the median latency of the whole engine; `is_raced`: timed interleaved."""

    a_ms: float
    b_ms: float
    steps: tuple[Step, ...] = ()
    is_raced: bool = False
