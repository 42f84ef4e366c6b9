"""Words that every room writes alike."""

from __future__ import annotations


def plural(count: int, noun: str) -> str:
    """`1 node`, `860 nodes`, `2 classes`."""
    ending = "" if count == 1 else "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{ending}"
