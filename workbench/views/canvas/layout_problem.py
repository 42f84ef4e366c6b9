"""What the layout of one scope is asked, and what it answers. x and y are world units from the top left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


Check = Callable[[], None]  # called often in long work; raises where nobody waits for it any more


def no_check() -> None:
    """For work that is not to be stopped."""


class Wire(NamedTuple):
    """A line from an upper to a lower node. Wires of one signal leave the same place and share a way down.

    `upper_at` and `lower_at` are where it leaves and arrives, from the middle of the node; a loose node lets it slide.
    """

    signal: int
    upper: int
    lower: int
    upper_at: float = 0.0
    lower_at: float = 0.0


@dataclass(frozen=True)
class Problem:
    """Members are nodes 0..n-1; ports of the scope's own border follow, first those of the top, then of the bottom.

    Wires never close a cycle. `loose` members take lines anywhere near their middle: boxes, not open groups.
    `head` is the height kept free at the top, `least_width` what the header needs. `entry` is the order of the ports of
    the top, from left to right, where what is outside asks for one; () leaves it open.
    """

    widths: list[float]
    heights: list[float]
    loose: list[bool]
    tops: int
    bottoms: int
    wires: list[Wire]
    head: float = 0.0
    foot: float = 0.0
    side: float = 0.0
    least_width: float = 0.0
    entry: tuple[int, ...] = ()

    @property
    def members(self) -> int:
        return len(self.widths)

    @property
    def nodes(self) -> int:
        return len(self.widths) + self.tops + self.bottoms


@dataclass(frozen=True)
class Solution:
    """Centres and ranks of the members, x of the ports, and the wires as runs.

    A run (x1, y1, x2, y2) is straight, or where `bent` a curve that leaves and arrives vertically. Runs between two
    branchings are one segment; `parent` is the segment above, -1 where a signal starts. `wire_segment` is the last
    segment of each wire. `crossings` counts pairs of lines that cross between neighbouring ranks.
    """

    x: Floats
    y: Floats
    rank: Ints
    port_x: Floats
    width: float
    height: float
    runs: Floats
    bent: Bools
    segment: Ints
    parent: Ints
    wire_segment: Ints
    crossings: int
