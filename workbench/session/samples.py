"""Looks into the chosen sample sets, in a child process, one after the other; answers are kept by what was asked."""

from __future__ import annotations

from collections import deque

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph
from workbench.core.json import encode
from workbench.core.model import Model
from workbench.session.asking import Ask
from workbench.session.choices import Choices
from workbench.session.questions import SamplesInfo, SamplesQuestion


class SamplePreviews(QObject):
    """`get` tells what is known of a source; `changed` says of which source more is known now."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: dict[bytes, SamplesInfo | WorkbenchError] = {}
        self._keys: dict[str, bytes] = {}
        self._waiting: deque[SamplesQuestion] = deque()
        self._asked: SamplesQuestion | None = None
        self._ask = Ask("samples", SamplesInfo, self)
        self._ask.answered.connect(self._take)
        self._ask.failed.connect(self._take)

    def get(self, source: str) -> SamplesInfo | WorkbenchError | None:
        return self._known.get(self._keys.get(source, b""))

    def look_at(self, model: Model, choices: Choices) -> None:
        """Reads what the choices name and is not known yet."""
        bare = msgspec.structs.replace(model, graph=Graph(name=model.graph.name))
        self._waiting.clear()
        for source in dict.fromkeys((choices.calibration, choices.evaluation)):
            if not source:
                continue
            question = SamplesQuestion(source, bare, choices.recipe, choices.shapes)
            key = encode(question)
            self._keys[source] = key
            if key not in self._known and not (self._asked and encode(self._asked) == key):
                self._waiting.append(question)
        self._next()

    @property
    def is_busy(self) -> bool:
        return self._asked is not None

    def close(self) -> None:
        self._waiting.clear()
        self._ask.cancel()

    def _next(self) -> None:
        if self._asked is None and self._waiting:
            self._asked = self._waiting.popleft()
            self._ask.ask(self._asked)

    def _take(self, answer: SamplesInfo | WorkbenchError) -> None:
        question, self._asked = self._asked, None
        if question is not None:
            self._known[encode(question)] = answer
            self.changed.emit(question.source)
        self._next()
