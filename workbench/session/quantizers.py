"""Who writes the plan into the ONNX: the workbench, or a quantizer of others; and the plan that theirs amounts to."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from workbench.core.errors import WorkbenchError
from workbench.pipeline.files import PLAN_FILE

if TYPE_CHECKING:
    from workbench.precision.quantizers import Quantizer
    from workbench.session.session import Session


class Quantizers:
    """`known` by id; what is not installed has its reason."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def known(self) -> dict[str, Quantizer]:
        from workbench.precision.quantizers import quantizers

        return {one.id: one for one in quantizers()}

    @property
    def current(self) -> Quantizer | None:
        """None: the workbench's own passes, or a quantizer that nobody knows."""
        chosen = self._session.choices.plan.quantizer
        return self.known.get(chosen) if chosen else None

    def choose(self, quantizer: Quantizer | None) -> None:
        """As one undoable edit of the plan, whose default becomes what the tool writes."""
        plan = self._session.choices.plan
        if quantizer is None:
            self._session.plan.set_plan(msgspec.structs.replace(plan, quantizer=""), "written by the workbench")
            return
        changed = msgspec.structs.replace(plan, quantizer=quantizer.id, default=quantizer.precision)
        self._session.plan.set_plan(changed, f"written by {quantizer.title}")

    @property
    def left_a_plan(self) -> bool:
        """Whether the current run was written by another tool: what that amounts to lies in its folder."""
        run = self._session.current
        return run is not None and bool(run.config.plan.quantizer) and run.build is not None

    def take_plan(self) -> None:
        """Makes the current run's the document's plan, to be edited, and written by the workbench."""
        session, run = self._session, self._session.current
        if run is None or not self.left_a_plan:
            return
        from workbench.precision import read_plan

        try:
            found = read_plan(session.runs.store.folder(run.id) / PLAN_FILE)
        except WorkbenchError as error:
            session.show_error(error)
            return
        title = self.known[run.config.plan.quantizer].title if run.config.plan.quantizer in self.known else "its tool"
        session.plan.set_plan(found, f"as {title} placed it")
