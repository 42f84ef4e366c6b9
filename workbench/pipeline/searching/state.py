"""What a search knows, on disk: written whole after each point, under a key of everything that its figures hang on."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import msgspec

from workbench import __version__
from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError
from workbench.core.json import encode, read_json, write_json
from workbench.core.places import data_home
from workbench.core.run import RunRequest
from workbench.core.search import Search, SearchRequest
from workbench.data import SampleSet
from workbench.measure.machine import cpu_model, logical_cores
from workbench.pipeline.files import SEARCH_FILE
from workbench.pipeline.samples import NONE, RANDOM, calibration_set, feeds_digest, spread
from workbench.pipeline.searching.bench import Bench

LOOKED_AT = 64
"""Samples of a set whose bytes are in the key; of the others only how many there are, and their labels."""


def search_key(request: SearchRequest, bench: Bench) -> str:
    """Equal where a measured point means the same: model, shapes, sets, task, backend, its options, the processor.

    Not in it: the limit, the time, what is pinned and what precisions are allowed. They steer, and what was measured
    before stays true.
    """
    run, samples = request.run, bench.scoring.samples
    calibration = _calibration(run, bench)
    plan = msgspec.structs.replace(run.config.plan, default="fp32", rules=())
    config = msgspec.structs.replace(run.config, plan=plan)
    capabilities = bench.backend.capabilities()
    parts = (
        __version__,
        bench.model.sha256,
        bench.shapes,
        config,
        capabilities.version,
        capabilities.device,
        cpu_model(),
        logical_cores(),
        run.calibration,
        calibration.size if calibration is not None else 0,
        run.recipe,
        run.allowed_code,
        run.evaluation_limit,
        samples.source,
        samples.size,
        hashlib.sha256(encode(samples.labels)).hexdigest(),
    )
    feeds = chain(_some(samples), _some(calibration) if calibration is not None else ())
    return feeds_digest([encode(parts).decode()], feeds)[:32]


def _calibration(run: RunRequest, bench: Bench) -> SampleSet | None:
    """None: random, none, or one that cannot be read, which whatever needs it says."""
    if run.calibration in ("", NONE, RANDOM):
        return None
    with contextlib.suppress(WorkbenchError):
        return calibration_set(run, bench.model, bench.shapes)
    return None


def _some(samples: SampleSet) -> Iterator[Feed]:
    return (samples.feed(place) for place in spread(samples, LOOKED_AT))


def search_folder(key: str) -> Path:
    return data_home() / "searches" / key


def load_search(key: str) -> Search | None:
    """What an earlier start found; None: nothing, or a file that cannot be read."""
    with contextlib.suppress(WorkbenchError):
        path = search_folder(key) / SEARCH_FILE
        return read_json(path, Search) if path.is_file() else None
    return None


def keep_search(search: Search) -> None:
    """Raises OSError where the disk refuses."""
    folder = search_folder(search.key)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / SEARCH_FILE, search)
