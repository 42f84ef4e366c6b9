"""From choices and settings to what a run is asked with; and code of a task, which runs only where its user said so."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.recipe import Recipe
from workbench.core.run import RunRequest, TimingConfig
from workbench.session.choices import Choices, is_plain
from workbench.session.settings import Settings

KEPT = 50  # files of code that were allowed


def plain_request(model: Model, choices: Choices, run_id: str, folder: Path) -> RunRequest:
    """What a plan is written from, for a job that neither times nor checks."""
    return RunRequest(
        id=run_id,
        folder=str(folder),
        model_path=model.path,
        config=choices.config(),
        recipe=choices.recipe,
        calibration=choices.calibration if choices.plan.uses_calibration else "",
        evaluation=choices.evaluation,
    )


def run_request(
    model: Model, choices: Choices, settings: Settings, run_id: str, folder: Path, *, rebuild: bool = False
) -> RunRequest:
    """One run of the open model; with `rebuild` also where the same engine was built before."""
    return msgspec.structs.replace(
        plain_request(model, choices, run_id, folder),
        config=msgspec.structs.replace(choices, threads=choices.threads or settings.get("threads")).config(),
        evaluation_limit=settings.get("evaluation_limit"),
        allowed_code=allowed_code(choices.recipe, settings),
        layer_samples=0 if is_plain(choices.plan) else settings.get("layer_samples"),
        timing=TimingConfig(seconds=settings.get("timing_seconds")),
        rebuild=rebuild,
    )


def allowed_code(recipe: Recipe, settings: Settings) -> str:
    """SHA-256 of the task's code where it was allowed as it is now; else ""."""
    digest = _digest(recipe)
    return digest if digest in settings.get("allowed_code") else ""


def refused_code(recipe: Recipe, settings: Settings) -> str:
    """The path of the task's code that nobody allowed so far; "" where there is none."""
    asks = bool(_digest(recipe)) and not allowed_code(recipe, settings)
    return recipe.task.function.rpartition(":")[0] if asks and recipe.task else ""


def allow_code(recipe: Recipe, settings: Settings) -> None:
    """From now on the task's code may run, as it is now; changed, it is asked for again."""
    known = [digest for digest in settings.get("allowed_code") if digest != _digest(recipe)]
    settings.set("allowed_code", tuple([_digest(recipe), *known][:KEPT]))


def _digest(recipe: Recipe) -> str:
    from workbench.pipeline.checking import code_digest

    try:
        return code_digest(recipe.task)
    except WorkbenchError:
        return ""  # the run itself says what is wrong with it
