"""One TensorRT build in a process of its own: `python -m tests.backends.tensorrt_build ASK.json`, answer on stdout.

A failed build spoils the next one in its process, so tests that compare engines, or let builds fail, come through here.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np

from tests.backends import opening
from workbench.backends.base import load_backend
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Fate, Graph
from workbench.core.model import Model, Shape
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.profile import OptimizationProfile
from workbench.core.run import BuildConfig
from workbench.model import open_model
from workbench.precision import Observations, compile_plan, observe

ROOT = Path(__file__).parents[2]


class Ask(msgspec.Struct, frozen=True):
    """Beforehand, in the same process: `verdict` names a model to judge, `first` a target to build for.

    `typed` names a file to build as it is.
    """

    model: str
    folder: str
    precision: Precision = Precision.FP32
    target: str = "sm89"
    verdict: str = ""
    first: str = ""
    typed: str = ""
    options: dict[str, str] = {}
    profiles: tuple[OptimizationProfile, ...] = ()
    shapes: dict[str, Shape] = {}


class Answer(msgspec.Struct, frozen=True):
    error: str = ""
    hint: str = ""
    graph: Graph = Graph("")
    fates: dict[str, Fate] = {}
    notes: tuple[str, ...] = ()
    memory: dict[str, int] = {}
    artefact: str = ""
    sha256: str = ""
    steps: tuple[tuple[str, int, int, str], ...] = ()


def built(ask: Ask, timeout_s: float = 1200) -> Answer:
    """What a fresh process says. Fails the test if it dies or writes anything else to standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.backends.tensorrt_build"],
        input=msgspec.json.encode(ask),
        capture_output=True,
        timeout=timeout_s,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return msgspec.json.decode(done.stdout, type=Answer)


def main() -> None:
    ask = msgspec.json.decode(sys.stdin.buffer.read(), type=Ask)
    if ask.verdict:
        load_backend("tensorrt_rtx").verdict(open_model(ask.verdict))
    if ask.first:
        _build(msgspec.structs.replace(ask, target=ask.first))
    sys.stdout.buffer.write(msgspec.json.encode(_build(ask)))


def _build(ask: Ask) -> Answer:
    backend = load_backend("tensorrt_rtx")
    model, folder = open_model(ask.model), Path(ask.folder)
    config = BuildConfig("tensorrt_rtx", target=ask.target, options=ask.options, profiles=ask.profiles)
    steps: list[tuple[str, int, int, str]] = []
    try:
        plan = PrecisionPlan(ask.precision)
        shapes = {**model.shapes, **ask.shapes}
        typed = compile_plan(model, plan, backend.dialect(), shapes, folder, _observed(model, plan))
        typed = msgspec.structs.replace(typed, path=ask.typed or typed.path)
        engine = backend.build(typed, config, folder, lambda *step: steps.append(step))
    except WorkbenchError as error:
        return Answer(error.message, error.hint, steps=tuple(steps))
    assert engine.artefact is not None
    return Answer(
        graph=engine.graph,
        fates=dict(engine.fates),
        notes=engine.notes,
        memory=dict(engine.memory),
        artefact=engine.artefact.name,
        sha256=hashlib.sha256(engine.artefact.read_bytes()).hexdigest(),
        steps=tuple(steps),
    )


def _observed(model: Model, plan: PrecisionPlan) -> Observations | None:
    if not plan.needs_calibration:
        return None
    feeds: list[Mapping[str, np.ndarray]] = [opening.feed_of(model, seed) for seed in range(2)]
    return observe(model, model.shapes, feeds, total=2, progress=_ignore, cancelled=lambda: False)


def _ignore(done: int, total: int) -> None:
    """Nobody waits."""


if __name__ == "__main__":
    main()
