"""Errors of layers as text and as a document."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.core.layer_errors import CheckedTensor, LayerErrors, LayerFigures
from workbench.pipeline.table import sqnr_text

SHOWN = 10
EXPLAINED = "introduced: the layer alone, on the reference's inputs; total: with what it inherits"


def layers_document(errors: LayerErrors) -> dict[str, Any]:
    """One object per layer in execution order, with its three errors."""
    document: dict[str, Any] = msgspec.to_builtins(errors)
    del document["tensors"], document["figures"]
    rows = [msgspec.to_builtins(tensor) | msgspec.to_builtins(figures) for tensor, figures in errors.known()]
    return document | {"layers": rows}


def layer_lines(errors: LayerErrors) -> list[str]:
    """The layers that introduce most, for `run_summary`."""
    known = list(errors.known())
    lines = [f"  layers    {len(known)} compared over {errors.samples} of {errors.asked} samples; {EXPLAINED}"]
    if errors.reason:
        lines.append(f"  warning   {errors.reason}")
    lines += [f"  warning   {text}" for text in broken_sentences(errors)]
    lines += [f"  note      {text}" for text in errors.notes]
    worst = errors.worst()
    lines += [f"  {_row(tensor, figures)}" for tensor, figures in worst[:SHOWN]]
    if known and not worst:
        lines.append("            no layer introduces an error: the typed graph computes what the source does")
    return lines


def broken_sentences(errors: LayerErrors) -> list[str]:
    """Where NaN and infinity begin, in words."""
    found = errors.broken()
    return [_broken(tensor, figures) for tensor, figures in found[:SHOWN]] + (
        [f"… and {len(found) - SHOWN} more layers that do."] if len(found) > SHOWN else []
    )


def _broken(tensor: CheckedTensor, figures: LayerFigures) -> str:
    error = figures.introduced
    counts = [f"{count} {word}" for count, word in ((error.nan, "NaN"), (error.inf, "infinite")) if count]
    return f"{tensor.node} {tensor.op} gives {' and '.join(counts)} values where the reference has numbers."


def _row(tensor: CheckedTensor, figures: LayerFigures) -> str:
    name = f"{'+'.join(tensor.nodes)} {tensor.op}"
    return (
        f"  {name:<28.28}  introduced {sqnr_text(figures.introduced.sqnr_db):>9}"
        f"   inherited {sqnr_text(figures.inherited.sqnr_db):>9}   total {sqnr_text(figures.total.sqnr_db):>9}"
    )
