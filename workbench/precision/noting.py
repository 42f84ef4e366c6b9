"""Sentences about a compiled plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.core.model import Model
from workbench.precision.base import Fixed

_NAMED = 6
_SINGULAR = {"are": "is", "run": "runs", "stay": "stays"}


def nodes(count: int, verb: str = "") -> str:
    """`1 node stays`, `3 nodes stay`; `verb` is are, run or stay."""
    words = ["node", _SINGULAR.get(verb, "")] if count == 1 else ["nodes", verb]
    return " ".join([f"{count:,}", *filter(None, words)])


def some(names: Sequence[str]) -> str:
    """The first of them, and dots where there are more."""
    return ", ".join(names[:_NAMED]) + " …" * (len(names) > _NAMED)


def ends_note(changed: Sequence[str]) -> str:
    """`changed`: "x is FP16", inputs and outputs whose type is another now."""
    if changed:
        return f"Inputs and outputs that changed their type: {some(changed)}."
    return "Inputs and outputs keep their types: no half type is written next to them."


def branches_note(model: Model, removed: Mapping[str, str], fixed: Fixed) -> str:
    """What fixed inputs decided; empty: nothing."""
    decided = sum(removed.get(layer.id) == "folded" for layer in model.graph.walk() if layer.op == "If")
    if not (decided and fixed):
        return ""
    values = ", ".join(f"{name} = {value}" for name, value in fixed.items())
    return (
        f"Built for {values}, as the recipe has it, which decides {decided} If{'s' * (decided > 1)};"
        " for another value the engine is wrong."
    )
