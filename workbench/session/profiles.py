"""Optimization profiles of the open model: edited by dimension, checked by a child process that reads the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from workbench.core.errors import WorkbenchError
from workbench.core.graph import Graph
from workbench.core.profile import FreeDim, HeldTarget, OptimizationProfile, Range
from workbench.session.asking import Ask
from workbench.session.questions import ProfilesLooked, ProfilesQuestion

if TYPE_CHECKING:
    from workbench.session.session import Session

LOOK_MS = 250  # after the last edit
SIDES = ("smallest", "usual", "largest")


class Profiles(QObject):
    """Every edit is one undoable choice, remembered in the model's recipe. `changed`: they or what is known of them."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._looked: tuple[str, ProfilesLooked | WorkbenchError] | None = None
        self._asked: ProfilesQuestion | None = None
        self._ask = Ask("profiles", ProfilesLooked, self)
        self._ask.answered.connect(self._take)
        self._ask.failed.connect(self._take)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(LOOK_MS)
        self._wait.timeout.connect(self._look)
        session.choices_changed.connect(self._follow)
        session.model_changed.connect(self._follow)

    # what there is

    @property
    def value(self) -> tuple[OptimizationProfile, ...]:
        return self._session.choices.profiles

    @property
    def dims(self) -> tuple[FreeDim, ...]:
        from workbench.model.profiles import free_dims

        model = self._session.model
        return free_dims(model.inputs) if model is not None else ()

    @property
    def ranges(self) -> tuple[Mapping[str, Range], ...]:
        """By dimension, of each profile."""
        from workbench.model.profiles import ranges_of

        model = self._session.model
        return tuple(ranges_of(model, profile) for profile in self.value) if model is not None else ()

    @property
    def are_possible(self) -> bool:
        return bool(self.dims)

    @property
    def words(self) -> str:
        """`one shape`, `batch 1–8 · sequence 1–512`, `2 profiles`."""
        ranges = self.ranges
        if not ranges:
            return "one shape"
        if len(ranges) > 1:
            return f"{len(ranges)} profiles"
        spans = [(dim.title, ranges[0][dim.name]) for dim in self.dims]
        return " · ".join(f"{name} {low}–{high}" for name, (low, _, high) in spans if low < high) or "one shape"

    @property
    def problem(self) -> str:
        """Why no engine can be built for them, as far as it is known; empty: nothing is found."""
        if self._declared_problem():
            return self._declared_problem()
        known = self._known()
        if isinstance(known, WorkbenchError):
            return str(known)
        return known.problem if known is not None else ""

    @property
    def held(self) -> tuple[HeldTarget, ...]:
        """Reshapes that hold the batch as a number."""
        known, model = self._known(of_model=True), self._session.model
        if model is None or not isinstance(known, ProfilesLooked):
            return ()
        names = {layer.id: layer.name for layer in model.graph.layers}
        return tuple(msgspec.structs.replace(each, name=names.get(each.node, "")) for each in known.held)

    @property
    def can_free_batch(self) -> bool:
        """Whether the batch can be set free in a copy: some Reshape holds it, or the file declares it as a number."""
        known = self._known(of_model=True)
        return isinstance(known, ProfilesLooked) and known.can_free

    @property
    def is_looking(self) -> bool:
        return self._ask.is_busy or self._wait.isActive()

    # edits

    def add(self) -> None:
        """One more: a guess around the shapes chosen, in which the model works as far as that is known; a second one
        goes on where the last ends."""
        from workbench.model.profiles import guess_profile, next_profile

        model, choices = self._session.model, self._session.choices
        if model is None or not self.dims:
            return
        known = self._known()
        guess = known.guess if isinstance(known, ProfilesLooked) else None
        fresh = next_profile(model, self.value[-1]) if self.value else guess or guess_profile(model, choices.shapes)
        self._set((*self.value, fresh), "Add a profile")

    def duplicate(self, index: int) -> None:
        self._set((*self.value[: index + 1], *self.value[index:]), f"Duplicate profile {index + 1}")

    def remove(self, index: int) -> None:
        """Without any, an engine is built for one shape of each input."""
        self._set((*self.value[:index], *self.value[index + 1 :]), f"Remove profile {index + 1}")

    def set_value(self, index: int, dim: str, side: int, value: int) -> None:
        """`side` 0 min, 1 opt, 2 max; the others of the range make way. Everywhere the dimension stands."""
        from workbench.model.profiles import moved, profile_of

        model = self._session.model
        if model is None:
            return
        ranges = dict(self.ranges[index])
        ranges[dim] = moved(ranges[dim], side, value)
        after = [*self.value]
        after[index] = profile_of(model, ranges)
        text = f"{SIDES[side].capitalize()} {dim} of profile {index + 1}"
        self._set(tuple(after), text, f"profile {index} {dim} {side}")

    def close(self) -> None:
        self._wait.stop()
        self._ask.cancel()

    def _set(self, profiles: tuple[OptimizationProfile, ...], text: str, key: str = "") -> None:
        self._session.choose_all(self._session.choices.with_profiles(profiles), text, key)

    # what is known of them

    def look(self) -> None:
        """Asks, where nobody has yet for this model and these profiles. Views call it when they are seen."""
        if self._known() is None and not self.is_looking and self._session.model is not None:
            self._look()

    def _declared_problem(self) -> str:
        from workbench.model.profiles import check_profiles

        model, choices = self._session.model, self._session.choices
        if model is None:
            return ""
        try:
            check_profiles(model, self.value, choices.shapes)
        except WorkbenchError as error:
            return str(error)
        return ""

    def _known(self, *, of_model: bool = False) -> ProfilesLooked | WorkbenchError | None:
        """What the child said of these profiles; `of_model`: of any of this model's."""
        model = self._session.model
        if model is None or self._looked is None or not self._looked[0].startswith(model.sha256):
            return None
        return self._looked[1] if of_model or self._looked[0] == self._key(self.value) else None

    def _key(self, profiles: tuple[OptimizationProfile, ...]) -> str:
        model = self._session.model
        return f"{model.sha256 if model else ''} {msgspec.json.encode(profiles).decode()}"

    def _follow(self, _news: object = None) -> None:
        if self._looked is not None and self._known() is None and self._session.model is not None:
            self._wait.start()
        self.changed.emit()

    def _look(self) -> None:
        model, choices = self._session.model, self._session.choices
        if model is None:
            return
        bare = msgspec.structs.replace(model, graph=Graph(name=model.graph.name))
        self._asked = ProfilesQuestion(bare, choices.shapes, self.value)
        self._ask.ask(self._asked)
        self.changed.emit()

    def _take(self, answer: ProfilesLooked | WorkbenchError) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._looked = (f"{asked.model.sha256} {msgspec.json.encode(asked.profiles).decode()}", answer)
        self.changed.emit()
