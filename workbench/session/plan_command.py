"""The choices as a line for a terminal: the exact `workbench run` that builds what the window would build."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.places import data_home
from workbench.core.precision import Calibration, PrecisionPlan
from workbench.data import recipe_shapes

if TYPE_CHECKING:
    from workbench.session.session import Session


def command_line(session: Session) -> str:
    """`workbench run MODEL --backend B --precision P …`, quoted for a shell; empty without a model.

    A plan with rules is named by its file; where it is not saved as it is now, a copy is written to the data folder,
    so that the line works. Raises WorkbenchError where that fails.
    """
    if session.model is None:
        return ""
    choices = session.choices
    words = ["workbench", "run", session.model.path, "--backend", choices.backend, *_plan(session)]
    for name, source in (("calibration", choices.calibration), ("evaluation", choices.evaluation)):
        needed = name == "evaluation" or choices.plan.uses_calibration
        if needed and source != getattr(choices.recipe, name):
            words += [f"--{name if name == 'calibration' else 'evaluate'}", source or "none"]
    usual = recipe_shapes(session.model, choices.recipe)
    for name, shape in choices.shapes.items():
        if usual.get(name) != shape:
            words += ["--shape", f"{name}={'x'.join(map(str, shape))}"]
    words += _profiles(session)
    words += ["--target", choices.target] if choices.target else []
    words += [] if choices.optimize else ["--unfused"]
    words += ["--threads", str(threads)] if (threads := session.settings.get("threads")) else []
    words += ["--tuned"] if choices.tuned else []
    for name, value in choices.options.items():
        words += ["--option", f"{name}={value}"]
    return shlex.join(words)


def _profiles(session: Session) -> list[str]:
    """By dimension; a name given again begins the next profile. The recipe's are taken where no shape is given."""
    ranges = session.profiles.ranges
    return [
        word
        for each in ranges
        for name, span in each.items()
        for word in ("--profile", f"{name}={':'.join(map(str, span))}")
    ]


def _plan(session: Session) -> list[str]:
    plan = session.choices.plan
    if plan != PrecisionPlan(default=plan.default, calibration=plan.calibration):
        return ["--plan", str(_file(session))]
    words = ["--precision", plan.default.value]
    if plan.uses_calibration:
        usual, calibration = Calibration(), plan.calibration
        if calibration != Calibration(calibration.method, calibration.percentile, calibration.samples):
            return ["--plan", str(_file(session))]
        for name in ("method", "percentile", "samples"):
            if getattr(calibration, name) != getattr(usual, name):
                words += [f"--{name}", str(getattr(calibration, name))]
    return words


def _file(session: Session) -> Path:
    """Where the plan stands as it is now."""
    from workbench.precision import plan_text, write_plan

    plan = session.plan
    if plan.is_saved and plan.saved.path is not None and plan.saved.path.is_file():
        return plan.saved.path
    assert session.model is not None
    digest = hashlib.sha256(plan_text(plan.value, (), session.model).encode()).hexdigest()[:10]
    path = data_home() / "plans" / f"{Path(session.model.path).stem}-{digest}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_plan(path, plan.value, (), session.model)
    return path
