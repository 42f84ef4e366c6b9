"""Does a race tell the truth? Two builds of one engine must be called equal, one that is 5 % slower must be called so.

python -m benchmarks.bench_races [TRIES [SECONDS]]    20 tries of each kind, 10 seconds a race at most, without

The engine is a sample model on OpenVINO. The slow one waits after each inference for 5 % of the time it took.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from workbench.backends.base import Feed, load_backend
from workbench.core.run import BuildConfig, Race, RaceRequest, RunRequest, Status, TimingConfig
from workbench.pipeline import lanes, race, run
from workbench.resources import sample_models

MODEL = "fashion/fashion_resnet.onnx"
SLOWER = 0.05
UNTIMED = TimingConfig(warmup_ms=0, warmup_iterations=0, live_seconds=0, seconds=0, min_iterations=1)


class Slowed:
    """A runner that takes 5 % longer, or an engine or a backend that leads to one; the rest is the real one's."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def build(self, *arguments: Any) -> Slowed:
        return Slowed(self._real.build(*arguments))

    def runner(self) -> Slowed:
        return Slowed(self._real.runner())

    def __enter__(self) -> Slowed:
        return Slowed(self._real.__enter__())

    def __exit__(self, *error: Any) -> None:
        self._real.__exit__(*error)

    def time(self, feed: Feed) -> float:
        latency: float = self._real.time(feed)
        until = perf_counter() + latency * SLOWER / 1000
        while perf_counter() < until:
            pass
        return latency * (1 + SLOWER)


def built(folder: Path) -> RunRequest:
    request = RunRequest(
        id=folder.name,
        folder=str(folder),
        model_path=str(sample_models() / MODEL),
        config=BuildConfig(),
        evaluation="random",
        evaluation_limit=2,
        timing=UNTIMED,
    )
    result = run(request, lambda event: None, lambda: False)
    assert result.status is Status.DONE, result.error
    return request


def raced(runs: tuple[RunRequest, RunRequest], folder: Path, seconds: float, is_slower: bool) -> Race:
    """A race of two builds of one engine, the second slowed down where asked."""
    backends: list[Any] = [load_backend("openvino"), load_backend("openvino")]
    if is_slower:
        backends[1] = Slowed(backends[1])
    turns = iter(backends)
    lanes.load_backend = lambda name: next(turns)  # the one place where a race finds its engines
    try:
        return race(RaceRequest(folder.name, str(folder), runs, seconds), lambda event: None, lambda: False)
    finally:
        lanes.load_backend = load_backend


def count(race_once: Callable[[Path], Race], root: Path, tries: int, word: str) -> int:
    right = 0
    for number in range(tries):
        result = race_once(root / f"{word}-{number}")
        verdict = result.entries[1].verdict if not result.error else result.error.message
        right += verdict.startswith(word)
        print(f"  {verdict:<44} {result.rounds:4d} rounds", flush=True)
    return right


def main(tries: int = 20, seconds: float = 10.0) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        runs = built(root / "a-run-0001"), built(root / "a-run-0002")
        print("two builds of one engine")
        equal = count(partial(raced, runs, seconds=seconds, is_slower=False), root, tries, "no difference")
        print(f"the second made {SLOWER:.0%} slower")
        slower = count(partial(raced, runs, seconds=seconds, is_slower=True), root, tries, "slower")
    print(f"called equal: {equal} of {tries}; called slower: {slower} of {tries}")


if __name__ == "__main__":
    main(*(convert(word) for convert, word in zip((int, float), sys.argv[1:], strict=False)))
