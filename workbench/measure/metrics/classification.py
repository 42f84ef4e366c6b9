"""Classes: top-1 and top-5."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.recipe import Task, TaskKind
from workbench.measure.metrics.base import Answers, Label, scores_of
from workbench.measure.statistics import wilson


class Classification(Answers[int]):
    """Top-1 of an output [1, classes]; `extra` has top5 where there are more than five classes."""

    kind = TaskKind.CLASSIFICATION
    metric = "top-1"

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        self._index = {name.casefold(): i for i, name in enumerate(task.labels)}
        self._top5 = self._classes = self._unknown = 0

    def answer(self, output: NDArray[np.generic]) -> int:
        """-1, which is no class, where a score is NaN."""
        scores = scores_of(output)
        self._classes = scores.size
        return -1 if np.isnan(scores).any() else int(scores.argmax())

    def truth(self, label: Label) -> int | None:
        """A number is the class; a name is looked up in the task's labels; `0_tshirt` counts as 0."""
        text = str(label)
        found = label if isinstance(label, int) else self._index.get(text.casefold(), _leading_number(text))
        if found is None or not 0 <= found < max(self._classes, 1):
            self._unknown += 1
            return None
        return found

    def look_closer(self, expected: int, got: int, truth: int, output: NDArray[np.generic]) -> None:
        scores = scores_of(output)
        self._top5 += got >= 0 and int(np.count_nonzero(scores > scores[truth])) < 5

    def extra(self) -> dict[str, float]:
        return {"top5": self._top5 / self.labelled} if self._classes > 5 else {}

    def warnings(self) -> tuple[str, ...]:
        found = super().warnings()
        chance = 1 / max(self._classes, 2)
        if self.labelled >= 20 and wilson(self.reference_hits, self.labelled)[0] <= chance:
            share = self.reference_hits / self.labelled
            found += (
                f"The FP32 reference itself is right in {share:.1%} only, no better than chance: are preprocessing"
                " and the order of the labels right?",
            )
        return found

    def _had_labels(self) -> bool:
        return self._unknown > 0


def _leading_number(label: str) -> int | None:
    """The number of `7`, `7_sneaker` or `07-boot`; a name like `3d_printer` has none."""
    match = re.match(r"(\d+)(?:[_\-. ]|$)", label)
    return int(match.group(1)) if match else None


METRIC = Classification
