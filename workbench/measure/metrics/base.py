"""What every metric is: samples in, a figure with its interval out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.core.run import TaskResult
from workbench.measure.statistics import paired_difference, wilson

Outputs = Mapping[str, NDArray[np.generic]]
Label = str | int | float | tuple[float, ...]
A = TypeVar("A")


class Sample(NamedTuple):
    """What one sample gave: the outputs of the reference and of the engine, what is right (None: not known), and the
    inputs."""

    reference: Outputs
    actual: Outputs
    label: Label | None = None
    feed: Outputs = MappingProxyType({})


class Scorer(ABC):
    """Sums over samples. A metric's module has one class `METRIC` and the kind of task it is for."""

    kind: ClassVar[TaskKind]

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        """`metadata` is the ONNX file's; `allowed_code` the SHA-256 of a Python file that may run.

        Raises WorkbenchError where the model or the task lack what is needed.
        """
        self.task, self.metadata, self.allowed_code = task, metadata, allowed_code

    @abstractmethod
    def add(self, sample: Sample) -> None:
        """Raises WorkbenchError where the outputs are not what the task says."""

    @abstractmethod
    def result(self) -> TaskResult | None:
        """The figure so far; None where there is none yet."""

    def warnings(self) -> tuple[str, ...]:
        """What makes the figure doubtful."""
        return ()

    def pairs(self) -> tuple[int, int, int] | None:
        """Samples that the reference alone has right, that the engine alone has right, and all; None: not counted so.

        A difference of two shares of the same samples hangs on these alone, and is far better known than each share.
        """
        return None

    def loss(self) -> tuple[float, float, float] | None:
        """What the engine has lost of the metric against the reference, with the 95 % interval of this difference.

        In the metric's own unit, below 0 where the engine is better. Over the same samples in pairs: what makes a
        sample hard is hard for both, and falls out. None where the reference has no figure of its own.
        """
        pairs = self.pairs()
        return paired_difference(*pairs) if pairs is not None else None

    def pick(self, outputs: Outputs) -> NDArray[np.generic]:
        """The output the task is about."""
        name = self.task.output or next(iter(outputs), "")
        if name not in outputs:
            known = ", ".join(outputs) or "none"
            raise WorkbenchError(f"The task names an output {name!r} that is not there.", f"Outputs: {known}.")
        return outputs[name]

    def pick_finite(self, outputs: Outputs) -> NDArray[np.generic]:
        """`pick`, for metrics that are means over samples. Raises WorkbenchError where no mean could hold it."""
        found = self.pick(outputs)
        check_finite(found)
        return found


def check_finite(figures: NDArray[np.generic] | float) -> None:
    """Raises WorkbenchError where one of a sample is NaN or infinite."""
    if not np.isfinite(figures).all():
        raise WorkbenchError(
            "An output of a sample is NaN or infinite, and no mean can hold it.",
            "The errors of the outputs count them.",
        )


class Answers(Scorer, Generic[A]):
    """Counts right answers. A subclass says what an answer is, and how labels are compared with it."""

    metric = ""

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        self.n = self.labelled = self.hits = self.reference_hits = self.agreed = self.lost = 0

    def add(self, sample: Sample) -> None:
        expected, got = self.answer(self.pick(sample.reference)), self.answer(self.pick(sample.actual))
        self.n += 1
        self.agreed += expected == got
        truth = None if sample.label is None else self.truth(sample.label)
        if truth is not None:
            self.labelled += 1
            self.hits += got == truth
            self.reference_hits += expected == truth
            self.lost += expected == truth != got
            self.look_closer(expected, got, truth, self.pick(sample.actual))

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

    def pairs(self) -> tuple[int, int, int] | None:
        if self.labelled == 0:
            return self.n - self.agreed, 0, self.n
        return self.lost, self.lost + self.hits - self.reference_hits, self.labelled

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


def scores_of(output: NDArray[np.generic]) -> NDArray[np.float64]:
    """The class scores of the first item of the batch."""
    last = output.shape[-1] if output.ndim else 1
    scores: NDArray[np.float64] = output.reshape(-1, last)[0].astype(np.float64)
    return scores
