"""The null backend keeps the contract, says that it computes nothing, and misbehaves when asked to."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.backends import opening
from tests.backends.contract import BackendContract
from workbench.backends.base import Engine, load_backend
from workbench.core.errors import WorkbenchError
from workbench.core.graph import FateKind
from workbench.core.run import BuildConfig

CRASHING = """
import sys, pathlib, msgspec
from tests.backends import opening
from workbench.backends.base import load_backend
from workbench.core.run import BuildConfig
folder = pathlib.Path(sys.argv[1])
typed = opening.typed(opening.opened("residual", folder), folder)
load_backend("null").build(typed, BuildConfig(options={"crash": sys.argv[2]}), folder, print)
"""


class TestNull(BackendContract):
    backend_id = "null"
    computes = False


def build(folder: Path, **options: str) -> Engine:
    typed = opening.typed(opening.opened("residual", folder), folder)
    return load_backend("null").build(typed, BuildConfig(options=options), folder, lambda *step: None)


def test_a_residual_block_becomes_one_layer(tmp_path: Path) -> None:
    engine = build(tmp_path)
    assert [layer.sources for layer in engine.graph.layers] == [
        ("n0", "n1", "n2"),
        ("n3", "n4", "n5"),
        ("n6", "n7", "n8", "n9"),
        ("n10", "n11"),
        ("n12",),
    ]
    assert engine.fates["n11"].kind is FateKind.ABSORBED


def test_it_says_that_nothing_is_computed(tmp_path: Path) -> None:
    engine = build(tmp_path)
    assert "computes nothing" in engine.notes[0]
    with engine.runner() as runner:
        outputs = runner.infer({})
        assert not np.any(outputs["y, out/0"])
        times = [runner.time({}) for _ in range(3)]
    assert times == sorted(times)


def test_it_fails_with_the_message_it_is_given(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="no memory"):
        build(tmp_path, fail="no memory")


def test_it_waits_as_long_as_asked(tmp_path: Path) -> None:
    started = time.perf_counter()
    build(tmp_path, delay_s="0.2")
    assert time.perf_counter() - started >= 0.2


@pytest.mark.parametrize(("how", "code"), [("segv", -11), ("exit", 3)])
def test_it_crashes_when_asked(how: str, code: int, tmp_path: Path) -> None:
    child = [sys.executable, "-c", CRASHING, str(tmp_path), how]
    assert subprocess.run(child, capture_output=True, timeout=600, check=False).returncode == code


def test_an_option_that_is_no_number_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="delay_s is 'soon'"):
        build(tmp_path, delay_s="soon")


def test_an_unknown_crash_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="segv, exit, hang"):
        build(tmp_path, crash="fire")
