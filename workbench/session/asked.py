"""What a plan asks of each node of a model, remembered for the last few plans: views ask at every refresh."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan

KEPT = 4


class AskedPrecisions:
    """`asked_precisions` of the precision room with a short memory."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, PrecisionPlan], Mapping[str, Precision]] = OrderedDict()

    def of(self, model: Model | None, plan: PrecisionPlan) -> Mapping[str, Precision]:
        """By node id; empty without a model."""
        from workbench.precision import asked_precisions

        if model is None:
            return {}
        key = (model.sha256, plan)
        if key not in self._known:
            self._known[key] = asked_precisions(model, plan)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]
