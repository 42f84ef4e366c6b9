"""What the chosen backend says of each node before anything is built, as an overlay of the source graph."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.core.theme import Theme
from workbench.core.verdict import Verdict
from workbench.views.canvas.heat import Kinds

REFUSED, MISSED, RETYPED, TAKEN = "refused", "not reached", "other type", "taken"


def verdict_kinds(verdict: Verdict | None, nodes: Iterable[str], theme: Theme) -> Kinds | None:
    """Refused, not reached because it reads what is refused, run in another type than the file says, or taken as it is;
    None where the backend was not asked."""
    if verdict is None:
        return None
    blue, orange, *_ = theme.series
    values = dict.fromkeys(nodes, TAKEN)
    values |= {node: RETYPED for change in verdict.silent for node in change.nodes if node in values}
    values |= dict.fromkeys(verdict.missed, MISSED) | dict.fromkeys(verdict.nodes, REFUSED)
    return Kinds(values, {REFUSED: theme.bad, MISSED: theme.faint, RETYPED: orange, TAKEN: blue}, "Verdict")
