"""Tuning: which options of a backend run one engine fastest on one machine."""

from __future__ import annotations

import msgspec

from workbench.core.run import RunError, RunRequest


class Knob(msgspec.Struct, frozen=True):
    """An option of a backend that changes its speed and not what it computes. The first value is the default.

    `key` is a key of `BuildConfig.options`, or `threads`.
    """

    key: str
    values: tuple[str, ...]
    text: str = ""

    @property
    def title(self) -> str:
        """`cpu_pinning` in words: `CPU pinning`."""
        words = " ".join(word.upper() if word == "cpu" else word for word in self.key.split("_"))
        return words[:1].upper() + words[1:]


class TuneRequest(msgspec.Struct, frozen=True, tag="tune"):
    """A finished run whose options are to be searched, in one child process. `folder` is the search's own."""

    id: str
    folder: str
    run: RunRequest
    seconds: float = 60.0  # in all


class Trial(msgspec.Struct, frozen=True):
    """Options that were tried. `speedup` is the default's time over its own, interleaved, with a 95 % interval.

    `rounds` 0: it was never timed, and `reason` says why (refused by the backend, or other outputs).
    """

    options: dict[str, str]
    speedup: float = 0.0
    low: float = 0.0
    high: float = 0.0
    rounds: int = 0
    reason: str = ""


def options_words(options: dict[str, str]) -> str:
    """`execution=parallel, threads=1`; `default` where there are none."""
    return ", ".join(f"{key}={value}" for key, value in sorted(options.items())) or "default"


class Tuning(msgspec.Struct, frozen=True):
    """What a search found. `best` are the options that beat the default in the final race; {}: nothing did.

    `verdict` is that race's; `trials` are all that was tried, the fastest first. `key` is the content this holds for:
    model, plan, shapes, backend with its version, processor.
    """

    id: str
    run: str = ""
    key: str = ""
    best: dict[str, str] = {}
    speedup: float = 1.0
    low: float = 1.0
    high: float = 1.0
    verdict: str = ""
    trials: tuple[Trial, ...] = ()
    protocol: str = ""
    machine: dict[str, str] = {}
    error: RunError | None = None
