"""Questions for a short-lived child process, and their answers. See `asking.py`."""

from __future__ import annotations

import msgspec

from workbench.core.dialect import Dialect
from workbench.core.model import Model, Shape
from workbench.core.options import Option
from workbench.core.precision import Precision
from workbench.core.profile import HeldTarget, OptimizationProfile
from workbench.core.recipe import Recipe
from workbench.core.targets import TargetLimits


class Answer(msgspec.Struct, frozen=True):
    """The value as JSON, or why there is none."""

    value: msgspec.Raw = msgspec.Raw(b"null")
    message: str = ""
    hint: str = ""


class OpenQuestion(msgspec.Struct, frozen=True):
    path: str


class Opened(msgspec.Struct, frozen=True):
    """A model that passed the gate, and what is known of how to feed it."""

    model: Model
    recipe: Recipe


class SamplesQuestion(msgspec.Struct, frozen=True):
    """`model` may come without its graph: a sample set is checked against inputs only."""

    source: str
    model: Model
    recipe: Recipe
    shapes: dict[str, Shape]


class SamplesInfo(msgspec.Struct, frozen=True):
    """A sample set in a few words. `first` describes the tensors of its first sample."""

    name: str
    size: int
    classes: int = 0
    labels: tuple[str, ...] = ()
    is_random: bool = False
    first: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class CostsQuestion(msgspec.Struct, frozen=True):
    """`model` may come without its graph: the file is read again. The answer is a `Cost` by node id."""

    model: Model
    shapes: dict[str, Shape]


class VerdictQuestion(msgspec.Struct, frozen=True):
    """Whether `backend` takes the model at `path` in these shapes, cleaned up before where the plan says so."""

    backend: str
    path: str
    recipe: Recipe
    shapes: dict[str, Shape]
    clean: bool = False


class ProfilesQuestion(msgspec.Struct, frozen=True):
    """`model` may come without its graph: the file is read again. `shapes` are the usual ones."""

    model: Model
    shapes: dict[str, Shape]
    profiles: tuple[OptimizationProfile, ...]


class ProfilesLooked(msgspec.Struct, frozen=True):
    """Why the model cannot work in a shape of the profiles (empty: nothing is found), and Reshapes that hold the batch.

    `guess` is a profile that it works in, around the usual shapes; `can_free`: a copy can be made with a free batch.
    """

    problem: str
    held: tuple[HeldTarget, ...]
    can_free: bool
    guess: OptimizationProfile | None = None


class BackendInfo(msgspec.Struct, frozen=True):
    """A backend and what it can do on this machine; the words of `backends.base.Capabilities`, and its dialect."""

    title: str
    available: bool = True
    reason: str = ""
    hint: str = ""
    version: str = ""
    device: str = ""
    can_run: bool = True
    run_reason: str = ""
    precisions: dict[Precision, str] = {}
    remarks: dict[Precision, str] = {}
    targets: dict[str, str] = {}
    limits: dict[str, TargetLimits] = {}
    options: tuple[Option, ...] = ()
    dialect: Dialect | None = None
