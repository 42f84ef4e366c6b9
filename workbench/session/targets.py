"""Targets of the next builds: which GPUs, an engine for all or each, what they refuse, and the nearest plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from workbench.core.precision import Precision
from workbench.core.targets import TargetProblem, target_problem, targets_of

if TYPE_CHECKING:
    from workbench.session.choices import Choices
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

    def refused(self, choices: Choices, problem: TargetProblem) -> None:
        """Tells of it, and offers the nearest plan: as the choice where it is the only build, else for that target."""
        from workbench.session.session import Message

        session = self._session
        nearest = msgspec.structs.replace(choices, plan=problem.plan)

        def build() -> None:
            if choices == session.choices:
                session.choose_all(nearest, f"{problem.title} for {problem.target}")
                session.build()
            else:
                session.build(nearest)

        actions = ((problem.question, build),)
        session.show(Message(problem.reason, "The nearest plan that it takes:", True, actions))
