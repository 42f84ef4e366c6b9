"""Lines of text: exact lines, and the error rates of characters and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.measure.metrics.base import Answers, Label


class TextLines(Answers[str]):
    """Exact lines of a CTC output [1, steps, characters].

    In `extra`: the error rates of characters and of words, of engine and reference (`cer`, `reference_cer`, `wer`,
    `reference_wer`: edits per character, or word, of the labels; words are what white space parts), and the share of
    lines that are exact when blanks at both ends are taken off (`exact_stripped`).
    """

    kind = TaskKind.TEXT_LINES
    metric = "exact lines"

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        if task.charset_key not in metadata:
            raise WorkbenchError(
                f"The model has no metadata entry {task.charset_key!r} that lists its characters.",
                "Set charset_key in the recipe's task to the entry that does.",
            )
        self._listed = metadata[task.charset_key]
        self._characters: tuple[str, ...] = ()
        self._edits = self._reference_edits = self._length = self._stripped = 0
        self._word_edits = self._reference_word_edits = self._words = 0

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
        words = truth.split()
        self._word_edits += edit_distance(got.split(), words)
        self._reference_word_edits += edit_distance(expected.split(), words)
        self._words += len(words)
        self._stripped += got.strip() == truth.strip()

    def extra(self) -> dict[str, float]:
        length = max(self._length, 1)
        return {
            "cer": self._edits / length,
            "reference_cer": self._reference_edits / length,
            "wer": self._word_edits / max(self._words, 1),
            "reference_wer": self._reference_word_edits / max(self._words, 1),
            "exact_stripped": self._stripped / max(self.labelled, 1),
        }


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


def edit_distance(a: Sequence[str], b: Sequence[str]) -> int:
    """Levenshtein's distance: insertions, deletions and substitutions that turn `a` into `b`."""
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (left != right)))
        previous = current
    return previous[-1]


METRIC = TextLines
