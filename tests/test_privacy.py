"""Nothing about the user or the models leaves the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OPEN = """
import workbench
from workbench.backends.base import load_backend
for name in ("openvino", "onnxruntime"):
    assert load_backend(name).capabilities().available
"""


def test_engines_are_loaded_without_their_telemetry(tmp_path: Path) -> None:
    """OpenVINO would keep `~/intel/openvino_ga_cid`, ONNX Runtime a session file `.ses` in the temporary folder."""
    unset = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", OPEN],
        env=unset | {"TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == []
