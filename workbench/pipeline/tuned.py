"""What searches for the fastest options have found, kept by content: the same model on the same machine finds it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from workbench import __version__
from workbench.backends.base import load_backend
from workbench.core.errors import WorkbenchError
from workbench.core.json import encode, read_json, write_json
from workbench.core.model import TypedModel
from workbench.core.places import data_home
from workbench.core.run import BuildConfig
from workbench.core.tuning import Tuning, options_words
from workbench.measure.machine import cpu_model, logical_cores, physical_cores

NOTHING = "No tuned options are known here for this model and plan: Tune options (or `workbench tune RUN`) finds them."


def tuning_key(typed: TypedModel, config: BuildConfig) -> str:
    """Equal for one model, configuration, shapes and backend version on one kind of processor.

    All of the configuration counts: what beats one thread may lose against sixteen.
    """
    versions = (__version__, load_backend(config.backend).capabilities().version)
    asked = msgspec.structs.replace(config, shapes={}, tuned=False)
    parts = (typed.model.sha256, typed.shapes, asked, versions, cpu_model(), physical_cores(), logical_cores())
    return hashlib.sha256(encode(parts)).hexdigest()[:32]


def keep_tuning(result: Tuning) -> None:
    """For every later run of this content. Raises OSError where the disk refuses."""
    path = _path(result.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, result)


def find_tuning(typed: TypedModel, config: BuildConfig) -> Tuning | None:
    """What an earlier search found; None: nothing, or a file that cannot be read."""
    path = _path(tuning_key(typed, config))
    try:
        return read_json(path, Tuning) if path.is_file() else None
    except WorkbenchError:
        return None


def with_options(config: BuildConfig, options: dict[str, str]) -> BuildConfig:
    """`config` with tuned options over its own; `threads` is a field of its own."""
    rest = {key: value for key, value in options.items() if key != "threads"}
    threads = int(options.get("threads", config.threads))
    return msgspec.structs.replace(config, threads=threads, options={**config.options, **rest})


class Effective(msgspec.Struct, frozen=True):
    """What a build really uses: `tuned` are options that were found, with a sentence where they were asked for."""

    config: BuildConfig
    tuned: dict[str, str] = {}
    sentence: str = ""


def effective(typed: TypedModel, config: BuildConfig) -> Effective:
    """`config` with the tuned options that are known for it, where they are asked for."""
    if not config.tuned:
        return Effective(config)
    found = find_tuning(typed, config)
    if found is None:
        return Effective(config, sentence=NOTHING)
    words = options_words(found.best) if found.best else "the default, which nothing beat"
    return Effective(with_options(config, found.best), found.best, f"Tuned options: {words}.")


def _path(key: str) -> Path:
    return data_home() / "tuned" / f"{key}.json"
