"""Large layouts are made beside the window's thread: it keeps answering, and a newer wish replaces an older one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal

from workbench.views.canvas.layout import Check

T = TypeVar("T")


class StoppedError(Exception):
    """Nobody waits for this layout any more."""


class _Post(QObject):
    """Carries what a thread made to the thread that the loader lives in."""

    arrived = Signal(int, object)


class Loader(Generic[T]):
    """Makes one thing at a time. `make` is called in a thread of its own with a check that it calls often."""

    def __init__(self, parent: QObject) -> None:
        self._post = _Post(parent)
        self._post.arrived.connect(self._on_arrival)
        self._deliver: Callable[[T], None] | None = None
        self._turn = 0

    @property
    def is_busy(self) -> bool:
        return self._deliver is not None

    def start(self, make: Callable[[Check], T], deliver: Callable[[T], None]) -> None:
        """`deliver` is called in the thread of the parent, unless another start or a cancel comes before."""
        self.cancel()
        self._deliver = deliver
        threading.Thread(target=self._work, args=(self._turn, make), name="layout", daemon=True).start()

    def cancel(self) -> None:
        """What is under way stops at its next check and is not delivered."""
        self._turn += 1
        self._deliver = None

    def _work(self, turn: int, make: Callable[[Check], T]) -> None:
        def check() -> None:
            if turn != self._turn or not shiboken6.isValid(self._post):
                raise StoppedError

        try:
            made: object = make(check)
            check()
        except StoppedError:
            return
        except Exception as error:  # noqa: BLE001  the border of the thread: it is raised again in the window's
            made = error
        try:
            self._post.arrived.emit(turn, made)
        except RuntimeError:
            return  # the window was closed meanwhile

    def _on_arrival(self, turn: int, made: object) -> None:
        deliver, self._deliver = (self._deliver, None) if turn == self._turn else (None, self._deliver)
        if deliver is None:
            return
        if isinstance(made, Exception):
            raise made
        deliver(made)  # type: ignore[arg-type]
