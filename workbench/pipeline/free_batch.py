"""free_batch: a copy of a model whose Reshapes follow the batch, proven on samples before anybody gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError
from workbench.core.free_batch import FreeBatchRequest, FreedBatch
from workbench.core.model import Model
from workbench.core.profile import HeldTarget
from workbench.data import open_samples, write_recipe
from workbench.measure.reference import Reference
from workbench.model import check_shapes, open_model
from workbench.model.external import load_external
from workbench.model.guard import read_model
from workbench.model.held_batch import Places, batch_places, fixed_batch_places, free_batch, held_targets
from workbench.pipeline.border import carried_out
from workbench.pipeline.files import FREED_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.samples import RANDOM, resolved_shapes
from workbench.pipeline.telling import JobTeller
from workbench.precision.saving import save_model

Arrays = dict[str, NDArray[np.generic]]
TRIED = 3  # samples, one by one and together
NEAR = 1e-3  # of the largest value of an output: sums are added in another order


def free_batch_of(request: FreeBatchRequest, emit: Emit, cancelled: Callable[[], bool]) -> FreedBatch:
    """Writes the copy. Never raises for what the user can cause: `error` says why, and no file is left."""
    return carried_out(
        request,
        FREED_FILE,
        emit,
        lambda _: _freed(request, JobTeller(request.id, emit, cancelled)),
        lambda error: FreedBatch(request.id, error=error),
    )


def _freed(request: FreeBatchRequest, teller: JobTeller) -> FreedBatch:
    target = Path(request.path)
    model = open_model(request.run.model_path)
    if target.exists():
        raise WorkbenchError(f"{target.name} is there already.", "Choose another name.")
    fixed = fixed_batch_places(model)
    places = batch_places(model) or fixed
    teller.progress("plan", text="looking for the batch")
    held = held_targets(model, places)
    _refuse(places, fixed, held)
    proto = read_model(Path(model.path))[0]
    load_external(proto, Path(model.path).parent)
    free_batch(proto, {each.node: each.free for each in held}, places if fixed else ())
    save_model(proto, target.parent, name=target.name)
    try:
        teller.progress("reference", text=f"{TRIED} samples, one by one and together")
        proof = _proof(request, model, target, places)
    except BaseException:
        for file in (target, target.with_name(f"{target.name}.data")):
            file.unlink(missing_ok=True)
        raise
    write_recipe(open_model(target), request.run.recipe)
    return FreedBatch(request.id, str(target), held, tuple(name for name, _ in fixed), proof)


def _refuse(places: Places, fixed: Places, held: tuple[HeldTarget, ...]) -> None:
    if not places:
        raise WorkbenchError("No batch can be told from the inputs of this model.", "Export it with a free batch.")
    if stuck := next((each for each in held if not each.free), None):
        raise WorkbenchError(stuck.sentence, "Export the model with a free batch.")
    if not held and not fixed:
        raise WorkbenchError("The batch of this model is free already.", "Nothing has to be changed.")


def _proof(request: FreeBatchRequest, model: Model, path: Path, places: Places) -> str:
    """Raises WorkbenchError where the copy computes something else, for one sample or for several."""
    free = open_model(path)
    shapes = resolved_shapes(request.run, model)
    check_shapes(model, shapes)
    samples = open_samples(RANDOM, model, request.run.recipe, shapes, limit=TRIED)
    feeds = [dict(feed) for feed in islice(samples, TRIED)]
    axes = dict(places)
    for feed in feeds:
        feed.update({name: feeds[0][name] for name in feed if name not in axes})
    with Reference(model.path) as old, Reference(free.path) as new:
        before = [old.infer(feed) for feed in feeds]
        _compare("one sample", before[0], new.infer(feeds[0]))
        together = new.infer(_stacked(feeds, axes))
        whole = {name: _joined([one[name] for one in before], together[name].shape) for name in before[0]}
        known = {name: value for name, value in whole.items() if value is not None}
        _compare(f"{TRIED} samples together", known, together)
    left = [name for name, value in whole.items() if value is None]
    note = f" ({', '.join(left)}: no batch in it, not compared)" if left else ""
    return f"{TRIED} samples together give what each gives alone{note}."


def _stacked(feeds: list[Arrays], axes: Mapping[str, int]) -> Feed:
    return {
        name: np.concatenate([feed[name] for feed in feeds], axis=axes[name]) if name in axes else value
        for name, value in feeds[0].items()
    }


def _joined(parts: list[NDArray[np.generic]], shape: tuple[int, ...]) -> NDArray[np.generic] | None:
    """The outputs one behind the other along the axis that grew; None where none did."""
    sizes = enumerate(zip(parts[0].shape, shape, strict=False))
    grown = [axis for axis, (one, together) in sizes if together == one * len(parts)]
    return np.concatenate(parts, axis=grown[0]) if grown and parts[0].ndim == len(shape) else None


def _compare(what: str, expected: Arrays, found: Arrays) -> None:
    for name, value in expected.items():
        other = found[name]
        if value.shape != other.shape or not _near(value, other):
            raise WorkbenchError(
                f"With a free batch the output {name!r} is another for {what}.", "Export the model with a free batch."
            )


def _near(value: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    if value.dtype.kind != "f":
        return bool(np.array_equal(value, other))
    wide, found = value.astype(np.float64), other.astype(np.float64)
    scale = NEAR * float(np.max(np.abs(wide), initial=1e-6, where=np.isfinite(wide)))
    return bool(np.allclose(wide, found, rtol=0, atol=scale, equal_nan=True))
