"""The memory plan: which tensors are alive while each layer runs, what they take together, and who holds the peak."""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate

import msgspec


class Life(msgspec.Struct, frozen=True):
    """A buffer between layers, from the step that writes it (0 for an input) to the last that reads it, by index.

    `offset` is its place in the pool. `is_end`: an input or output of the model, which lies in memory of its own: its
    offset is -1. `views` are other names of it: reshapes, which move nothing.
    """

    tensor: str
    size_bytes: int
    first: int
    last: int
    is_end: bool = False
    offset: int = 0
    views: tuple[str, ...] = ()


class MemoryPlan(msgspec.Struct, frozen=True, dict=True):
    """`steps` are layer ids in execution order with their `titles`; weights are no part of it.

    `unknown` counts tensors without a size. What layers compute in place is not known: an engine may take less. What
    their kernels need beside their tensors is not either: it may take more.
    """

    steps: tuple[str, ...] = ()
    lives: tuple[Life, ...] = ()
    titles: tuple[str, ...] = ()
    unknown: int = 0

    @cached_property
    def alive_bytes(self) -> tuple[int, ...]:
        """Of all buffers, while each step runs."""
        return _alive(self.lives, len(self.steps))

    @property
    def peak_bytes(self) -> int:
        return max(self.alive_bytes, default=0)

    @property
    def peak_step(self) -> int:
        """The first step at the peak; 0 where there is none."""
        return self.alive_bytes.index(self.peak_bytes) if self.alive_bytes else 0

    @cached_property
    def inner_peak_bytes(self) -> int:
        """The peak without inputs and outputs of the model: no pool can be smaller."""
        return max(_alive([life for life in self.lives if not life.is_end], len(self.steps)), default=0)

    @property
    def pool_bytes(self) -> int:
        """One block with a place for every buffer but inputs and outputs; those that never meet share theirs.

        This is what engines call activation memory.
        """
        return max((life.offset + life.size_bytes for life in self.lives if not life.is_end), default=0)

    @property
    def ends_bytes(self) -> int:
        """Inputs and outputs of the model."""
        return sum(life.size_bytes for life in self.lives if life.is_end)

    @property
    def sum_bytes(self) -> int:
        """Of all buffers but inputs and outputs: the pool, were nothing used again."""
        return sum(life.size_bytes for life in self.lives if not life.is_end)

    @property
    def reuse(self) -> float:
        """How often each byte of the pool is used, on average: 1 where nothing is shared."""
        return self.sum_bytes / self.pool_bytes if self.pool_bytes else 1.0

    def held_at(self, step: int) -> list[Life]:
        """Buffers alive at a step, the largest first."""
        held = [life for life in self.lives if life.first <= step <= life.last]
        return sorted(held, key=lambda life: -life.size_bytes)


def _alive(lives: tuple[Life, ...] | list[Life], steps: int) -> tuple[int, ...]:
    changes = [0] * (steps + 1)
    for life in lives:
        changes[life.first] += life.size_bytes
        changes[life.last + 1] -= life.size_bytes
    return tuple(accumulate(changes[:steps]))
