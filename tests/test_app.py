"""The door on a machine without a display."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.resources import sample_models

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has machines without a display")


def without_display(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    env = {name: value for name, value in os.environ.items() if name not in hidden} | {"WORKBENCH_HOME": str(home)}
    command = [sys.executable, "-m", "workbench", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.parametrize("words", [(), ("a_word_that_is_no_command",)])
def test_a_window_without_a_display_is_refused_in_a_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = without_display(tmp_path, *words)
    assert done.returncode == 1
    assert done.stderr.startswith("workbench: There is no display here")
    assert "workbench --help" in done.stderr


def test_a_screenshot_needs_no_display(tmp_path: Path) -> None:
    picture = tmp_path / "window.png"
    model = sample_models() / "digits" / "digits_resnet.onnx"
    done = without_display(tmp_path, str(model), "--screenshot", str(picture))
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
