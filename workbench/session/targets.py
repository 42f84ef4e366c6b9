"""Targets of the next builds: which GPUs, an engine for all or each, what they refuse, and the nearest plan."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from workbench.core.gpus import DEFAULT_TARGET
from workbench.core.precision import Precision
from workbench.core.targets import TargetProblem, target_problem, targets_of

if TYPE_CHECKING:
    from workbench.session.choices import Choices
    from workbench.session.questions import BackendInfo
    from workbench.session.session import Session


class Targets:
    """`session.choices.target` names them; `choices.apart` asks for an engine each."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def chosen(self) -> tuple[str, ...]:
        return targets_of(self._session.choices.target)

    @property
    def problem(self) -> TargetProblem | None:
        """The first thing of the plan that a chosen target refuses."""
        return next(filter(None, (self.problem_of(one) for one in self.builds(self._session.choices))), None)

    def kept(self, info: BackendInfo) -> str:
        """What is chosen, where the backend knows all of it; else the GPU of this machine, else the usual one."""
        if self.chosen and all(target in info.targets for target in self.chosen):
            return self._session.choices.target
        here = next((target for target in info.targets if f"({target})" in info.device), "")
        return here or (DEFAULT_TARGET if DEFAULT_TARGET in info.targets else next(iter(info.targets), ""))

    def builds(self, choices: Choices) -> tuple[Choices, ...]:
        """What a press of Build asks for: a build a target where they are apart."""
        targets = targets_of(choices.target)
        if not choices.apart or len(targets) < 2:
            return (choices,)
        return tuple(msgspec.structs.replace(choices, target=target) for target in targets)

    def problem_of(self, choices: Choices) -> TargetProblem | None:
        """Why these cannot be built for their target, and the nearest plan that can."""
        session = self._session
        info = session.backends.get(choices.backend)
        if info is None or not info.limits or session.model is None:
            return None
        return target_problem(
            info.limits, targets_of(choices.target), choices.plan, session.model.graph, session.plan.asks
        )

    def reason(self, precision: Precision) -> str:
        """Why it cannot be built for the chosen targets; empty where it can."""
        info = self._session.backends.get(self._session.choices.backend)
        limits = [info.limits[target].precisions for target in self.chosen if target in info.limits] if info else []
        return next((each[precision].reason for each in limits if precision in each), "")

    def toggle(self, target: str) -> None:
        """Adds a target to those chosen, or takes it out; one is left."""
        known = [name for info in self._session.backends.values() for name in info.targets]
        wanted = set(self.chosen) ^ {target}
        names = [name for name in known if name in wanted]
        if names:
            self._session.choose(f"Targets {', '.join(names)}", target=",".join(names))

    def set_apart(self, apart: bool) -> None:
        self._session.choose("An engine for each target" if apart else "One engine for all targets", apart=apart)

    def refused(self, refused: Sequence[tuple[Choices, TargetProblem]]) -> None:
        """Tells of them, and offers the nearest plan of each."""
        from workbench.session.session import Message

        first, others = refused[0][1], [problem.target for _, problem in refused[1:]]
        more = f" Nor what was asked for {' and '.join(others)}." if others else ""
        actions = tuple((problem.question, partial(self._build, choices, problem)) for choices, problem in refused)
        self._session.show(Message(f"{first.reason}{more}", "The nearest plan that works:", True, actions))

    def _build(self, choices: Choices, problem: TargetProblem) -> None:
        """The nearest plan becomes the choice where this was the only build asked for; else it is built beside it."""
        session, nearest = self._session, msgspec.structs.replace(choices, plan=problem.plan)
        if choices == session.choices:
            session.choose_all(nearest, f"{problem.title} for {problem.target}")
            session.build()
        else:
            session.build(nearest)
