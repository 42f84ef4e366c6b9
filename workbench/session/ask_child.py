"""A short-lived child that answers one question: what is in this model, this sample set, on this machine.

Started as `python -m workbench.session.ask_child <verb> <parent pid>` with the question as JSON on stdin. Foreign
files are parsed and engines imported here and never in the window's process: a crash of a parser is an answer too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from workbench.core.costs import Cost
from workbench.core.errors import WorkbenchError
from workbench.core.json import decode, encode
from workbench.core.verdict import Verdict
from workbench.session.questions import (
    Answer,
    CostsQuestion,
    Opened,
    OpenQuestion,
    ProfilesLooked,
    ProfilesQuestion,
    SamplesInfo,
    SamplesQuestion,
    VerdictQuestion,
)


def main() -> None:
    from workbench.jobs.child import die_with_parent

    die_with_parent(int(sys.argv[2]))
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not end in the answer
    try:
        answer = Answer(value=msgspec.Raw(encode(VERBS[sys.argv[1]](sys.stdin.buffer.read()))))
    except WorkbenchError as error:
        answer = Answer(message=error.message, hint=error.hint)
    pipe.write(encode(answer))
    pipe.flush()
    os._exit(0)


def _open(question: bytes) -> Opened:
    from workbench.data import read_recipe
    from workbench.model import open_model

    model = open_model(decode(question, OpenQuestion).path)
    return Opened(model, read_recipe(model))


def _samples(question: bytes) -> SamplesInfo:
    from workbench.data import open_samples

    asked = decode(question, SamplesQuestion)
    found = open_samples(asked.source, asked.model, asked.recipe, asked.shapes)
    first = found.feed(0) if len(found) else {}
    words = [_tensor_words(name, array) for name, array in first.items() if array.size and array.dtype.kind in "fiub"]
    labels = sorted({str(label) for label in found.labels}) if found.labels else []
    return SamplesInfo(
        found.name, found.size, len(labels), tuple(labels[:8]), found.is_random, tuple(words), tuple(found.warnings)
    )


def _costs(question: bytes) -> dict[str, Cost]:
    from workbench.model.costs import model_costs

    asked = decode(question, CostsQuestion)
    return model_costs(asked.model, asked.shapes)


def _verdict(question: bytes) -> Verdict:
    from workbench.model import open_model
    from workbench.pipeline.verdicts import verdict_on

    asked = decode(question, VerdictQuestion)
    return verdict_on(asked.backend, open_model(asked.path), asked.recipe, asked.shapes, clean=asked.clean)


def _profiles(question: bytes) -> ProfilesLooked:
    from workbench.model.held_batch import batch_places, fixed_batch_places, held_targets
    from workbench.model.profiles import free_dims, profiles_problem, workable_guess

    asked = decode(question, ProfilesQuestion)
    model = asked.model
    fixed = fixed_batch_places(model)
    held = held_targets(model, batch_places(model) or fixed)
    guess = workable_guess(model, asked.shapes) if free_dims(model.inputs) and not asked.profiles else None
    can_free = bool(held or fixed) and all(each.free for each in held)
    return ProfilesLooked(profiles_problem(model, asked.profiles), held, can_free, guess)


def _tensor_words(name: str, array: Any) -> str:
    shape = "×".join(str(dim) for dim in array.shape) or "scalar"
    return f"{name} {shape} {array.dtype}, {float(array.min()):.4g} to {float(array.max()):.4g}"


def _capabilities(_question: bytes) -> dict[str, Any]:
    from workbench.backends.base import backend_ids, load_backend
    from workbench.pipeline.options import offered_options

    found = {}
    for name in backend_ids():
        backend = load_backend(name)
        can = backend.capabilities()
        known = {"title": backend.title, "dialect": backend.dialect(), "options": offered_options(backend, can)}
        found[name] = msgspec.to_builtins(can) | msgspec.to_builtins(known)
    return found


VERBS: dict[str, Callable[[bytes], Any]] = {
    "open": _open,
    "samples": _samples,
    "costs": _costs,
    "profiles": _profiles,
    "verdict": _verdict,
    "capabilities": _capabilities,
}

if __name__ == "__main__":
    main()
