"""Options of a backend: what a user may set beside precision and shapes, and what setting one did in numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from workbench.core.run import Run

MIB = 2**20


class Option(msgspec.Struct, frozen=True):
    """`key` is a key of `BuildConfig.options`. `values` may be chosen, the first being the default; a number has none
    but the default, and `most`. `text` says what it does.
    """

    key: str
    title: str
    text: str
    values: tuple[str, ...] = ()
    most: int = 0
    unit: str = ""

    @property
    def is_number(self) -> bool:
        return self.most > 0

    @property
    def default(self) -> str:
        return self.values[0] if self.values else ""


class Effect(msgspec.Struct, frozen=True):
    """Two runs that differ in one option alone. `words` are what was other: `activations 23.2 → 15.4 MiB`."""

    value: str
    default: str
    words: tuple[str, ...]

    def sentence(self, option: Option) -> str:
        on, off = (value or option.default or "default" for value in (self.value, self.default))
        return f"{on} instead of {off}: {', '.join(self.words) or 'no difference seen'}"


def effect(option: Option, runs: Iterable[Run], like: Run | None = None) -> Effect | None:
    """What the option did where two finished runs differ in nothing else; the newest pair. `runs` are newest first.

    `like` narrows it to runs of its configuration, the option aside.
    """
    seen: dict[bytes, Run] = {}
    wanted = _without(like, option.key) if like is not None else None
    for run in runs:
        if run.build is None or run.imported:
            continue
        key = _without(run, option.key)
        if wanted is not None and key != wanted:
            continue
        other = seen.setdefault(key, run)
        mine, theirs = run.config.options.get(option.key, ""), other.config.options.get(option.key, "")
        if (mine or option.default) != (theirs or option.default):
            off, on = (run, other) if (mine or option.default) == option.default else (other, run)
            return Effect(_value(on, option), _value(off, option), tuple(_changes(off, on)))
    return None


def _value(run: Run, option: Option) -> str:
    return run.config.options.get(option.key, option.default)


def _without(run: Run, key: str) -> bytes:
    """The run's model and configuration, but for one option."""
    rest = {name: value for name, value in run.config.options.items() if name != key}
    return msgspec.json.encode([run.model_sha256, msgspec.structs.replace(run.config, options=rest)])


def _changes(off: Run, on: Run) -> Iterator[str]:
    assert off.build is not None
    assert on.build is not None
    memory = sorted(off.build.memory.keys() | on.build.memory.keys())
    sizes = [(name, off.build.memory.get(name, 0), on.build.memory.get(name, 0)) for name in memory]
    for name, before, after in [("engine", off.build.size_bytes, on.build.size_bytes), *sizes]:
        if before != after:
            yield f"{name} {_size(before)} → {_size(after)}"
    if off.build.layers != on.build.layers:
        yield f"layers {off.build.layers} → {on.build.layers}"
    times = [run.timing.stats.median_ms if run.timing and run.timing.stats else None for run in (off, on)]
    if times[0] is not None and times[1] is not None:
        yield f"median {times[0]:.3f} → {times[1]:.3f} ms"


def _size(size: int) -> str:
    """Small differences stay visible: `912,345 B` below a MiB, else `12.34 MiB`."""
    return f"{size / MIB:.2f} MiB" if size >= MIB else f"{size:,} B"
