"""The memory plan: which tensors are alive while each layer runs, what they take together, and who holds the peak."""

from __future__ import annotations

import msgspec


class Life(msgspec.Struct, frozen=True):
    """A tensor between layers, from the step that writes it (0 for an input) to the last that reads it, by index."""

    tensor: str
    size_bytes: int
    first: int
    last: int


class MemoryPlan(msgspec.Struct, frozen=True):
    """`steps` are layer ids in execution order with their `titles`; `alive_bytes` are alive while each runs, weights
    aside.

    Buffers that layers share in place are not known: an engine may take less. `unknown` counts tensors without a size.
    """

    steps: tuple[str, ...] = ()
    alive_bytes: tuple[int, ...] = ()
    lives: tuple[Life, ...] = ()
    titles: tuple[str, ...] = ()
    unknown: int = 0

    @property
    def peak_bytes(self) -> int:
        return max(self.alive_bytes, default=0)

    @property
    def peak_step(self) -> int:
        """The first step at the peak; 0 where there is none."""
        return self.alive_bytes.index(self.peak_bytes) if self.alive_bytes else 0

    def held_at(self, step: int) -> list[Life]:
        """Tensors alive at a step, the largest first."""
        held = [life for life in self.lives if life.first <= step <= life.last]
        return sorted(held, key=lambda life: -life.size_bytes)
