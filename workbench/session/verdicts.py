"""What backends say of the open model before it is built: asked in child processes one by one, kept on disk."""

from __future__ import annotations

import hashlib
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.edits import Edit
from workbench.core.errors import WorkbenchError
from workbench.core.json import encode, read_json, write_json
from workbench.core.places import data_home
from workbench.core.verdict import Remedy, Verdict
from workbench.core.words import plural
from workbench.session.asking import Ask
from workbench.session.questions import VerdictQuestion

if TYPE_CHECKING:
    from workbench.session.session import Session

COMPUTES_NOTHING = "null"
FORMAT = 2  # of the kept files: another one is not read


class Verdicts(QObject):
    """`get` tells what is known; `look` asks all backends, the chosen one first; `changed` says that more is known.

    A verdict holds for one content in its shapes with its fixed inputs, and one version of the backend. It is found
    again on disk; only a fault of asking (a crash, a file that is gone) is not kept.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._known: dict[str, Verdict | None] = {}  # None: not on disk either
        self._waiting: deque[str] = deque()
        self._asked: tuple[str, str] | None = None  # backend, key
        self._is_wanted = False
        self._ask = Ask("verdict", Verdict, self)
        self._ask.answered.connect(self._take)
        self._ask.failed.connect(self._fail)
        session.model_changed.connect(self._forget)
        session.choices_changed.connect(self._follow)
        session.backends_changed.connect(self._follow)
        session.runs.finished.connect(self._follow)

    @property
    def backends(self) -> tuple[str, ...]:
        """Those that can be asked here, the chosen one first."""
        session = self._session
        able = [name for name, info in session.backends.items() if info.available and name != COMPUTES_NOTHING]
        return tuple(sorted(able, key=lambda name: name != session.choices.backend))

    @property
    def is_busy(self) -> bool:
        return self._asked is not None

    @property
    def is_complete(self) -> bool:
        """Whether every backend has answered for what is chosen now."""
        return bool(self.backends) and all(self.get(name) is not None for name in self.backends)

    @property
    def asking(self) -> str:
        """The title of the backend that is asked now; empty: none."""
        return self._title(self._asked[0]) if self._asked is not None else ""

    @property
    def chosen(self) -> Verdict | None:
        """Of the backend that the next build is for; None where it was not asked."""
        return self.get(self._session.choices.backend)

    @property
    def refused(self) -> frozenset[str]:
        """Nodes that the chosen backend does not take, as far as that is known."""
        found = self.chosen
        return frozenset(found.nodes) if found is not None and not found.accepted else frozenset()

    @property
    def holders(self) -> frozenset[str]:
        """Nodes with a refused one somewhere in their bodies."""
        parts = (node.split(".") for node in self.refused)
        return frozenset(".".join(part[:end]) for part in parts for end in range(1, len(part), 2)) - self.refused

    def get(self, backend: str) -> Verdict | None:
        """What is known of the open model in its present shapes, from this session or an earlier one."""
        key = self._key(backend)
        if not key:
            return None
        if key not in self._known:
            self._known[key] = _read(_path(key))
        found = self._known[key]
        return self._with_others(backend, found) if found is not None else None

    def look(self) -> None:
        """Asks those that are not known, and again whenever the choices ask for another verdict."""
        self._is_wanted = True
        self._follow()

    def cancel(self) -> None:
        """Ends the asking; what is known stays."""
        self._is_wanted = False
        self._stop()
        self.changed.emit()

    def close(self) -> None:
        self._waiting.clear()
        self._ask.cancel()

    def tell(self, node: str) -> str:
        """What the backends say of a node, a line each; empty where nothing is to be said."""
        said = ((name, self.get(name)) for name in self.backends)
        lines = (f"{self._title(name)}: {text}" for name, found in said if found and (text := found.of(node)))
        return "\n".join(lines)

    def sentence(self, backend: str) -> str:
        """`TensorRT for RTX takes 12 of 14 nodes`, and why not all."""
        found, model = self.get(backend), self._session.model
        if found is None or model is None:
            return ""
        if found.accepted:
            return f"{self._title(backend)} takes {plural(model.all_nodes, 'node')}. {found.reason}".strip()
        return f"{self._title(backend)}: {found.reason}"

    def _with_others(self, backend: str, found: Verdict) -> Verdict:
        """A model that another backend takes can be built there."""
        if found.accepted:
            return found
        others = [name for name in self.backends if name != backend and self._accepts(name)]
        more = tuple(
            Remedy(f"{self._title(name)} takes this model.", edit=Edit(f"Build with {self._title(name)}", backend=name))
            for name in others
        )
        return msgspec.structs.replace(found, remedies=(*found.remedies, *more))

    def _accepts(self, backend: str) -> bool:
        found = self._known.get(self._key(backend))
        return found is not None and found.accepted

    def _title(self, backend: str) -> str:
        info = self._session.backends.get(backend)
        return info.title if info is not None else backend

    def _key(self, backend: str) -> str:
        session = self._session
        info = session.backends.get(backend)
        if session.model is None or info is None or not info.available:
            return ""
        fixed = {name: spec.const for name, spec in session.choices.recipe.inputs.items() if spec.const is not None}
        clean = session.choices.plan.clean
        parts = (FORMAT, session.model.sha256, backend, info.version, session.choices.shapes, fixed, clean)
        return hashlib.sha256(encode(parts)).hexdigest()[:32]

    def _forget(self, _model: object = None) -> None:
        self._stop()
        self._known.clear()
        self.changed.emit()

    def _stop(self) -> None:
        self._waiting.clear()
        self._asked = None
        self._ask.cancel()

    def _follow(self, _news: object = None) -> None:
        if self._is_wanted and self._session.model is not None:
            self._waiting = deque(name for name in self.backends if self.get(name) is None)
            if self._asked is not None and self._asked[1] != self._key(self._asked[0]):
                self._asked = None
                self._ask.cancel()
            self._next()
        self.changed.emit()

    def _next(self) -> None:
        model, choices = self._session.model, self._session.choices
        if self._asked is not None or not self._waiting or model is None or self._session.is_busy:
            return  # nothing else runs while a run measures
        backend = self._waiting.popleft()
        self._asked = backend, self._key(backend)
        self._ask.ask(VerdictQuestion(backend, model.path, choices.recipe, choices.shapes, choices.plan.clean))

    def _take(self, found: Verdict) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._known[asked[1]] = found
            _keep(_path(asked[1]), found)
        self._next()
        self.changed.emit()

    def _fail(self, error: WorkbenchError) -> None:
        """The child died: that is its answer, for as long as the program runs."""
        asked, self._asked = self._asked, None
        if asked is not None:
            self._known[asked[1]] = Verdict(False, f"{error.message} {error.hint}".strip())
        self._next()
        self.changed.emit()


def _path(key: str) -> Path:
    return data_home() / "verdicts" / f"{key}.json"


def _read(path: Path) -> Verdict | None:
    """None where there is none, or none that can be read."""
    try:
        return read_json(path, Verdict) if path.is_file() else None
    except WorkbenchError:
        return None


def _keep(path: Path, verdict: Verdict) -> None:
    """Where the disk refuses it is asked again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, verdict)
    except OSError:
        return
