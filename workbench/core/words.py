"""Words that every room writes alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def plural(count: int, noun: str) -> str:
    """`1 node`, `860 nodes`, `2 classes`."""
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{ending}"


def shapes_words(shapes: Mapping[str, Iterable[int]]) -> str:
    """`1×3×48×320`; of several inputs with their names."""
    parts = {name: "×".join(map(str, shape)) or "scalar" for name, shape in shapes.items()}
    return ", ".join(parts.values() if len(parts) == 1 else (f"{name} {text}" for name, text in parts.items()))
