"""What the user has chosen for the next build: one frozen value, replaced as a whole by every edit."""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.core.model import Model, Shape
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan
from workbench.core.profile import OptimizationProfile
from workbench.core.recipe import Recipe
from workbench.core.run import BuildConfig, Run
from workbench.data import recipe_shapes

RANDOM = "random"
"""The sample set that is not one: uniform noise. It is said loudly wherever it stands."""


class Choices(msgspec.Struct, frozen=True):
    """Everything a build needs besides the model. `calibration` and `evaluation` are paths, `random`, or empty."""

    backend: str = "openvino"
    target: str = ""
    apart: bool = True  # several targets: an engine each
    plan: PrecisionPlan = PrecisionPlan()
    calibration: str = ""
    evaluation: str = ""
    shapes: dict[str, Shape] = {}
    threads: int = 0
    streams: int = 1
    optimize: bool = True
    options: dict[str, str] = {}
    tuned: bool = False
    recipe: Recipe = Recipe()

    @classmethod
    def of(cls, model: Model, recipe: Recipe, backend: str = "openvino", plan: PrecisionPlan | None = None) -> Choices:
        """What is chosen when a model has just been opened: guessed shapes, the recipe's own sample sets."""
        return cls(
            backend=backend,
            plan=plan or PrecisionPlan(),
            calibration=recipe.calibration,
            evaluation=recipe.evaluation,
            shapes=recipe_shapes(model, recipe),
            recipe=recipe,
        )

    @property
    def profiles(self) -> tuple[OptimizationProfile, ...]:
        """Shapes to build for, as the recipe remembers them; none: for `shapes` alone."""
        return self.recipe.profiles

    def with_profiles(self, profiles: tuple[OptimizationProfile, ...]) -> Choices:
        """Built for these, and run at the usual shapes of the first."""
        usual = profiles[0].opt if profiles else {}
        return msgspec.structs.replace(
            self,
            recipe=msgspec.structs.replace(self.recipe, profiles=profiles),
            shapes={name: usual.get(name, shape) for name, shape in self.shapes.items()},
        )

    def like(self, run: Run) -> Choices:
        """What a run was made with, its profiles too but nothing else of the recipe; of one that was imported, which
        tells no more, its precision."""
        config = run.config
        if run.imported:
            return msgspec.structs.replace(self, plan=config.plan)
        return msgspec.structs.replace(
            self.with_profiles(config.profiles),
            backend=config.backend,
            target=config.target,
            apart="," not in config.target,
            plan=config.plan,
            optimize=config.optimize,
            options=config.options,
            tuned=config.tuned,
            shapes={**self.shapes, **{name: shape for name, shape in config.shapes.items() if name in self.shapes}},
            calibration=run.calibration or self.calibration,
            evaluation=run.evaluation or self.evaluation,
        )

    def config(self) -> BuildConfig:
        """The part that a backend is asked with."""
        return BuildConfig(
            backend=self.backend,
            plan=self.plan,
            shapes=self.shapes,
            profiles=self.profiles,
            target=self.target,
            threads=self.threads,
            streams=self.streams,
            optimize=self.optimize,
            options=self.options,
            tuned=self.tuned,
        )

    def with_plan(self, **fields: object) -> Choices:
        return msgspec.structs.replace(self, plan=msgspec.structs.replace(self.plan, **fields))

    def with_calibration(self, **fields: object) -> Choices:
        """Another way to find ranges, with the rest of the plan as it is."""
        calibration: Calibration = msgspec.structs.replace(self.plan.calibration, **fields)
        return self.with_plan(calibration=calibration)


def is_plain(plan: PrecisionPlan) -> bool:
    """Whether the plan leaves every node in FP32: then no layer has an error of its own."""
    return {plan.default, *(rule.precision for rule in plan.rules)} <= {Precision.FP32, Precision.TF32}


def plan_words(plan: PrecisionPlan) -> str:
    """The plan in a word or two: `INT8 · MSE + 2 rules`."""
    words = plan.default.label
    if plan.needs_calibration:
        words += f" · {method_words(plan.calibration.method)}"
    if plan.quantizer:
        words += f" by {plan.writer}"
    if plan.rules:
        words += f" + {len(plan.rules)} rule{'s' if len(plan.rules) > 1 else ''}"
    return words


def method_words(method: CalibrationMethod) -> str:
    """`MSE`, `max`, `percentile`."""
    return "MSE" if method is CalibrationMethod.MSE else method.value


def samples_words(source: str) -> str:
    """A sample set's name as a user calls it: its file or folder."""
    if not source:
        return "none"
    return "random noise" if source == RANDOM else Path(source).name
