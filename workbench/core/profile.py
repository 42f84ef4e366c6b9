"""Optimization profiles: the shapes that an engine is built for."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from workbench.core.model import Shape

Range: TypeAlias = tuple[int, int, int]
"""Smallest, usual and largest value of one free dimension."""


class DimKind(StrEnum):
    """What a free dimension counts, which says how far it may sensibly go."""

    BATCH = "batch"
    PICTURE = "picture"  # height or width
    LENGTH = "length"  # of a sequence of tokens, boxes, frames
    SOUND = "sound"  # samples
    FEATURE = "feature"  # as a rule the model's own: one value works


class FreeDim(msgspec.Struct, frozen=True):
    """A free dimension of a model: everywhere it stands (input, axis) it has one value at a time.

    `name` is the file's, `?0` where it has none.
    """

    name: str
    kind: DimKind
    places: tuple[tuple[str, int], ...]

    @property
    def title(self) -> str:
        """Its name, else its place: `batch`, `axis 2 of x`."""
        tensor, axis = self.places[0]
        return f"axis {axis} of {tensor}" if self.name.startswith("?") else self.name


class OptimizationProfile(msgspec.Struct, frozen=True):
    """TensorRT's word: smallest, usual and largest shape of each input, by its name. `opt` is what is tuned for."""

    min: dict[str, Shape]
    opt: dict[str, Shape]
    max: dict[str, Shape]

    @property
    def sides(self) -> tuple[dict[str, Shape], dict[str, Shape], dict[str, Shape]]:
        """In the order of size."""
        return self.min, self.opt, self.max

    def holds(self, shapes: dict[str, Shape]) -> bool:
        """Whether inputs of these shapes can be run under it; an input that either does not name counts for nothing."""
        return all(
            len(shape) == len(self.min[name])
            and all(low <= size <= high for low, size, high in zip(self.min[name], shape, self.max[name], strict=True))
            for name, shape in shapes.items()
            if name in self.min and name in self.max
        )


class HeldTarget(msgspec.Struct, frozen=True):
    """A Reshape whose constant `target` holds the batch as a number. In `free` it follows its input.

    `free` is empty where no target was found that is right for every batch.
    """

    node: str
    name: str
    target: Shape
    free: Shape = ()

    @property
    def sentence(self) -> str:
        """Which node, what it holds, what would help."""
        who = f"Reshape {self.name!r} ({self.node})" if self.name else f"Reshape {self.node}"
        holds = f"{who} goes to {_dims(self.target)}: the batch stands there as a number"
        if not self.free:
            return f"{holds}, in a way that the program cannot undo."
        return f"{holds}. {_dims(self.free)} follows its input."


def _dims(shape: Shape) -> str:
    return f"[{', '.join(map(str, shape))}]"
