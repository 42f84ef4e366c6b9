"""Where the plan was saved to or loaded from last, and the recent plan files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.precision import PrecisionPlan

if TYPE_CHECKING:
    from workbench.precision.plan_parse import PlanFile
    from workbench.session.session import Session

RECENT = "recent_plans"
RECENT_MOST = 8


class SavedPlan:
    """`path` and the `plan` it holds; both None as long as there is no file. Another model has none."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.path: Path | None = None
        self.plan: PrecisionPlan | None = None
        session.model_changed.connect(self._forget)

    def write(self, path: Path, plan: PrecisionPlan, counts: Sequence[int], model: Model | None) -> None:
        """Raises WorkbenchError."""
        from workbench.precision import write_plan

        write_plan(path, plan, counts, model)
        self._remember(path, plan)

    def read(self, path: Path) -> PlanFile:
        """Raises WorkbenchError; a recent file that cannot be read is recent no more."""
        from workbench.precision.plan_file import read_plan_file

        try:
            found = read_plan_file(path)
        except WorkbenchError:
            settings = self._session.settings
            settings.set(RECENT, tuple(known for known in settings.get(RECENT) if known != str(path)))
            raise
        self._remember(path, found.plan)
        return found

    @property
    def recent(self) -> tuple[str, ...]:
        """Paths, the last one first."""
        found: tuple[str, ...] = self._session.settings.get(RECENT)
        return found

    def _remember(self, path: Path, plan: PrecisionPlan) -> None:
        path = path.absolute()
        self.path, self.plan = path, plan
        others = [known for known in self.recent if known != str(path)]
        self._session.settings.set(RECENT, tuple([str(path), *others][:RECENT_MOST]))

    def _forget(self, _model: object) -> None:
        self.path = self.plan = None
