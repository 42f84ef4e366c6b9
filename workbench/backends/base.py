"""The contract of a backend: what it can do here, build(model) -> Engine, Engine.runner() -> Runner."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from workbench.core.dialect import Dialect
from workbench.core.errors import WorkbenchError
from workbench.core.graph import Fate, Graph
from workbench.core.model import Model, TypedModel
from workbench.core.options import Option
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig
from workbench.core.targets import TargetLimits
from workbench.core.tuning import Knob
from workbench.core.verdict import Verdict

Feed = Mapping[str, NDArray[np.generic]]
Report = Callable[[str, int, int, str], None]
"""report(phase, done, total, text): where a build is, in words of the engine, and how far it is there (`total` 0: it
does not tell). A phase within others names them too, outermost first: `Building engine/Optimizing graph`. The phase
`log` or `log/warning` (error, info, debug) carries a line for the log in `text`."""


class Capabilities(msgspec.Struct, frozen=True):
    """What a backend can do on this machine. Every reason is a sentence; an empty one means: it can.

    `precisions` maps each precision to why not (or to ""); `remarks` say how where it is not the plain way
    ("runs in FP32: this CPU has no FP16 arithmetic"). `targets` are names to build for, with what people call them
    (`sm89` -> `RTX 40 series`); empty where a backend builds for this machine only. `limits` say what each refuses.
    `module` is the Python module behind it, where there may be one of several. `options` do
    something here; those of `knobs` come beside them.
    """

    available: bool
    reason: str
    hint: str
    version: str
    device: str
    can_run: bool
    run_reason: str
    precisions: dict[Precision, str]
    remarks: dict[Precision, str] = {}
    targets: dict[str, str] = {}
    limits: dict[str, TargetLimits] = {}
    module: str = ""
    options: tuple[Option, ...] = ()


class Runner(ABC):
    """An engine ready to infer. A context manager: what it holds is freed on leaving."""

    def __enter__(self) -> Self:
        return self

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @abstractmethod
    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        """Outputs by the model's own names. `feed` has every input by name, in the shapes it was built for."""

    @abstractmethod
    def time(self, feed: Feed) -> float:
        """One inference; milliseconds of wall clock, inputs bound beforehand, outputs complete."""

    def layer_times(self) -> dict[str, float]:
        """Mean milliseconds by layer id since the runner was made. Cheap enough for 10 Hz; empty: not known."""
        return {}

    def layer_samples(self) -> dict[str, list[float]]:
        """Milliseconds of each inference since the last call, by layer id, in order; empty: it tells means only."""
        return {}


class Engine(ABC):
    """What a build gives: complete even where it cannot run here."""

    graph: Graph
    fates: Mapping[str, Fate]
    size_bytes: int
    memory: Mapping[str, int]
    artefact: Path | None
    notes: tuple[str, ...]
    versions: Mapping[str, str]
    files: tuple[Path, ...] = ()
    """What `Backend.reopen` needs of the folder it was built in; empty: it must be built again to be had again."""

    @abstractmethod
    def runner(self, *, layers: bool = False) -> Runner:
        """A runner; with `layers`, one that can tell layer times (which may cost latency).

        Raises WorkbenchError with the reason where this machine cannot run the engine.
        """


class Backend(ABC):
    """Builds engines. Subclasses import their engine's package inside functions only, and start no thread."""

    id: ClassVar[str]
    title: ClassVar[str]

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """Never raises; a missing package is a reason and a hint."""

    def targets(self, target: str) -> tuple[str, ...]:
        """The targets that `BuildConfig.target` names, its default where it is empty; none where it builds for this
        machine only. Raises WorkbenchError for one that is not known.
        """
        return ()

    @abstractmethod
    def dialect(self) -> Dialect:
        """The form in which this backend takes precisions, on this machine."""

    def knobs(self, physical: int, logical: int) -> tuple[Knob, ...]:
        """Options worth tuning on a machine with so many cores; none change what is computed."""
        return ()

    @abstractmethod
    def verdict(self, model: Model) -> Verdict:
        """Whether it takes the model as it is (FP32) in its shapes, found by its own parser where it has one.

        Nothing is compiled. It may raise WorkbenchError where the model cannot even be read.
        """

    @abstractmethod
    def build(self, typed: TypedModel, config: BuildConfig, folder: Path, report: Report) -> Engine:
        """Builds in this process; artefacts go to `folder`. Raises WorkbenchError where the model is refused."""

    def engine_key(self, typed: TypedModel, config: BuildConfig) -> tuple[str, ...]:
        """All that decides what an engine is beside the bytes of the typed ONNX: versions, device, targets, options.

        Empty: engines of this backend are no files that could be opened again.
        """
        return ()

    def reopen(self, typed: TypedModel, config: BuildConfig, folder: Path) -> Engine:
        """The engine of an earlier build with the same key, of whose `Engine.files` are copies in `folder`.

        Raises WorkbenchError where they are not what they should be.
        """
        raise WorkbenchError(f"Engines of {self.title} cannot be opened again.", "Build it.")


def backend_ids() -> list[str]:
    """Ids of all backends, by being there: modules and packages of this folder but `base` and `_private` ones."""
    here = Path(__file__).parent
    names = [m.name for m in pkgutil.iter_modules([str(here)]) if m.name != "base" and not m.name.startswith("_")]
    return sorted(names)


def load_backend(name: str) -> Backend:
    """The backend of this id. A backend's module has one class `BACKEND`."""
    if name not in backend_ids():
        known = ", ".join(backend_ids())
        raise WorkbenchError(f"There is no backend named {name!r}.", f"Choose one of: {known}.")
    module = importlib.import_module(f"workbench.backends.{name}")
    backend: Backend = module.BACKEND()
    return backend
