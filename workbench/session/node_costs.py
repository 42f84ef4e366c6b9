"""What each node of the open model costs with the shapes chosen; counted in a child process when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.costs import Cost
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph
from workbench.core.model import Shape
from workbench.session.asking import Ask
from workbench.session.questions import CostsQuestion

if TYPE_CHECKING:
    from workbench.session.session import Session

Key = tuple[str, tuple[tuple[str, Shape], ...]]


class NodeCosts(QObject):
    """`get` starts counting where that is needed; `changed` says that the answer has come."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._known: dict[Key, Mapping[str, Cost] | WorkbenchError] = {}
        self._asked: Key | None = None
        self._ask = Ask("costs", dict[str, Cost], self)
        self._ask.answered.connect(self._take)
        self._ask.failed.connect(self._take)

    def get(self) -> Mapping[str, Cost]:
        """By source node; empty until it is counted, and where it cannot be."""
        key = self._key()
        if key is None:
            return {}
        if key not in self._known:
            self._look(key)
        found = self._known.get(key, {})
        return {} if isinstance(found, WorkbenchError) else found

    @property
    def problem(self) -> str:
        """Why the model cannot be counted with these shapes; empty where it can or is not asked for yet."""
        key = self._key()
        found = self._known.get(key) if key is not None else None
        return found.message if isinstance(found, WorkbenchError) else ""

    def close(self) -> None:
        self._ask.cancel()

    def _key(self) -> Key | None:
        model = self._session.model
        return (model.sha256, tuple(sorted(self._session.choices.shapes.items()))) if model is not None else None

    def _look(self, key: Key) -> None:
        model = self._session.model
        if model is None or self._asked == key:
            return
        self._asked = key
        bare = msgspec.structs.replace(model, graph=Graph(name=model.graph.name))
        self._ask.ask(CostsQuestion(bare, self._session.choices.shapes))

    def _take(self, answer: Mapping[str, Cost] | WorkbenchError) -> None:
        key, self._asked = self._asked, None
        if key is not None:
            self._known[key] = answer
            self.changed.emit()
