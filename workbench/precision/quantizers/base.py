"""A quantizer of others: where it lives, what it makes, and how it is run.

Each runs as a script in a Python of its own choice, because its packages may fit into no environment but theirs
(Model Optimizer wants torch): that of this program where it can import it, else the one that the variable names.
The script is given a folder with `model.onnx`, `feeds/*.npz` and `options.json`, and leaves `quantized.onnx` there.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import pkgutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto

from workbench.core.errors import Cancelled, WorkbenchError, one_line
from workbench.core.precision import Precision

Feed = Mapping[str, NDArray[np.generic]]

SCRIPTS = Path(__file__).parent / "scripts"
POLL_SECONDS = 0.1
ASK_SECONDS = 60
LAST_LINES = 40


class Quantizer(msgspec.Struct, frozen=True):
    """One way of one tool. `id` is `tool:way`; `precision` is what it writes most; `options` go to the script."""

    id: str
    title: str
    tool: str
    package: str
    precision: Precision
    summary: str
    options: dict[str, str] = {}
    needs_samples: bool = True

    @property
    def variable(self) -> str:
        """Of the environment: a Python that has the tool."""
        return f"WORKBENCH_{self.tool.upper()}_PYTHON"

    @property
    def hint(self) -> str:
        return (
            f"`pip install 'inference-workbench[{self.tool}]'`, or let {self.variable} name the Python of an"
            f" environment that has {self.package}."
        )

    def reason(self) -> str:
        """Why it cannot be used here; "" where it can."""
        return "" if python_of(self.variable, self.package) else f"{self.title} is not installed."


def quantizers() -> tuple[Quantizer, ...]:
    """Every way of every tool that has a file in this folder, installed or not, by id."""
    found: list[Quantizer] = []
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        found += getattr(importlib.import_module(f"{__package__}.{module.name}"), "QUANTIZERS", ())
    return tuple(sorted(found, key=lambda one: one.id))


def find_quantizer(quantizer_id: str) -> Quantizer:
    """Raises WorkbenchError where there is none of this id, or it is not installed."""
    known = {one.id: one for one in quantizers()}
    if quantizer_id not in known:
        name = one_line(quantizer_id, 60)
        raise WorkbenchError(f"There is no quantizer {name}.", f"Choose from: {', '.join(known)}.")
    if reason := known[quantizer_id].reason():
        raise WorkbenchError(reason, known[quantizer_id].hint)
    return known[quantizer_id]


def python_of(variable: str, package: str) -> str:
    """Path of a Python that can import `package`; "" where there is none."""
    named = os.environ.get(variable, "")
    if named:
        return named if _has(named, package) else ""
    try:
        is_here = importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        is_here = False
    return sys.executable if is_here else ""


@cache
def _has(python: str, package: str) -> bool:
    """Whether that Python finds the package; without importing it, which takes seconds."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
    try:
        asked = subprocess.run([python, "-c", code, package], capture_output=True, timeout=ASK_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return asked.returncode == 0


def run_quantizer(
    quantizer: Quantizer,
    base: ModelProto,
    feeds: Iterable[Feed],
    excluded: Sequence[str],
    folder: Path,
    log: Callable[[str], None],
    cancelled: Callable[[], bool],
) -> ModelProto:
    """What the tool makes of `base` with these calibration samples; nodes of `excluded` names it leaves as they are.

    Raises Cancelled, and WorkbenchError with the tool's own last words where it gives up.
    """
    (folder / "feeds").mkdir(parents=True)
    onnx.save(base, folder / "model.onnx")
    for index, feed in enumerate(feeds):
        if cancelled():
            raise Cancelled
        arrays: dict[str, Any] = dict(feed)
        np.savez(folder / "feeds" / f"{index:06}.npz", **arrays)
    (folder / "options.json").write_text(json.dumps({**quantizer.options, "excluded": list(excluded)}), "utf-8")
    words = folder / "words.txt"
    script = SCRIPTS / f"run_{quantizer.tool}.py"
    python = python_of(quantizer.variable, quantizer.package)
    with words.open("wb") as output:
        code = _wait([python, str(script), str(folder)], folder, output.fileno(), cancelled)
    said = words.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
    for line in said:
        log(line)
    return _read(quantizer, folder / "quantized.onnx", code, said)


def _wait(command: list[str], folder: Path, output: int, cancelled: Callable[[], bool]) -> int:
    """Exit code of the command, which dies with the cancel. Its threads are one: others may be timing."""
    single = {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}
    surroundings = {**os.environ, **single}
    with subprocess.Popen(command, stdout=output, stderr=output, env=surroundings, cwd=folder) as process:
        while process.poll() is None:
            if cancelled():
                process.kill()
                raise Cancelled
            time.sleep(POLL_SECONDS)
        return process.returncode


def _read(quantizer: Quantizer, path: Path, code: int, said: list[str]) -> ModelProto:
    if code or not path.exists():
        last = next((line for line in reversed(said) if line.strip()), f"it ended with code {code}")
        raise WorkbenchError(
            f"{quantizer.title} gave up: {one_line(last, 300)}",
            "The log has its last words. Quantize with the workbench's own plan, or exclude what it names.",
        )
    return onnx.load(path)
