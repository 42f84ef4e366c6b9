"""Where the time of a job goes: phases within phases, as the job itself says where it is."""

from __future__ import annotations

import msgspec

Path = tuple[str, ...]


class Stage(msgspec.Struct, frozen=True):
    """A phase, named with those around it, outermost first. `seconds` holds what its own inner phases took as well.

    A phase that comes again counts on. `begin_s` is when it first began, from the start of the job.
    """

    path: Path
    begin_s: float
    seconds: float

    @property
    def depth(self) -> int:
        return len(self.path) - 1


class StageClock:
    """Adds up seconds by phase. `now` may be of any clock, always the same one."""

    def __init__(self, start: float) -> None:
        self.path: Path = ()
        self._start = start
        self._since = start
        self._begun: dict[Path, float] = {}
        self._spent: dict[Path, float] = {}

    def enter(self, path: Path, now: float) -> None:
        """The job is in this phase now; all others that are not around it have ended."""
        self._spend(now)
        self.path = path
        for part in _with_outer(path):
            self._begun.setdefault(part, now - self._start)
            self._spent.setdefault(part, 0.0)

    def stages(self, now: float) -> tuple[Stage, ...]:
        """All phases so far, inner ones behind the one around them, else in the order in which they began."""
        self._spend(now)
        return tuple(Stage(path, self._begun[path], self._spent[path]) for path in self._within(()))

    def _spend(self, now: float) -> None:
        for part in _with_outer(self.path):
            self._spent[part] += now - self._since
        self._since = now

    def _within(self, outer: Path) -> list[Path]:
        found: list[Path] = []
        for path in self._begun:
            if path[:-1] == outer:
                found += [path, *self._within(path)]
        return found


def _with_outer(path: Path) -> list[Path]:
    return [path[:length] for length in range(1, len(path) + 1)]
