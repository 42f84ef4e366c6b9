"""Advice on an engine: what it does that costs time, on what evidence, what that may cost, and what can be done."""

from __future__ import annotations

import msgspec

from workbench.core.edits import Edit


class Advice(msgspec.Struct, frozen=True):
    """One finding of one rule. `layers` and `nodes` are the evidence, by id, the most costly first.

    `gain_ms` and `gain_bytes` are ESTIMATES of what could be saved at most, of time an inference and of memory traffic;
    `formula` says in words how they were made. `ms` is what was measured of the layers, None where nothing was timed.
    `edit` is a choice to take; without one `why_not` says why there is none.
    """

    rule: str
    title: str
    text: str
    layers: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    ms: float | None = None
    gain_ms: float | None = None
    gain_bytes: int = 0
    formula: str = ""
    edit: Edit | None = None
    why_not: str = ""

    @property
    def key(self) -> str:
        """What a dismissed advice is remembered by: the rule and the first of its nodes."""
        return f"{self.rule}:{self.nodes[0] if self.nodes else ''}"


class Advised(msgspec.Struct, frozen=True):
    """All advice on an engine, the largest gain first; `looked_at` says for what, a rule each.

    `small` findings would gain less than 1 % and are left out.
    """

    advice: tuple[Advice, ...] = ()
    looked_at: tuple[str, ...] = ()
    small: int = 0
    total_ms: float | None = None
