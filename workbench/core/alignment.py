"""Two engines of one model, aligned: which layers of the one do the work of which layers of the other."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.precision import Precision


class Change(StrEnum):
    """How the layers of a group differ from A to B."""

    SAME = "same"  # cut at the same places: one layer on either side, or several that a node joins
    SPLIT = "split"  # one layer in A, several in B
    MERGED = "merged"  # several in A, one in B
    REGROUPED = "regrouped"  # cut in other places
    ONLY_A = "only in A"
    ONLY_B = "only in B"


class AlignedGroup(msgspec.Struct, frozen=True):
    """Layers of A and of B that share source nodes, directly or through each other; ids in execution order.

    `title` are the ops, `name` what the engine with fewer layers calls them.
    `converting` counts among them those that only convert for the others (A, B). `ms` are sums, None where that engine
    was not timed. `words` says what changed, the most important first.
    """

    title: str
    change: Change
    name: str = ""
    nodes: tuple[str, ...] = ()
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    precisions_a: tuple[Precision, ...] = ()
    precisions_b: tuple[Precision, ...] = ()
    converting: tuple[int, int] = (0, 0)
    is_tactic_changed: bool = False
    ms_a: float | None = None
    ms_b: float | None = None
    words: str = ""

    @property
    def is_precision_changed(self) -> bool:
        return bool(self.a and self.b) and self.precisions_a != self.precisions_b

    @property
    def difference_ms(self) -> float | None:
        """B - A; a layer that is only on one side takes no time on the other. None where one was not timed."""
        if self.ms_a is None or self.ms_b is None:
            return None
        return self.ms_b - self.ms_a


class Alignment(msgspec.Struct, frozen=True):
    """Every layer of both engines is in exactly one group. Groups follow A's execution order, then B's."""

    groups: tuple[AlignedGroup, ...] = ()
    total_a_ms: float | None = None
    total_b_ms: float | None = None
