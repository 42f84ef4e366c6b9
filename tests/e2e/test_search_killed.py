"""A search killed with -9 in the middle and started again: it goes on, and measures nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests.session.models import save_small_model

SECONDS_OF_ROOM = 120


def search(model: Path, home: Path, *more: str) -> subprocess.Popen[bytes]:
    """On the backend that computes nothing: every plan takes its time and none has an effect."""
    words = ["search", str(model), "--backend", "null", "--precisions", "int8", "--methods", "mse", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "workbench", *words, "--json", "--option", "latency_ms=0.2", "--seconds", "600"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ, WORKBENCH_HOME=str(home), PYTHONSAFEPATH="1", OMP_WAIT_POLICY="PASSIVE"),
        start_new_session=True,
    )


def on_disk(home: Path) -> dict[str, Any]:
    """What the search has written so far; files are whole or not there."""
    files = list((home / "searches").glob("*/search.json"))
    return json.loads(files[0].read_bytes()) if files else {"points": []}


def until_points(home: Path, count: int, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Waits until so many points are on disk: from then on they stay."""
    end = time.monotonic() + SECONDS_OF_ROOM
    while len((found := on_disk(home))["points"]) < count:
        assert process.poll() is None, process.communicate()[1].decode()[-600:]
        assert time.monotonic() < end, "no points"
        time.sleep(0.1)
    return found


def test_a_search_killed_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    model, home = save_small_model(tmp_path / "small.onnx"), tmp_path / "home"
    first = search(model, home)
    before = until_points(home, 2, first)
    children = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    psutil.wait_procs(children, timeout=SECONDS_OF_ROOM)
    assert not any(child.is_running() for child in children)
    killed = on_disk(home)
    assert len(killed["points"]) >= len(before["points"]) and not killed["is_over"]
    second = search(model, home, "--out", str(tmp_path / "plans"))
    document = json.loads(second.communicate()[0])
    assert document["key"] == killed["key"] and document["is_over"]
    known = {point["id"]: point["first"] for point in killed["points"]}
    assert known == {point["id"]: point["first"] for point in document["points"] if point["id"] in known}
    assert [point["id"] for point in document["points"]] == list(range(len(document["points"])))
    assert len(document["points"]) > len(known) and document["spent"] > killed["spent"]
    assert len(list((tmp_path / "plans").glob("0*.toml"))) == len(document["front"])
