"""compare: backends x precisions and the source graph as it is, one run after another; then a race of what ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from workbench.backends.base import load_backend
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan
from workbench.core.recipe import Recipe
from workbench.core.run import BuildConfig, Race, RaceRequest, Run, RunRequest, Status, TimingConfig

Execute = Callable[[RunRequest | RaceRequest], Run | Race]
"""Carries out one request and returns its result. `jobs.run_job` in a fresh child, or `run` itself in a test."""

NewFolder = Callable[[], tuple[str, Path]]
"""A fresh id and folder: `Store.new_folder`."""


class CompareRequest(msgspec.Struct, frozen=True):
    """What to compare. `config` holds what all runs share: shapes, threads, target, options.

    `plans` are compared beside the plain `precisions`, for which `ranges` says how ranges are found; with
    `methods`, a precision that needs ranges has a run for each of them.
    `targets` are built for one by one, by the backends that have any, in the place of that of `config`.
    `baseline` adds the source graph, run node by node by ONNX Runtime in FP32: the honest "before".
    """

    model_path: str
    backends: tuple[str, ...]
    precisions: tuple[Precision, ...]
    config: BuildConfig = BuildConfig()
    recipe: Recipe = Recipe()
    calibration: str = ""
    evaluation: str = ""
    evaluation_limit: int = 0
    allowed_code: str = ""
    timing: TimingConfig = TimingConfig()
    rebuild: bool = False
    ranges: Calibration = Calibration()
    plans: tuple[PrecisionPlan, ...] = ()
    methods: tuple[CalibrationMethod, ...] = ()
    targets: tuple[str, ...] = ()
    baseline: bool = True
    race_seconds: float = 12.0


class Comparison(msgspec.Struct, frozen=True):
    """Runs in the order of the table, their folders in the same order, and the race (None: fewer than two ran)."""

    runs: tuple[Run, ...]
    folders: tuple[str, ...]
    race: Race | None = None


def compare(
    request: CompareRequest,
    execute: Execute,
    new_folder: NewFolder,
    on_run: Callable[[int, int, RunRequest], None] = lambda done, total, request: None,
    on_done: Callable[[Run], None] = lambda run: None,
) -> Comparison:
    """Runs every combination in turn and races those with a measured time.

    `on_run(done, total, request)` is told before each run, `on_done(run)` after. What a backend refuses is a FAILED
    run with its reason, and the comparison goes on; after a cancelled run nothing more is started.
    """
    configs = list(_configs(request))
    runs: list[Run] = []
    requests: list[RunRequest] = []
    for done, config in enumerate(configs):
        run_id, folder = new_folder()
        one = _request(request, config, run_id, folder)
        on_run(done, len(configs), one)
        result = execute(one)
        assert isinstance(result, Run)
        runs.append(result)
        requests.append(one)
        on_done(result)
        if result.status is Status.CANCELLED:
            break
    folders = tuple(one.folder for one in requests)
    return Comparison(tuple(runs), folders, _race(request, runs, requests, execute, new_folder))


def _configs(request: CompareRequest) -> Iterator[BuildConfig]:
    if request.baseline:
        yield msgspec.structs.replace(
            request.config, backend="onnxruntime", plan=PrecisionPlan(), optimize=False, target=""
        )
    for backend in request.backends:
        asked = request.targets or ((request.config.target,) if request.config.target else ())
        for target in (asked if asked and _has_targets(backend) else ()) or ("",):
            for plan in _plans(request):
                yield msgspec.structs.replace(request.config, backend=backend, plan=plan, target=target)


def _plans(request: CompareRequest) -> Iterator[PrecisionPlan]:
    for precision in request.precisions:
        plan = PrecisionPlan(default=precision, calibration=request.ranges)
        for method in (request.methods if plan.needs_calibration else ()) or (request.ranges.method,):
            ranges = msgspec.structs.replace(request.ranges, method=method)
            yield msgspec.structs.replace(plan, calibration=ranges)
    yield from request.plans


def _has_targets(backend: str) -> bool:
    """Whether it builds for a named GPU; the others build for this machine."""
    return bool(load_backend(backend).capabilities().targets)


def _request(request: CompareRequest, config: BuildConfig, run_id: str, folder: Path) -> RunRequest:
    return RunRequest(
        id=run_id,
        folder=str(folder),
        model_path=request.model_path,
        config=config,
        recipe=request.recipe,
        calibration=request.calibration if config.plan.uses_calibration else "",
        evaluation=request.evaluation,
        evaluation_limit=request.evaluation_limit,
        allowed_code=request.allowed_code,
        timing=request.timing,
        rebuild=request.rebuild,
    )


def _race(
    request: CompareRequest,
    runs: list[Run],
    requests: list[RunRequest],
    execute: Execute,
    new_folder: NewFolder,
) -> Race | None:
    """A race of the runs that were timed, the first of them as the baseline."""
    is_cut_short = any(run.status is Status.CANCELLED for run in runs)
    timed = [one for run, one in zip(runs, requests, strict=True) if run.timing and run.timing.stats]
    if is_cut_short or len(timed) < 2 or request.race_seconds <= 0:
        return None
    race_id, folder = new_folder()
    result = execute(RaceRequest(race_id, str(folder), tuple(timed), request.race_seconds))
    assert isinstance(result, Race)
    return result
