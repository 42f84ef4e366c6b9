"""What `run` and `compare` share: the store, sample sets by default, jobs in a child, and a clean Ctrl-C."""

from __future__ import annotations

import shutil
import signal
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

import msgspec

from workbench.cli.output import Output
from workbench.cli.shapes import asked_profiles
from workbench.core.calibration_report import Calibrated, CalibrateRequest
from workbench.core.ceilings import CeilingsRequest, MeasuredCeilings
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.events import AnyEvent, Searched
from workbench.core.exporting import Exported, ExportRequest
from workbench.core.free_batch import FreeBatchRequest, FreedBatch
from workbench.core.importing import Imported, ImportRequest
from workbench.core.precision import PrecisionPlan
from workbench.core.profile import OptimizationProfile
from workbench.core.profile_memory import ProfileMemory, ProfileMemoryRequest
from workbench.core.recipe import Recipe
from workbench.core.replanning import Replanned, ReplanRequest
from workbench.core.requests import AnyRequest
from workbench.core.run import BuildConfig, Race, RaceRequest, Run, RunRequest
from workbench.core.search import Search, SearchRequest
from workbench.core.sensitivity import Culprits, CulpritsRequest
from workbench.core.sweep import Sweep, SweepRequest
from workbench.core.titles import run_title
from workbench.core.tuning import TuneRequest, Tuning
from workbench.data import read_recipe
from workbench.jobs import run_job
from workbench.measure.metrics.function import code_digest
from workbench.model import open_model
from workbench.store import Store

Result = TypeVar(
    "Result",
    Sweep,
    Run,
    Race,
    Tuning,
    Calibrated,
    Exported,
    Imported,
    MeasuredCeilings,
    Replanned,
    FreedBatch,
    ProfileMemory,
    Culprits,
)


def request_of(store: Store, run: Run) -> RunRequest:
    """What the run was made from. Raises WorkbenchError where its engine cannot be made again here."""
    request = store.request(run.id)
    if run.imported:
        raise WorkbenchError(f"The run {run.id} ({run_title(run)}) was measured elsewhere.", "Name a run made here.")
    if request is None:
        raise WorkbenchError(f"The run {run.id} ({run_title(run)}) is not whole.", "Build it again.")
    return request


class Sets(msgspec.Struct, frozen=True):
    """What a command takes from its arguments and the recipe of its model, whose code (SHA-256) may run if allowed."""

    recipe: Recipe
    calibration: str
    evaluation: str
    allowed_code: str = ""
    profiles: tuple[OptimizationProfile, ...] = ()


def read_sets(arguments: Namespace) -> Sets:
    """What is given, else the recipe's sets; for calibration at last random inputs, which the result says loudly."""
    model = open_model(Path(arguments.model))
    recipe = read_recipe(model)
    return Sets(
        recipe=recipe,
        calibration=set_source(arguments.calibration) or recipe.calibration or "random",
        evaluation=set_source(arguments.evaluate) or recipe.evaluation,
        allowed_code=code_digest(recipe.task) if getattr(arguments, "allow_code", False) else "",
        profiles=asked_profiles(arguments, model, recipe) if "profile" in arguments else (),
    )


def plain_request(arguments: Namespace, plan: PrecisionPlan, job_id: str, folder: Path) -> RunRequest:
    """What `plan` is written from, for a job that neither times nor checks."""
    sets = read_sets(arguments)
    return RunRequest(
        id=job_id,
        folder=str(folder),
        model_path=str(Path(arguments.model).absolute()),
        config=BuildConfig(backend=arguments.backend, plan=plan, shapes=dict(arguments.shape)),
        recipe=sets.recipe,
        calibration=sets.calibration if plan.uses_calibration else "",
        evaluation=sets.evaluation,
        allowed_code=sets.allowed_code,
    )


def set_source(given: str | None) -> str:
    """A path made absolute, because the run's process works in another folder. Raises WorkbenchError."""
    if not given or given in ("random", "none"):
        return given or ""
    path = Path(given).expanduser().absolute()
    if not path.exists():
        raise WorkbenchError(f"There is no sample set at {one_line(given, 200)}.", "Give a folder or file that exists.")
    return str(path)


class Jobs:
    """Carries out requests in a fresh child each, shows their progress, and stops at Ctrl-C."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._cancel = threading.Event()

    @property
    def was_interrupted(self) -> bool:
        return self._cancel.is_set()

    @contextmanager
    def until_interrupted(self) -> Iterator[None]:
        """Within, Ctrl-C and SIGTERM cancel the job at work instead of raising somewhere."""

        def stop(number: int, frame: FrameType | None) -> None:
            self._cancel.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            self._output.clear_status()
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, request: RunRequest, title: str) -> Run:
        return self._result(request, title, Run)

    def race(self, request: RaceRequest) -> Race:
        return self._result(request, "race", Race)

    def tune(self, request: TuneRequest) -> Tuning:
        return self._result(request, "tune", Tuning)

    def free_batch(self, request: FreeBatchRequest) -> FreedBatch:
        return self._result(request, "free batch", FreedBatch)

    def profile_memory(self, request: ProfileMemoryRequest, title: str) -> ProfileMemory:
        return self._result(request, title, ProfileMemory)

    def sweep(self, request: SweepRequest) -> Sweep:
        return self._result(request, "sweep", Sweep)

    def export(self, request: ExportRequest) -> Exported:
        return self._result(request, "export", Exported)

    def import_run(self, request: ImportRequest) -> Imported:
        return self._result(request, "import", Imported)

    def calibrate(self, request: CalibrateRequest) -> Calibrated:
        return self._result(request, "calibrate", Calibrated)

    def ceilings(self, request: CeilingsRequest) -> MeasuredCeilings:
        return self._result(request, "ceilings", MeasuredCeilings)

    def replan(self, request: ReplanRequest) -> Replanned:
        return self._result(request, "change of shape", Replanned)

    def search(self, request: SearchRequest, on_search: Callable[[list[Search]], None]) -> Search:
        """The result; where the process died before it had any, the last that it told."""
        last: list[Search] = []

        def heard(batch: list[AnyEvent]) -> None:
            self._output.events("search", batch)
            last.extend(event.search for event in batch if isinstance(event, Searched))
            del last[:-1]
            on_search(last)

        result = run_job(request, heard, self._cancel)
        self._output.clear_status()
        assert isinstance(result, Search)
        return msgspec.structs.replace(last[0], phase="", error=result.error) if last and not result.key else result

    def find_culprits(self, request: CulpritsRequest) -> Culprits:
        return self._result(request, "culprits", Culprits)

    def _result(self, request: AnyRequest, title: str, kind: type[Result]) -> Result:
        result = run_job(request, lambda batch: self._output.events(title, batch), self._cancel)
        self._output.clear_status()
        assert isinstance(result, kind)
        return result


def copy_out(folders: list[Path], out: Path) -> None:
    """The files of one run into `out`, or of several into folders in it."""
    try:
        for folder in folders:
            target = out if len(folders) == 1 else out / folder.name
            shutil.copytree(folder, target, dirs_exist_ok=True)
    except OSError as error:
        raise WorkbenchError(
            f"Cannot write to {one_line(str(out), 200)}: {error.strerror or error}.",
            f"The run itself is in {folders[0]}.",
        ) from error


def check_writable(path: Path | None) -> None:
    """Raises WorkbenchError before the work, not after it, where a report has no folder to lie in."""
    if path is not None and not path.absolute().parent.is_dir():
        raise WorkbenchError(f"There is no folder {path.absolute().parent} for the report.", "Make it first.")
