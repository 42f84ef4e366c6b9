"""The journal of evaluated plans: a line a plan on disk, so that nothing is measured twice and nothing is lost."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from workbench import __version__
from workbench.backends.base import Feed
from workbench.core.json import encode
from workbench.core.model import Model
from workbench.core.places import data_home
from workbench.core.precision import PrecisionPlan
from workbench.core.run import RunRequest
from workbench.core.sensitivity import Evaluation
from workbench.measure.machine import package_versions
from workbench.pipeline.reference_outputs import shrink
from workbench.pipeline.samples import feed_digest, feeds_digest
from workbench.precision import asked_precisions

if TYPE_CHECKING:
    from workbench.pipeline.evaluating import Subject

_VERSION = "2"  # of what plans are written as: a new number makes old journals unused
LIMIT_BYTES = 64 * 2**20


class _Line(msgspec.Struct, frozen=True):
    plan: str
    evaluation: Evaluation


class Journal:
    """Evaluations of plans of one model, by what the plans ask of its nodes.

    A line that was cut off by a kill is left out; a disk that refuses costs the next time, not this one.
    """

    def __init__(self, key: str, model: Model) -> None:
        self._model = model
        self._path = data_home() / "evaluations" / f"{key}.jsonl"
        self._known: dict[str, Evaluation] = {}
        with contextlib.suppress(OSError):
            for line in self._path.read_bytes().splitlines():
                with contextlib.suppress(msgspec.DecodeError):
                    known = msgspec.json.decode(line, type=_Line)
                    self._known[known.plan] = known.evaluation

    def get(self, plan: PrecisionPlan) -> Evaluation | None:
        return self._known.get(plan_digest(self._model, plan))

    def put(self, plan: PrecisionPlan, evaluation: Evaluation) -> None:
        digest = plan_digest(self._model, plan)
        self._known[digest] = evaluation
        with contextlib.suppress(OSError):
            if not self._path.exists():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                shrink(self._path.parent, LIMIT_BYTES)
            with self._path.open("ab") as file:
                file.write(b"\n" + encode(_Line(digest, evaluation)))


def plan_digest(model: Model, plan: PrecisionPlan) -> str:
    """Equal for plans that ask the same of every node of the model, whatever their rules."""
    asked = [precision.value for precision in asked_precisions(model, plan).values()]
    return hashlib.sha256(encode((asked, msgspec.structs.replace(plan, rules=())))).hexdigest()[:32]


def journal_key(on: Subject, request: RunRequest, feeds: Iterable[Feed], calibration: str) -> str:
    """Equal where a plan means the same figures: model, shapes, samples with their labels and task, calibration, form
    of the backend, versions. `calibration` is the key of what was observed."""
    parts = (
        _VERSION,
        __version__,
        package_versions().get("onnxruntime", ""),
        on.model.sha256,
        on.shapes,
        feed_digest(on.fixed).hex(),
        on.samples.labels,
        request.recipe.task,
        request.allowed_code,
        on.dialect,
        request.config.profiles,
        calibration,
    )
    return feeds_digest([encode(parts).decode()], feeds)[:32]
