"""open_samples: from a path, or `random`, to a set of samples that feed a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape
from workbench.core.recipe import Recipe
from workbench.data.feeding import Wanted
from workbench.data.random_feed import DEFAULT_SIZE, random_feed
from workbench.data.recipe import RANDOM
from workbench.data.rows import Label, Rows, read_rows

Feed = dict[str, NDArray[np.generic]]


class SampleSet:
    """Samples, read one by one. A sample is one feed of the model's inputs at the shapes it was opened for.

    Where an input has a batch of more than one, each sample fills it by repetition: feed and label stay 1:1.
    `labels` are class indices, or text, or None. `warnings` are sentences for the user.
    """

    def __init__(
        self, name: str, source: str, wanted: Wanted, rows: Rows, places: tuple[int, ...], *, is_random: bool
    ) -> None:
        self.name = name
        self.source = source
        self.size = len(places)
        self.labels: tuple[Label, ...] | None = None
        if rows.labels is not None:
            self.labels = tuple(rows.labels[place] for place in places)
        self.is_random = is_random
        self._wanted = wanted
        self._rows = rows
        self._places = places
        self._rest = [name for name in wanted.specs if name not in rows.covers]

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(self._wanted.notes)

    @property
    def made_up(self) -> frozenset[str]:
        """Inputs whose values are not the set's own, but made as the recipe says."""
        return frozenset(self._wanted.specs if self.is_random else self._rest)

    def feed(self, index: int) -> Feed:
        """Values by input name, in the model's types. Raises WorkbenchError naming the sample that is bad."""
        place = self._places[index]
        feed = dict(self._rows.feed(place))
        if self._rest:
            feed |= random_feed(self._wanted, place, self._rest)
        return feed

    def __iter__(self) -> Iterator[Feed]:
        return (self.feed(index) for index in range(self.size))

    def __len__(self) -> int:
        return self.size


def open_samples(
    source: str,
    model: Model,
    recipe: Recipe,
    shapes: Mapping[str, Shape],
    *,
    limit: int = 0,
    seed: int = 0,
) -> SampleSet:
    """Opens a sample set: a folder of pictures, a table, arrays, or `random`.

    `shapes` are those the model is fed with. `limit` takes that many, drawn at random over the whole set (the same
    for the same `seed`) and kept in order: the first of a set sorted by class would be all one class; 0 takes all.
    The first sample is read at once, so that a set that does not fit is refused here. Raises WorkbenchError.
    """
    wanted = Wanted(model, recipe, shapes, seed)
    if source == RANDOM:
        return _random(wanted, limit)
    path = Path(source).expanduser()
    rows = _rows(path, wanted)
    wanted_rest = sorted(set(wanted.specs) - rows.covers)
    if wanted_rest:
        wanted.note(f"The set has no values for {', '.join(wanted_rest)}: they are made up as the recipe says.")
    samples = SampleSet(path.name, str(path), wanted, rows, _places(rows.size, limit, seed), is_random=False)
    samples.feed(0)
    return samples


def _rows(path: Path, wanted: Wanted) -> Rows:
    try:
        if not path.exists():
            raise WorkbenchError(f"There is no sample set {path}.", "Check the path, or use `random`.")
        rows = read_rows(path, wanted)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise WorkbenchError(f"Cannot read the sample set {path}: {reason}.", "Check the path.") from error
    if rows is None:
        raise WorkbenchError(
            f"{path.name} is not a sample set.",
            "Wanted is a folder of pictures (sub-folders are classes), a .csv of file and label, .npy or .npz.",
        )
    return rows


def _random(wanted: Wanted, limit: int) -> SampleSet:
    wanted.note("The samples are RANDOM values: they serve to measure time, and say nothing about accuracy.")
    size = limit or DEFAULT_SIZE
    rows = Rows(size, frozenset(wanted.specs), lambda i: random_feed(wanted, i))
    samples = SampleSet(RANDOM, RANDOM, wanted, rows, tuple(range(size)), is_random=True)
    samples.feed(0)
    return samples


def _places(size: int, limit: int, seed: int) -> tuple[int, ...]:
    if not 0 < limit < size:
        return tuple(range(size))
    drawn = np.random.default_rng(seed).choice(size, limit, replace=False)
    return tuple(sorted(int(place) for place in drawn))
