"""`workbench profiles`: free dimensions, ranges to build for, what holds the batch, and what memory they cost."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import msgspec

from workbench.cli.jobs import Jobs, check_writable, plain_request
from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.cli.shapes import asked_profiles
from workbench.core.errors import WorkbenchError
from workbench.core.free_batch import FreeBatchRequest
from workbench.core.model import Model
from workbench.core.profile import HeldTarget, OptimizationProfile
from workbench.core.profile_memory import ProfileMemory, ProfileMemoryRequest, points
from workbench.core.run import RunRequest
from workbench.data import read_recipe, recipe_shapes
from workbench.model import open_model
from workbench.model.held_batch import batch_places, fixed_batch_places, held_targets
from workbench.model.profiles import check_profiles, free_dims, profiles_problem, ranges_of, workable_guess
from workbench.pipeline.table import aligned, size_text
from workbench.store import Store

HEAD = ("up to", "activations", "estimate", "weights", "engine", "build")


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where an engine can be built for the profiles and nothing that was asked for failed."""
    check_writable(arguments.free_batch)
    model = open_model(Path(arguments.model))
    recipe = read_recipe(model)
    profiles = asked_profiles(arguments, model, recipe)
    is_guess = not profiles
    if is_guess and free_dims(model.inputs):
        profiles = (workable_guess(model, {**recipe_shapes(model, recipe), **dict(arguments.shape)}),)
    check_profiles(model, profiles)
    problem = profiles_problem(model, profiles)
    held = held_targets(model, batch_places(model) or fixed_batch_places(model))
    _tell(output, model, profiles, is_guess)
    for each in held:
        output.text(each.sentence)
    request = _request(arguments, profiles)
    measured = _measured(arguments, output, model, request) if arguments.measure else []
    freed = _free(arguments, output, request) if arguments.free_batch else {}
    output.document(_document(model, profiles, problem, held) | {"measured": measured} | freed)
    if problem:
        output.failed(problem, "Narrow the profile.")
    failed = any(one.error is not None for one in measured) or "error" in freed
    return 1 if problem or failed else 0


def _tell(output: Output, model: Model, profiles: tuple[OptimizationProfile, ...], is_guess: bool) -> None:
    dims = free_dims(model.inputs)
    if not dims:
        output.text("All inputs have fixed shapes: there is nothing to give a range.")
    for number, profile in enumerate(profiles if dims else (), 1):
        ranges = ranges_of(model, profile)
        rows: list[tuple[str, ...]] = [("dimension", "min", "opt", "max", "where")]
        for dim in dims:
            where = ", ".join(f"axis {axis} of {name}" for name, axis in dim.places)
            rows.append((dim.title, *(f"{value}" for value in ranges[dim.name]), where))
        output.text(f"Profile {number}{' (a guess)' if is_guess else ''}\n{aligned(rows, left={0, 4})}")


def _document(
    model: Model, profiles: tuple[OptimizationProfile, ...], problem: str, held: tuple[HeldTarget, ...]
) -> dict[str, Any]:
    return {
        "dimensions": free_dims(model.inputs),
        "profiles": profiles,
        "ranges": [ranges_of(model, profile) for profile in profiles],
        "problem": problem,
        "held": held,
    }


def _request(arguments: Namespace, profiles: tuple[OptimizationProfile, ...]) -> RunRequest:
    request = plain_request(arguments, plan_of(arguments), "", Path())
    config = msgspec.structs.replace(request.config, profiles=profiles, target=arguments.target)
    return msgspec.structs.replace(request, config=config)


def _measured(arguments: Namespace, output: Output, model: Model, request: RunRequest) -> list[ProfileMemory]:
    """One build a point, each in a process of its own; ends after one that failed."""
    dim, given = arguments.measure
    ranges = ranges_of(model, request.config.profiles[0]) if request.config.profiles else {}
    if dim not in ranges:
        known = ", ".join(ranges) or "none"
        raise WorkbenchError(f"The model has no free dimension {dim!r}.", f"Free dimensions: {known}.")
    store, jobs, found = Store(), Jobs(output), []
    values = given or points(ranges[dim])
    with jobs.until_interrupted():
        for number, most in enumerate(values, 1):
            job, folder = store.new_folder()
            asked = ProfileMemoryRequest(job, str(folder), request, dim, most)
            found.append(jobs.profile_memory(asked, f"[{number}/{len(values)}] {dim} up to {most}"))
            store.delete(job)
            if found[-1].error is not None:
                output.failed(found[-1].error.message, found[-1].error.hint)
                break
    rows = [_row(one) for one in found if one.error is None]
    if rows:
        output.text(f"Memory of the engine, {dim} up to …\n{aligned([HEAD, *rows], left=set()).rstrip()}")
        output.text("Activations as TensorRT tells them; ESTIMATE: of the source graph, by liveness.")
    return found


def _row(one: ProfileMemory) -> tuple[str, ...]:
    sizes = (one.activations_bytes, one.estimate_bytes, one.weights_bytes, one.size_bytes)
    return (str(one.most), *(size_text(size) for size in sizes), f"{one.seconds:.1f} s")


def _free(arguments: Namespace, output: Output, request: RunRequest) -> dict[str, Any]:
    store, jobs = Store(), Jobs(output)
    job, folder = store.new_folder()
    with jobs.until_interrupted():
        result = jobs.free_batch(FreeBatchRequest(job, str(folder), request, str(arguments.free_batch.absolute())))
    store.delete(job)
    if result.error is not None:
        output.failed(result.error.message, result.error.hint)
        return {"freed": result, "error": result.error}
    output.text(f"{result.path} is written. {result.sentence}")
    return {"freed": result}
