"""What is known to fail before anything is read, calibrated or built, each with the nearest that works."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.backends.base import Backend
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.core.precision import Precision, nearest
from workbench.core.profile import OptimizationProfile
from workbench.core.run import BuildConfig
from workbench.core.targets import TargetProblem, target_problem
from workbench.model.held_batch import batch_places, held_targets
from workbench.model.profiles import check_profiles, profiles_problem
from workbench.precision import explain_plan


def check_can_build(backend: Backend, config: BuildConfig) -> None:
    """Raises WorkbenchError with the backend's own reason where it, or a precision of the plan, is not to be had.

    The hint names the nearest plan that works. The model is not asked for.
    """
    can, title = backend.capabilities(), backend.title
    if not can.available:
        raise WorkbenchError(can.reason or f"{title} is not available here.", can.hint)
    if config.target and not can.targets:
        raise WorkbenchError(f"{title} builds for this machine only, not for {config.target}.", "Leave the target out.")
    _refuse(target_problem(can.limits, backend.targets(config.target), config.plan))
    usable = [precision for precision in Precision if not can.precisions.get(precision, "")]
    for precision in sorted(config.plan.precisions):
        if reason := can.precisions.get(precision, ""):
            instead = nearest(precision, usable).label
            labels = ", ".join(p.label for p in usable)
            raise WorkbenchError(reason, f"The nearest that works is {instead}; {title} takes here: {labels}.")


def check_fits(backend: Backend, config: BuildConfig, model: Model, shapes: Mapping[str, Shape]) -> None:
    """Raises WorkbenchError where profiles or targets do not fit the model. Reads its file where there are profiles."""
    limits, targets = backend.capabilities().limits, backend.targets(config.target)
    _refuse(target_problem(limits, targets, config.plan, model.graph, lambda plan: explain_plan(model, plan).asked))
    check_profiles(model, config.profiles, shapes)
    if not config.profiles:
        return
    _refuse_held_batch(model, config.profiles)
    if problem := profiles_problem(model, config.profiles):
        raise WorkbenchError(problem, "Narrow the profile.")


def _refuse(problem: TargetProblem | None) -> None:
    if problem is not None:
        raise WorkbenchError(problem.reason, f"{problem.question}?")


def _refuse_held_batch(model: Model, profiles: tuple[OptimizationProfile, ...]) -> None:
    """Where the batch is to be another than the one that a Reshape holds."""
    places = batch_places(model)
    sizes = {side[name][axis] for profile in profiles for side in profile.sides for name, axis in places}
    held = held_targets(model, places) if len(sizes) > 1 else ()
    if held:
        more = f" So do {len(held) - 1} more." if len(held) > 1 else ""
        raise WorkbenchError(
            f"{held[0].sentence}{more}", "`workbench profiles MODEL --free-batch FILE.onnx` writes a copy that does."
        )
