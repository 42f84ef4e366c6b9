"""A metric of the user's own: a function of a Python file, run only where its user allowed just that file.

    # my_metric.py
    def score(outputs, reference, label, inputs) -> float: ...

gets dicts of numpy arrays by tensor name (the engine's outputs, the FP32 reference's, and the inputs) and the label
(None: not known), and gives one finite number a sample; the larger the better. The metric is their mean.
"""

from __future__ import annotations

import hashlib
import math
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.recipe import Task, TaskKind
from workbench.core.run import TaskResult
from workbench.measure.metrics.base import Sample, Scorer
from workbench.measure.statistics import bootstrap, bootstrap_difference

MAX_BYTES = 2**20


class Function(Scorer):
    """Also scores the reference's own outputs, so that the cost of a precision is seen."""

    kind = TaskKind.FUNCTION

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        self._path, self._name = split(task.function)
        self._function = self._load(read_code(self._path))
        self._rows: list[tuple[float, float]] = []

    def _load(self, code: bytes) -> Callable[..., Any]:
        if hashlib.sha256(code).hexdigest() != self.allowed_code:
            raise WorkbenchError(
                f"{self._path.name} is code, and was not allowed to run.",
                "Read it, then allow it: --allow-code on the command line.",
            )
        names: dict[str, Any] = {"__name__": self._path.stem, "__file__": str(self._path)}
        self._guarded(lambda: exec(compile(code, str(self._path), "exec"), names))
        function = names.get(self._name)
        if not callable(function):
            raise WorkbenchError(f"{self._path.name} has no function {self._name!r}.", "Set `function` in the recipe.")
        return function  # type: ignore[no-any-return]

    def add(self, sample: Sample) -> None:
        reference, inputs = dict(sample.reference), dict(sample.feed)
        values = []
        for outputs in (dict(sample.actual), reference):
            value = self._guarded(self._score, outputs, reference, sample.label, inputs)
            if not math.isfinite(value):
                raise WorkbenchError(f"{self._path.name}: {self._name} gave {value}, which is no figure.")
            values.append(value)
        self._rows.append((values[0], values[1]))

    def _score(self, *arguments: object) -> float:
        return float(self._function(*arguments))

    def _guarded(self, call: Callable[..., Any], *arguments: object) -> Any:
        """What the user's code raises becomes one sentence with its line."""
        try:
            return call(*arguments)
        except Exception as error:
            lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(self._path)]
            line = lines[-1] if lines else getattr(error, "lineno", None)
            where = f", line {line}" if line else ""
            what = one_line(f"{type(error).__name__}: {error}", 200)
            raise WorkbenchError(f"{self._path.name}{where}: {what}.", "Correct the function.") from error

    def result(self) -> TaskResult | None:
        if not self._rows:
            return None
        own, reference = zip(*self._rows, strict=True)
        low, high = bootstrap(own, lambda rows: float(rows.mean()))
        mean = sum(own) / len(own)
        return TaskResult(self._name, mean, len(own), low, high, reference=sum(reference) / len(own), is_share=False)

    def loss(self) -> tuple[float, float, float] | None:
        if not self._rows:
            return None
        return bootstrap_difference(self._rows, lambda rows: float(rows[:, 1].mean() - rows[:, 0].mean()))


def split(function: str) -> tuple[Path, str]:
    """`my_metric.py:score` -> file and name. Raises WorkbenchError for another form."""
    path, colon, name = function.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier():
        raise WorkbenchError(f"The task's function {function!r} is not `file.py:name`.", "Correct the recipe.")
    return Path(path), name


def code_digest(task: Task | None) -> str:
    """What allows the code of this task to run, as it is now: SHA-256 of its file; "" where it has none."""
    if task is None or task.kind is not TaskKind.FUNCTION:
        return ""
    return hashlib.sha256(read_code(split(task.function)[0])).hexdigest()


def read_code(path: Path) -> bytes:
    """Raises WorkbenchError where the file cannot be read or is none of a person's."""
    try:
        code = path.read_bytes() if path.stat().st_size <= MAX_BYTES else b""
    except OSError as error:
        raise WorkbenchError(
            f"Cannot read {path.name}: {error.strerror}.", "Correct the recipe's `function`."
        ) from error
    if not code:
        raise WorkbenchError(f"{path.name} is empty, or larger than 1 MiB.", "Correct the recipe's `function`.")
    return code


METRIC = Function
