"""find_culprits: the layers that cost the accuracy of a plan, ranked, and the measured set of them to exempt.

Two questions are asked of sets of layers, both by a plan that is compiled and run in the exact simulator: how much
noise do they make alone (all others in FP32), which ranks them by group testing; and how well does the plan do without
them, which is all that a proposal rests on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.backends.base import load_backend
from workbench.core.dialect import How
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.events import Ranked
from workbench.core.json import write_json
from workbench.core.precision import PrecisionPlan
from workbench.core.run import RunError
from workbench.core.sensitivity import (
    Culprits,
    CulpritsRequest,
    Evaluation,
    Exemption,
    Sensitivity,
    suggested_evaluations,
)
from workbench.pipeline.border import carried_out
from workbench.pipeline.culprits.exempting import Exempting
from workbench.pipeline.culprits.group_testing import Estimate, GroupTest
from workbench.pipeline.culprits.suspects import Suspect, exempting, introduced, only_low, suspects
from workbench.pipeline.evaluating import PlanEvaluator
from workbench.pipeline.files import CULPRITS_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.telling import JobTeller

EXACT = 1e-15
"""Noise that is none: the model in FP32 has more against itself where its nodes are in another order."""
REFINED = 0.5
"""Of the budget, for the ranking, before sets are exempted by it."""
ALONE_MOST = 8
"""Layers that are exempted one by one, to say what each of them gives."""
TELL_SECONDS = 0.25
RANDOM_NOTE = "The samples are random: what is lost on real ones may come from other layers."
ENDED = RunError("Ended before it was done.", "What was found is kept; the same search goes on from there.")


def find_culprits(request: CulpritsRequest, emit: Emit, cancelled: Callable[[], bool]) -> Culprits:
    """Ranks what the plan of `request.run` has in a low precision by what it costs, and finds what to exempt.

    Tells `Ranked` while it goes on; whatever was found stands in the job's folder at any time, and in the journal of
    evaluated plans, from which the same request goes on. Never raises for what the user can cause.
    """
    teller = JobTeller(request.id, emit, cancelled)
    return carried_out(
        request,
        CULPRITS_FILE,
        emit,
        lambda folder: _find(request, folder, teller, emit),
        lambda error: Culprits(request.id, request.run.id, error=error),
    )


def _find(request: CulpritsRequest, folder: Path, teller: JobTeller, emit: Emit) -> Culprits:
    plan = request.run.config.plan
    if plan.quantizer:
        raise WorkbenchError(
            f"{plan.writer} writes this plan, and only the workbench can be asked for parts of one.",
            "Let the workbench write it, or take what the tool placed as a plan of your own.",
        )
    run = msgspec.structs.replace(request.run, evaluation_limit=request.samples)
    with PlanEvaluator(teller, run, folder) as evaluator:
        search = _Search(request, folder, evaluator, teller, emit)
        try:
            search.go()
        except _SpentError:
            pass
        except Cancelled:
            return msgspec.structs.replace(search.found(), error=RunError("Cancelled."))
        return search.found()


class _SpentError(Exception):
    """The budget is used up."""


class _Search:
    """One search. `found` says what is known at any time."""

    def __init__(
        self, request: CulpritsRequest, folder: Path, evaluator: PlanEvaluator, teller: JobTeller, emit: Emit
    ) -> None:
        self._request, self._folder, self._evaluator = request, folder, evaluator
        self._teller, self._emit = teller, emit
        self._plan = request.run.config.plan
        self._suspects = suspects(evaluator.subject.model, self._plan, request.granularity)
        if not self._suspects:
            raise WorkbenchError("The plan has no layer in a low precision.", "Choose INT8, FP16 or another first.")
        self._budget = request.evaluations or suggested_evaluations(len(self._suspects))
        self._start, self._told = perf_counter(), 0.0
        self._measured: dict[PrecisionPlan, Evaluation] = {}
        self._introduced: dict[str, float] = {}
        self._test: GroupTest | None = None
        self._sets: Exempting | None = None
        self._notes = _notes(evaluator, self._plan, request)

    def go(self) -> None:
        """Raises _SpentError where the budget ends it, Cancelled, and WorkbenchError where the plan cannot be run."""
        whole = self._measure(self._plan)
        if whole.reason:
            raise WorkbenchError(whole.reason, "Choose another plan.")
        if whole.noise < EXACT:
            return
        self._introduced = self._look()
        self._test = GroupTest(self._suspicions(), whole, self._only)
        self._sets = Exempting(whole, self._without)
        while len(self._measured) < REFINED * self._budget and self._test.step():
            pass
        self._exempt(self._sets)
        while self._test.step():
            pass
        self._exempt(self._sets)

    def _exempt(self, sets: Exempting) -> None:
        """Sets by the ranking, then by what exempting one alone gains; the best of all made smaller, and completed."""
        ranking = self._ranking()
        sets.climb(ranking)
        for member in ranking[:ALONE_MOST]:
            sets.tries(frozenset([member]))
        sets.climb(sets.gains())
        sets.shrink()
        sets.grow([*sets.gains(), *ranking][:ALONE_MOST])
        sets.shrink()

    def _ranking(self) -> list[int]:
        assert self._test is not None
        noises = [estimate.noise for estimate in self._test.estimates()]
        return sorted(range(len(noises)), key=lambda i: -noises[i])

    # measuring

    def _only(self, members: frozenset[int]) -> Evaluation:
        return self._measure(only_low(self._plan, self._suspects, self._chosen(members)))

    def _without(self, members: frozenset[int]) -> Evaluation:
        return self._measure(exempting(self._plan, self._chosen(members)))

    def _chosen(self, members: frozenset[int]) -> list[Suspect]:
        return [self._suspects[member] for member in sorted(members)]

    def _measure(self, plan: PrecisionPlan) -> Evaluation:
        if plan in self._measured:
            return self._measured[plan]
        if len(self._measured) >= self._budget or self._is_late():
            raise _SpentError
        self._measured[plan] = self._evaluator.evaluate(plan)
        self._tell()
        return self._measured[plan]

    def _is_late(self) -> bool:
        limit = self._request.seconds
        return bool(limit) and perf_counter() - self._start > limit

    def _look(self) -> dict[str, float]:
        """Introduced errors; without them (ONNX Runtime refuses a part) all layers are suspected alike."""
        try:
            typed = self._evaluator.compile(self._plan)
            return introduced(self._teller, self._evaluator.subject, typed, self._folder)
        except (WorkbenchError, OSError) as error:
            self._notes.append(f"Layers could not be looked at one by one first: {error}")
            return {}

    def _suspicions(self) -> list[float]:
        """Noise that each introduces: a broken one as much as a whole signal, a hundred times over."""
        return [min(100.0, sum(_noise(db) for db in self._introduced_of(one))) for one in self._suspects]

    def _introduced_of(self, suspect: Suspect) -> list[float]:
        return [self._introduced[node] for node in suspect.nodes if node in self._introduced]

    # telling

    def _tell(self) -> None:
        done, seconds = len(self._measured), perf_counter() - self._start
        if seconds - self._told < TELL_SECONDS and done > 1:
            return
        self._told = seconds
        found = self.found()
        write_json(self._folder / CULPRITS_FILE, msgspec.structs.replace(found, error=ENDED))
        self._emit(Ranked(self._request.id, found))
        left = seconds / done * (self._budget - done)
        text = f"{done} of at most {self._budget} plans measured, about {left:.0f} s left"
        self._teller.progress("culprits", done, self._budget, text)

    def found(self) -> Culprits:
        """What is known so far."""
        exemptions, best = self._exemptions()
        samples = self._evaluator.subject.samples
        return Culprits(
            id=self._request.id,
            run=self._request.run.id,
            source=samples.name,
            samples=samples.size,
            plan=self._measured.get(self._plan),
            layers=self._sensitivities(),
            exemptions=exemptions,
            best=best,
            evaluations=len(self._measured),
            budget=self._budget,
            seconds=perf_counter() - self._start,
            settled=self._test.settled if self._test else 0.0,
            notes=tuple(self._notes),
        )

    def _exemptions(self) -> tuple[tuple[Exemption, ...], int]:
        """Measured sets, small ones first, and the place of the best."""
        if self._sets is None:
            return (), -1
        tried = sorted((set_ for set_ in self._sets.tried if set_), key=lambda set_: (len(set_), sorted(set_)))
        best = tried.index(self._sets.best) if self._sets.best else -1
        return tuple(self._exemption(members, self._sets.tried[members]) for members in tried), best

    def _exemption(self, members: frozenset[int], evaluation: Evaluation) -> Exemption:
        nodes = tuple(node for one in self._chosen(members) for node in one.nodes)
        return Exemption(nodes, len(members), evaluation)

    def _sensitivities(self) -> tuple[Sensitivity, ...]:
        """Those of the proposal first, then by noise."""
        if self._test is None:
            return ()
        estimates, best = self._test.estimates(), self._sets.best if self._sets else frozenset()
        total = sum(one.noise for one in estimates) or 1.0
        order = sorted(range(len(estimates)), key=lambda i: (i not in best, -estimates[i].noise))
        return tuple(self._sensitivity(i, estimates[i], total) for i in order)

    def _sensitivity(self, member: int, estimate: Estimate, total: float) -> Sensitivity:
        suspect, alone = self._suspects[member], estimate.evaluation
        exempted = self._sets.tried.get(frozenset([member])) if self._sets else None
        return Sensitivity(
            nodes=suspect.nodes,
            title=suspect.title,
            op=suspect.op,
            precision=suspect.precision,
            noise=estimate.noise,
            low=_noise(alone.high_db) if alone else 0.0,
            high=_noise(alone.low_db) if alone else estimate.most,
            share=estimate.noise / total,
            alone_db=alone.sqnr_db if alone else None,
            exempt_db=exempted.sqnr_db if exempted else None,
            introduced_db=min(self._introduced_of(suspect), default=None),
            evaluations=estimate.depth,
        )


def _noise(decibels: float) -> float:
    return float(10.0 ** (-decibels / 10.0))


def _notes(evaluator: PlanEvaluator, plan: PrecisionPlan, request: CulpritsRequest) -> list[str]:
    """What the user should know of all figures."""
    samples, backend = evaluator.subject.samples, load_backend(request.run.config.backend)
    hinted = sorted(p.label for p in plan.precisions if backend.dialect().how.get(p) is How.HINT)
    told = (
        ["The samples are random: what is lost on real ones may come from other layers."] if samples.is_random else []
    )
    if hinted:
        told.append(
            f"{backend.title} has {' and '.join(hinted)} only for the whole model: what is exempted takes effect on"
            " backends that take it written into the graph."
        )
    return told
