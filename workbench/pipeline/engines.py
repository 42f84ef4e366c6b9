"""Getting an engine: the one that was built from the same before, else a new one, which is kept."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import msgspec

from workbench.backends.base import Backend, Engine, Report
from workbench.core.errors import WorkbenchError
from workbench.core.model import TypedModel
from workbench.core.run import BuildConfig, Reuse
from workbench.pipeline.kept_engines import KeptEngines, engine_digest


class Made(msgspec.Struct, frozen=True):
    """An engine, and where it comes from if it was not built now."""

    engine: Engine
    reused: Reuse | None = None


def make_engine(
    backend: Backend,
    typed: TypedModel,
    config: BuildConfig,
    folder: Path,
    report: Report,
    *,
    run: str,
    rebuild: bool = False,
) -> Made:
    """The engine of `typed`, its files in `folder`. With `rebuild` it is built whatever is kept, and kept instead.

    Raises WorkbenchError where the backend refuses.
    """
    store, key = KeptEngines(), engine_digest(backend, typed, config)
    source = store.take(key, folder) if key and not rebuild else None
    if source is not None:
        with contextlib.suppress(WorkbenchError):  # what is kept cannot be read: it is built
            return Made(backend.reopen(typed, config, folder), source)
    start = perf_counter()
    engine = backend.build(typed, config, folder, report)
    if key and engine.files:
        _keep(store, key, engine, Reuse(run, _now(), perf_counter() - start), report)
    return Made(engine)


def reuse_sentence(reused: Reuse) -> str:
    """For the notes of a run."""
    when = reused.built.replace("T", " ").removesuffix("Z")
    return (
        f"The engine is that of run {reused.run}, built {when} UTC in {reused.seconds:.1f} s from the same typed ONNX "
        "with the same versions and options; timing and accuracy are new. Build anew (--rebuild) builds it again."
    )


def _keep(store: KeptEngines, key: str, engine: Engine, source: Reuse, report: Report) -> None:
    """What the disk refuses costs only the next build's time."""
    try:
        store.keep(key, engine.files, source)
        store.tidy()
    except OSError as error:
        report("log", 0, 0, f"The engine is not kept for later runs: {error.strerror or error}.")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
