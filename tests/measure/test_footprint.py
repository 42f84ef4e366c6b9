from __future__ import annotations

import sys
from types import TracebackType

import numpy as np
import pytest
from numpy.typing import NDArray

from workbench.backends.base import Feed, Runner
from workbench.measure.footprint import footprint

MIB = 1 << 20
BLOCK = 128 * MIB  # beside which whatever else goes on in this process is little
linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux tells")


class Hoarder(Runner):
    """Writes to a block of its own at the first inference, and to another at the second."""

    def __init__(self) -> None:
        self.held: list[NDArray[np.uint8]] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.held.clear()

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        return {}

    def time(self, feed: Feed) -> float:
        if len(self.held) < 2:
            self.held.append(np.ones(BLOCK, np.uint8))
        return 1.0


@linux
def test_pages_of_the_first_inference_are_told_from_those_that_follow() -> None:
    with Hoarder() as runner:
        found = footprint(runner, {})
    assert found["first inference"] == pytest.approx(BLOCK, rel=0.05)
    assert found["inferences"] == pytest.approx(2 * BLOCK, rel=0.05)
    assert found["process"] >= 2 * BLOCK
