"""profile_memory: one engine built for a profile that goes up to one value of one dimension, and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path

import msgspec

from workbench.backends.base import load_backend
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.core.profile import OptimizationProfile
from workbench.core.profile_memory import ProfileMemory, ProfileMemoryRequest
from workbench.core.run import RunRequest
from workbench.model import open_model
from workbench.model.dtypes import dtype_bytes
from workbench.model.liveness import memory_plan
from workbench.model.profiles import free_dims, guess_profile, moved, profile_of, ranges_of
from workbench.model.sizes import output_sizes
from workbench.pipeline.before_build import check_can_build
from workbench.pipeline.border import carried_out
from workbench.pipeline.building import build, open_step
from workbench.pipeline.files import PROFILE_MEMORY_FILE
from workbench.pipeline.record import Emit, Record
from workbench.pipeline.samples import resolved_shapes
from workbench.precision.base import NO_INPUTS, copy_with_branches


def profile_memory(request: ProfileMemoryRequest, emit: Emit, cancelled: Callable[[], bool]) -> ProfileMemory:
    """Builds in this process. Never raises for what the user can cause: `error` says why."""
    return carried_out(
        request,
        PROFILE_MEMORY_FILE,
        emit,
        lambda folder: _measured(request, folder, emit, cancelled),
        lambda error: ProfileMemory(request.id, request.dim, request.most, error=error),
    )


def _measured(request: ProfileMemoryRequest, folder: Path, emit: Emit, cancelled: Callable[[], bool]) -> ProfileMemory:
    run = _up_to(request)
    record = Record(msgspec.structs.replace(run, id=request.id, folder=str(folder / "build")), emit, cancelled)
    backend = load_backend(run.config.backend)
    check_can_build(backend, run.config)
    model, shapes = open_step(record)
    found = build(record, backend, model, shapes, NO_INPUTS)  # with profiles no input is fixed
    memory = found.engine.memory
    if "activations" not in memory:
        raise WorkbenchError(
            f"{backend.title} does not tell the memory of an engine for a range of shapes.", "TensorRT does."
        )
    return ProfileMemory(
        id=request.id,
        dim=request.dim,
        most=request.most,
        activations_bytes=memory["activations"],
        weights_bytes=memory.get("weights", 0),
        size_bytes=found.engine.size_bytes,
        seconds=record.run.build.seconds if record.run.build else 0.0,
        estimate_bytes=_estimate(model, run.config.profiles[0].max),
    )


def _up_to(request: ProfileMemoryRequest) -> RunRequest:
    """The run with one profile: its first (or a guess), `dim` going up to `most` and no further."""
    run = request.run
    model = open_model(run.model_path)
    if request.dim not in {dim.name for dim in free_dims(model.inputs)}:
        raise WorkbenchError(f"The model has no free dimension {request.dim!r}.", "Its profile names them.")
    profiles = run.config.profiles or (guess_profile(model, resolved_shapes(run, model)),)
    ranges = ranges_of(model, profiles[0])
    ranges[request.dim] = moved(ranges[request.dim], 2, request.most)
    profile = profile_of(model, ranges)
    config = msgspec.structs.replace(run.config, profiles=(profile,), shapes=_within(model, profile))
    return msgspec.structs.replace(run, config=config)


def _within(model: Model, profile: OptimizationProfile) -> dict[str, Shape]:
    return {spec.name: profile.opt[spec.name] for spec in model.inputs}


def _estimate(model: Model, largest: dict[str, Shape]) -> int:
    """Bytes alive at once in the source graph, weights aside."""
    shapes = {**model.shapes, **largest}
    found = output_sizes(copy_with_branches(model, shapes, NO_INPUTS)[0])
    sizes: dict[str, int] = {}
    for node in model.graph.layers:
        sizes |= dict(zip(node.outputs, found.get(node.id, ()), strict=False))
    for spec in model.inputs:
        sizes[spec.name] = dtype_bytes(spec.dtype, prod(shapes[spec.name]))
    return memory_plan(model.graph, sizes).peak_bytes
