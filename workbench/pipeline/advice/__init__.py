"""Advice on a finished engine. A rule is one file of this folder, found by being there; `base` says what a rule is."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from workbench.core.advice import Advice, Advised
from workbench.core.graph import Graph
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig, EngineGraph
from workbench.pipeline.advice.base import LEAST_SHARE, Rule, Seen

__all__ = ["advise", "find_rules"]


def find_rules() -> dict[str, Rule]:
    """Rules by name: the modules of this folder but `base`."""
    names = [found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)]) if found.name != "base"]
    return {name: cast(Rule, import_module(f"{__name__}.{name}")) for name in sorted(names)}


def advise(
    source: Graph,
    engine: EngineGraph,
    config: BuildConfig,
    layer_ms: Mapping[str, float] | None = None,
    asked: Mapping[str, Precision] | None = None,
) -> Advised:
    """All rules over one engine. `layer_ms`: mean ms by layer id; `asked`: what the plan asked of each source node.

    What could save less than 1 % of the time (untimed: of the memory traffic) is left out.
    """
    seen = Seen(source, engine, config, dict(layer_ms or {}), dict(asked or {}))
    found = [advice for rule in find_rules().values() for advice in rule.look(seen)]
    worth = sorted((advice for advice in found if _share(advice, seen) >= LEAST_SHARE), key=_order)
    looked_at = tuple(rule.LOOKS for rule in find_rules().values())
    return Advised(tuple(worth), looked_at, len(found) - len(worth), seen.total_ms)


def _share(advice: Advice, seen: Seen) -> float:
    if advice.gain_ms is not None and seen.total_ms:
        return advice.gain_ms / seen.total_ms
    return advice.gain_bytes / seen.moved_bytes if seen.moved_bytes else 0.0


def _order(advice: Advice) -> tuple[float, int, str]:
    return -(advice.gain_ms or 0.0), -advice.gain_bytes, advice.rule
