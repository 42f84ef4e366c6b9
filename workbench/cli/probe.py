"""Asking a backend in a child process: a parser that crashes on a model takes nobody with it.

`python -m workbench.cli.probe capabilities BACKEND` or `... verdict BACKEND MODEL` prints one line of JSON.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TypeVar

from workbench.backends.base import Capabilities, load_backend
from workbench.core.errors import WorkbenchError, one_line
from workbench.core.json import decode, encode
from workbench.core.verdict import Verdict

TIMEOUT_SECONDS = 120.0
T = TypeVar("T")


def ask_capabilities(backend: str) -> Capabilities:
    """What a backend can do here. A crash while asking is a reason like any other."""
    answer = _ask(["capabilities", backend], Capabilities)
    if isinstance(answer, Capabilities):
        return answer
    return Capabilities(False, answer, "Install the engine again.", "", "", False, answer, {})


def ask_verdict(backend: str, model: Path) -> Verdict:
    """Whether a backend takes a model."""
    answer = _ask(["verdict", backend, str(model.absolute())], Verdict)
    return answer if isinstance(answer, Verdict) else Verdict(accepted=False, reason=answer)


def _ask(words: list[str], kind: type[T]) -> T | str:
    """The answer, or in a sentence why there is none."""
    child = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli.probe", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ, PYTHONSAFEPATH="1", OMP_WAIT_POLICY="PASSIVE"),
        start_new_session=True,
    )
    try:
        answer, _ = child.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        return f"{words[1]} gave no answer within {TIMEOUT_SECONDS:.0f} s."
    finally:
        _end(child)
    lines = answer.splitlines()
    with contextlib.suppress(WorkbenchError):
        if lines:
            return decode(lines[-1], kind)
    return f"{words[1]} crashed on being asked ({_how(child.returncode)})."


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()


def _how(code: int) -> str:
    if code < 0 and -code in set(signal.Signals):
        return signal.Signals(-code).name
    return f"exit code {code}"


def main() -> None:
    """The child: prints of engines go to stderr, the answer alone to what was stdout."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    os.write(pipe, encode(_answer(sys.argv[1:])) + b"\n")
    os._exit(0)  # no static destructors of engines


def _answer(words: list[str]) -> Capabilities | Verdict:
    if words[0] == "capabilities":
        return load_backend(words[1]).capabilities()
    try:
        return _verdict(words[1], words[2])
    except WorkbenchError as error:
        return Verdict(accepted=False, reason=one_line(str(error)))


def _verdict(backend: str, path: str) -> Verdict:
    """Of the model as its recipe has it."""
    from workbench.data import read_recipe, recipe_shapes
    from workbench.model import open_model
    from workbench.pipeline.verdicts import verdict_on

    model = open_model(path)
    recipe = read_recipe(model)
    return verdict_on(backend, model, recipe, recipe_shapes(model, recipe))


if __name__ == "__main__":
    main()
