"""What plans ask of the nodes of a model, and why, remembered for the last few: views ask at every refresh."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan

if TYPE_CHECKING:
    from workbench.precision.matching import Matcher
    from workbench.precision.rules import Explanation

KEPT = 4


class AskedPrecisions:
    """`explain_plan` of the precision room with a short memory."""

    def __init__(self) -> None:
        self._matchers: OrderedDict[str, Matcher] = OrderedDict()
        self._known: OrderedDict[tuple[str, PrecisionPlan], Explanation] = OrderedDict()

    def of(self, model: Model | None, plan: PrecisionPlan) -> Mapping[str, Precision]:
        """By node id; empty without a model."""
        return self.explain(model, plan).asked if model is not None else {}

    def explain(self, model: Model, plan: PrecisionPlan) -> Explanation:
        from workbench.precision.rules import Explanation

        key = (model.sha256, plan)
        if key not in self._known:
            self._known[key] = Explanation(self.matcher(model), plan)
            _forget(self._known, KEPT)
        self._known.move_to_end(key)
        return self._known[key]

    def matcher(self, model: Model) -> Matcher:
        """What finds the nodes that a rule selects."""
        from workbench.precision.matching import Matcher

        if model.sha256 not in self._matchers:
            self._matchers[model.sha256] = Matcher(model)
            _forget(self._matchers, 1)
        return self._matchers[model.sha256]


def _forget(known: OrderedDict, most: int) -> None:  # type: ignore[type-arg]  # of whatever
    while len(known) > most:
        known.popitem(last=False)
