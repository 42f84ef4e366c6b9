"""Options of the chosen backend: set as undoable choices, tried by a build with and one without, told in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.options import Effect, Option, effect

if TYPE_CHECKING:
    from workbench.session.choices import Choices
    from workbench.session.session import Session


class Options(QObject):
    """`changed`: what is set, what there is, or what is known of effects."""

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        for news in (session.choices_changed, session.backends_changed, session.runs.changed, session.model_changed):
            news.connect(self._follow)

    @property
    def known(self) -> tuple[Option, ...]:
        """Those that do something in the chosen backend on this machine."""
        info = self._session.backends.get(self._session.choices.backend)
        return info.options if info is not None else ()

    def value(self, option: Option) -> str:
        """As it is set; of a number "" where it is the engine's own choice."""
        return self._session.choices.options.get(option.key, option.default)

    def set(self, option: Option, value: str) -> None:
        """The default is not written."""
        choices = self._with(self._session.choices, option, value)
        words = value or "the default"
        self._session.choose_all(choices, f"{option.title} {words}", f"option {option.key}")

    def effect(self, option: Option) -> Effect | None:
        """What it did to the open model: of two runs that differ in nothing else, the newest pair."""
        return effect(option, self._session.visible_runs())

    def try_out(self, option: Option) -> None:
        """Builds what is chosen with the option as it is set (or its first other value), and as it is by default."""
        session, choices = self._session, self._session.choices
        set_to = self.value(option)
        other = set_to if set_to != option.default else _other(option)
        for value in (option.default, other):
            wanted = msgspec.structs.replace(self._with(choices, option, value), tuned=False)
            session.build(wanted)

    def _with(self, choices: Choices, option: Option, value: str) -> Choices:
        rest = {key: old for key, old in choices.options.items() if key != option.key}
        return msgspec.structs.replace(
            choices, options=rest | ({option.key: value} if value and value != option.default else {})
        )

    def _follow(self, _news: object = None) -> None:
        self.changed.emit()


def _other(option: Option) -> str:
    """A value worth trying where nothing is set."""
    return "0" if option.is_number else option.values[1]
