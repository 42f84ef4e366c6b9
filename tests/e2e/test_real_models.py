"""The command line on real models nobody tuned the program for: each works, or says in a sentence what does not.

Needs the collection of real models (a folder named by WORKBENCH_REAL_MODELS); without it these tests are skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import psutil
import pytest

from workbench.backends.base import load_backend
from workbench.core.recipe import InputSpec, Recipe
from workbench.data import write_recipe
from workbench.model import open_model

REAL = os.environ.get("WORKBENCH_REAL_MODELS", "")
BACKENDS = ("openvino", "onnxruntime", "tensorrt_rtx")
TIMEOUT_S = 240.0

pytestmark = pytest.mark.skipif(not REAL, reason="WORKBENCH_REAL_MODELS names no folder")


class Case(msgspec.Struct, frozen=True):
    """Inputs where the guess is not what the model wants, and words of the refusal by backend."""

    inputs: dict[str, InputSpec] = {}
    refused: dict[str, str] = {}
    least_db: float = 60.0


BY_BOTH = ("openvino", "tensorrt_rtx")
SILERO = {"input": InputSpec((1, 576)), "state": InputSpec((2, 1, 128), const=0), "sr": InputSpec((), const=16000)}
SWIFT = {"audio": InputSpec((1, 16000)), "fmin": InputSpec(const=46.875), "fmax": InputSpec(const=2093.75)}
CASES = {
    "basic_pitch": Case(),
    "dnsmos_p835": Case(),
    "magika_v3_3": Case({"bytes": InputSpec((1, 2048), low=0, high=257)}),
    "minilm_l6_int8": Case(),
    "ppocr_cls_v2": Case({"x": InputSpec((1, 3, 48, 192))}),
    "ppocrv4_det": Case({"x": InputSpec((1, 3, 320, 320))}, least_db=20.0),  # on noise its output is 1e-7 everywhere
    "ppocrv4_rec": Case({"x": InputSpec((1, 3, 48, 320))}),
    "silero_vad_v6": Case(SILERO),  # built for its sampling rate, which decides the branch
    "surfaces_gbr": Case(refused=dict.fromkeys(BY_BOTH, "Scaler")),
    "surfaces_tree": Case(refused=dict.fromkeys(BY_BOTH, "TreeEnsembleClassifier")),
    "swift_f0": Case(SWIFT),
}


class Answer(NamedTuple):
    code: int
    document: Any
    err: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's own data folder, with a recipe for each model that needs one."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(folder))
        for name, case in CASES.items():
            if case.inputs:
                write_recipe(open_model(_path(name)), Recipe(inputs=case.inputs))
    return folder


def _path(name: str) -> Path:
    return Path(REAL) / f"{name}.onnx"


def workbench(home: Path, temporary: Path, *words: str) -> Answer:
    """What the program says as a process of its own; fails where it hangs, leaves a trace or tells a traceback."""
    token = f"{os.getpid()}-{temporary.name}"
    more = {"WORKBENCH_HOME": str(home), "TMPDIR": str(temporary), "E2E_TOKEN": token, "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *words, "--json"],
        env=os.environ | more,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    assert "Internal error" not in done.stdout + done.stderr
    assert list(temporary.iterdir()) == []
    assert not list(home.rglob("*.part"))
    assert not _processes_of(token)
    return Answer(done.returncode, json.loads(done.stdout), done.stderr)


def _processes_of(token: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("E2E_TOKEN") == token:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_real_model_is_inspected(name: str, home: Path, tmp_path: Path) -> None:
    answer = workbench(home, tmp_path, "inspect", str(_path(name)))
    assert answer.code == 0
    verdicts = answer.document["backends"]
    assert {backend for backend in BACKENDS if not verdicts[backend]["accepted"]} == set(CASES[name].refused)
    for backend, op in CASES[name].refused.items():
        assert op in verdicts[backend]["reason"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", CASES)
def test_a_real_model_runs_or_names_the_op_and_the_reason(name: str, backend: str, home: Path, tmp_path: Path) -> None:
    case = CASES[name]
    if not load_backend(backend).capabilities().available:
        pytest.skip(f"{backend} is not installed")
    words = ("--backend", backend, "--precision", "fp32", "--evaluate", "random", "--limit", "2", "--seconds", "0.2")
    answer = workbench(home, tmp_path, "run", str(_path(name)), *words, "--threads", "1")
    if backend in case.refused:
        assert answer.code == 1
        error = answer.document["error"]
        assert case.refused[backend] in error["message"]
        assert error["hint"]
        assert error["message"] in answer.err
        return
    assert answer.code == 0, answer.err
    _check_done(answer.document, case.least_db)


def _check_done(run: dict[str, Any], least_db: float) -> None:
    assert run["status"] == "done"
    assert run["build"]["mapped"] == run["build"]["source_nodes"]
    assert run["build"]["layers"] > 0
    assert "median_ms" in run["timing"] or run["timing"]["reason"]
    errors = run["accuracy"]["outputs"].values()
    assert errors or run["accuracy"]["reason"]
    for error in errors:
        assert np.isfinite([error["cosine"], error["sqnr_db"], error["max_abs"]]).all()
        assert error["sqnr_db"] > least_db if error["agreement"] is None else error["agreement"] == 1.0
