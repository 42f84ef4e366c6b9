"""One plan file, several precisions in it, three backends from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from workbench.backends.base import load_backend
from workbench.resources import sample_models

OCR = sample_models() / "ocr" / "ppocrv4_rec.onnx"
PLAN = """
default = "fp16"

[calibration]
method = "percentile"
samples = 4

[[rules]]
precision = "int8"
op = "Conv"

[[rules]]
precision = "int4_weights"
op = "MatMul"

[[rules]]
precision = "fp32"
first = 1
last = 1
"""


def workbench(*words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "workbench", *words, "--json"],
        capture_output=True,
        env=dict(os.environ, PYTHONSAFEPATH="1", OMP_WAIT_POLICY="PASSIVE"),
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-600:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime", "tensorrt_rtx"])
def test_one_plan_file_drives_every_backend(tmp_path: Path, backend: str) -> None:
    if not load_backend(backend).capabilities().available:
        pytest.skip(f"{backend} is not installed")
    plan = tmp_path / "mixed.toml"
    plan.write_text(PLAN)
    run = workbench("run", str(OCR), "--backend", backend, "--plan", str(plan), "--no-time", "--limit", "4")
    notes = " ".join(run["build"]["notes"])
    assert "are written in INT8" in notes and "are stored as INT4 weights" in notes and "are written in FP16" in notes
    assert run["build"]["asked"]["fp32"] == 2
    worst = min(output["sqnr_db"] for output in run["accuracy"]["outputs"].values())
    assert worst > 8.0
