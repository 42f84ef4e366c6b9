"""A fix that can be taken with one click: what of the user's choices it would change, as a value."""

from __future__ import annotations

import msgspec

from workbench.core.model import Shape
from workbench.core.precision import Precision


class Edit(msgspec.Struct, frozen=True):
    """A change of the choices for the next build; empty fields leave theirs as it is. `title` says it in a few words.

    `nodes` are asked to run in `precision`, whatever rules say; `default` is the plan's. `clean` runs the clean-up
    passes also where all is FP32, `unskip` are passes to switch on, `keep_io` is the plan's. `fixed` gives inputs one
    value for good (in the recipe), which decides branches. `shapes` are of inputs.
    """

    title: str
    nodes: tuple[str, ...] = ()
    precision: Precision | None = None
    default: Precision | None = None
    clean: bool = False
    unskip: tuple[str, ...] = ()
    keep_io: bool | None = None
    backend: str = ""
    shapes: dict[str, Shape] = {}
    fixed: dict[str, float] = {}
