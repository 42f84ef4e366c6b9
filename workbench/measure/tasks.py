"""What outputs mean: one small class per kind of task, which turns outputs into answers and answers into shares."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.recipe import Task, TaskKind
from workbench.core.run import TaskResult
from workbench.measure.statistics import wilson

Outputs = Mapping[str, NDArray[np.generic]]
Label = str | int
A = TypeVar("A")


class Scorer(ABC, Generic[A]):
    """Counts answers over samples. A subclass says what an answer is, and how labels are compared with it."""

    metric = ""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.n = self.labelled = self.hits = self.reference_hits = self.agreed = 0

    def add(self, reference: Outputs, actual: Outputs, label: Label | None) -> None:
        """One sample: the outputs of the reference, of the engine, and what is right where that is known."""
        expected, got = self.answer(self._pick(reference)), self.answer(self._pick(actual))
        self.n += 1
        self.agreed += expected == got
        truth = None if label is None else self.truth(label)
        if truth is not None:
            self.labelled += 1
            self.hits += got == truth
            self.reference_hits += expected == truth
            self.look_closer(expected, got, truth, self._pick(actual))

    def result(self) -> TaskResult | None:
        """The metric with its Wilson interval; without labels, agreement with the reference. None before a sample."""
        if self.n == 0:
            return None
        agreement = self.agreed / self.n
        if self.labelled == 0:
            return TaskResult("agreement", agreement, self.n, *wilson(self.agreed, self.n), agreement=agreement)
        return TaskResult(
            self.metric,
            self.hits / self.labelled,
            self.labelled,
            *wilson(self.hits, self.labelled),
            reference=self.reference_hits / self.labelled,
            agreement=agreement,
            extra=self.extra(),
        )

    def warnings(self) -> tuple[str, ...]:
        """What makes the metric doubtful."""
        missing = self.n - self.labelled
        if 0 < missing < self.n or (missing and self._had_labels()):
            return (f"{missing} of {self.n} samples have a label that is none of the task's: not counted.",)
        return ()

    @abstractmethod
    def answer(self, output: NDArray[np.generic]) -> A:
        """What the output says."""

    @abstractmethod
    def truth(self, label: Label) -> A | None:
        """The answer that would be right; None where the label is unknown."""

    def look_closer(self, expected: A, got: A, truth: A, output: NDArray[np.generic]) -> None:
        """More figures than the one metric."""

    def extra(self) -> dict[str, float]:
        return {}

    def _had_labels(self) -> bool:
        return False

    def _pick(self, outputs: Outputs) -> NDArray[np.generic]:
        name = self._task.output or next(iter(outputs), "")
        if name not in outputs:
            known = ", ".join(outputs) or "none"
            raise WorkbenchError(f"The task names an output {name!r} that is not there.", f"Outputs: {known}.")
        return outputs[name]


class Classification(Scorer[int]):
    """Top-1 of an output [1, classes]; `extra` has top5 where there are more than five classes."""

    metric = "top-1"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._index = {name.casefold(): i for i, name in enumerate(task.labels)}
        self._top5 = self._classes = self._unknown = 0

    def answer(self, output: NDArray[np.generic]) -> int:
        scores = _scores(output)
        self._classes = scores.size
        return int(scores.argmax())

    def truth(self, label: Label) -> int | None:
        """A number is the class; a name is looked up in the task's labels; `0_tshirt` counts as 0."""
        found = label if isinstance(label, int) else self._index.get(label.casefold(), _leading_number(label))
        if found is None or not 0 <= found < max(self._classes, 1):
            self._unknown += 1
            return None
        return found

    def look_closer(self, expected: int, got: int, truth: int, output: NDArray[np.generic]) -> None:
        scores = _scores(output)
        self._top5 += int(np.count_nonzero(scores > scores[truth])) < 5

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


class TextLines(Scorer[str]):
    """Exact lines of a CTC output [1, steps, characters].

    In `extra`: the character error rate of engine and reference (`cer`, `reference_cer`: edits per character of the
    labels), and the share of lines that are exact when blanks at both ends are taken off (`exact_stripped`).
    """

    metric = "exact lines"

    def __init__(self, task: Task, metadata: Mapping[str, str]) -> None:
        super().__init__(task)
        if task.charset_key not in metadata:
            raise WorkbenchError(
                f"The model has no metadata entry {task.charset_key!r} that lists its characters.",
                "Set charset_key in the recipe's task to the entry that does.",
            )
        self._listed = metadata[task.charset_key]
        self._characters: tuple[str, ...] = ()
        self._edits = self._reference_edits = self._length = self._stripped = 0

    def answer(self, output: NDArray[np.generic]) -> str:
        scores = output.reshape(-1, output.shape[-1]) if output.ndim == 2 else output[0]
        if not self._characters:
            self._characters = ctc_characters(self._listed, scores.shape[-1])
        return ctc_text(scores.argmax(axis=-1), self._characters)

    def truth(self, label: Label) -> str:
        return str(label)

    def look_closer(self, expected: str, got: str, truth: str, output: NDArray[np.generic]) -> None:
        self._edits += edit_distance(got, truth)
        self._reference_edits += edit_distance(expected, truth)
        self._length += len(truth)
        self._stripped += got.strip() == truth.strip()

    def extra(self) -> dict[str, float]:
        length = max(self._length, 1)
        return {
            "cer": self._edits / length,
            "reference_cer": self._reference_edits / length,
            "exact_stripped": self._stripped / max(self.labelled, 1),
        }


def make_scorer(task: Task | None, model: Model) -> Scorer[int] | Scorer[str] | None:
    """The scorer of a task, or None without one. WorkbenchError where the model lacks what the task needs."""
    if task is None:
        return None
    if task.kind is TaskKind.CLASSIFICATION:
        return Classification(task)
    return TextLines(task, model.metadata)


def ctc_characters(listed: str, classes: int) -> tuple[str, ...]:
    """The character of each class: blank first, then the list (one a line), then a space if one class is left.

    That is PaddleOCR's order (ppocr/postprocess/rec_postprocess.py, `use_space_char`). Raises WorkbenchError where it
    does not come out at `classes`.
    """
    for lines in (listed.removesuffix("\n").split("\n"), listed.splitlines()):
        for characters in (("", *lines), ("", *lines, " ")):
            if len(characters) == classes:
                return characters
    raise WorkbenchError(
        f"The output has {classes} classes, but the model lists {len(listed.splitlines())} characters.",
        "Choose the right output and charset_key in the recipe's task.",
    )


def ctc_text(steps: Sequence[int] | NDArray[np.intp], characters: Sequence[str]) -> str:
    """Greedy CTC decoding (Graves et al., ICML 2006, best path): merge repeats, then drop the blank (class 0)."""
    best = np.asarray(steps)
    keep = np.ones(best.shape, dtype=bool)
    keep[1:] = best[1:] != best[:-1]
    return "".join(characters[i] for i in best[keep & (best != 0)])


def edit_distance(a: str, b: str) -> int:
    """Levenshtein's distance: insertions, deletions and substitutions that turn `a` into `b`."""
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (left != right)))
        previous = current
    return previous[-1]


def _scores(output: NDArray[np.generic]) -> NDArray[np.float64]:
    """The class scores of the first item of the batch."""
    last = output.shape[-1] if output.ndim else 1
    scores: NDArray[np.float64] = output.reshape(-1, last)[0].astype(np.float64)
    return scores


def _leading_number(label: str) -> int | None:
    """The number of `7`, `7_sneaker` or `07-boot`; a name like `3d_printer` has none."""
    match = re.match(r"(\d+)(?:[_\-. ]|$)", label)
    return int(match.group(1)) if match else None
