"""Engines are kept by what they were built from, found again, and let go: whole or not at all, whoever is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.conftest import RequestOf, null
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import Reuse, Run, Status
from workbench.pipeline import run
from workbench.pipeline.kept_engines import ENTRY_FILE, KeptEngines

SOURCE = Reuse("20260101-000000-000000", "2026-01-01T00:00:00Z", 12.3)
FIRST, SECOND = "a" * 40, "b" * 40


@pytest.fixture
def kept(tmp_path: Path) -> KeptEngines:
    return KeptEngines(tmp_path / "engines")


def engine(folder: Path, text: bytes = b"an engine") -> list[Path]:
    folder.mkdir(parents=True)
    (folder / "engine.trt").write_bytes(text)
    (folder / "said.json").write_bytes(b"{}")
    return [folder / "engine.trt", folder / "said.json"]


def finished(request_of: RequestOf, run_id: str, **fields: object) -> Run:
    request = request_of(run_id, **fields)
    done = run(request, lambda event: None, lambda: False)
    assert done.status is Status.DONE, done.error
    return done


def test_what_is_kept_is_found_with_its_files_and_who_built_it(kept: KeptEngines, tmp_path: Path) -> None:
    kept.keep(FIRST, engine(tmp_path / "run1"), SOURCE)
    (tmp_path / "run2").mkdir()
    assert kept.take(FIRST, tmp_path / "run2") == SOURCE
    assert (tmp_path / "run2" / "engine.trt").read_bytes() == b"an engine"
    assert kept.take(SECOND, tmp_path / "run2") is None


def test_a_kept_engine_takes_no_disk_beside_its_run(kept: KeptEngines, tmp_path: Path) -> None:
    files = engine(tmp_path / "run1")
    kept.keep(FIRST, files, SOURCE)
    assert files[0].samefile(kept.root / FIRST / files[0].name)


def test_a_damaged_engine_is_not_given_and_let_go(kept: KeptEngines, tmp_path: Path) -> None:
    kept.keep(FIRST, engine(tmp_path / "run1"), SOURCE)
    (tmp_path / "run1" / "engine.trt").write_bytes(b"an Engine")
    assert kept.take(FIRST, tmp_path) is None
    assert not (kept.root / FIRST).exists()


@pytest.mark.parametrize(
    "entry", [b"", b'{"source"', b'{"source":{"run":"","built":"","seconds":1},"files":{"../x":""}}']
)
def test_an_entry_that_cannot_be_believed_is_let_go(kept: KeptEngines, tmp_path: Path, entry: bytes) -> None:
    kept.keep(FIRST, engine(tmp_path / "run1"), SOURCE)
    (kept.root / FIRST / ENTRY_FILE).write_bytes(entry)
    assert kept.take(FIRST, tmp_path) is None
    assert not (kept.root / FIRST).exists()


def test_an_engine_built_anew_takes_the_place_of_the_kept_one(kept: KeptEngines, tmp_path: Path) -> None:
    kept.keep(FIRST, engine(tmp_path / "run1"), SOURCE)
    kept.keep(FIRST, engine(tmp_path / "run2", b"another"), Reuse("later", "", 1.0))
    found = kept.take(FIRST, tmp_path)
    assert found is not None
    assert found.run == "later"
    assert (tmp_path / "engine.trt").read_bytes() == b"another"
    assert [path.name for path in kept.root.iterdir()] == [FIRST]


def test_only_what_no_run_has_is_let_go_and_the_least_used_first(kept: KeptEngines, tmp_path: Path) -> None:
    for index, key in enumerate(("a" * 40, "b" * 40, "c" * 40)):
        files = engine(tmp_path / key, b"x" * 1000)
        kept.keep(key, files, SOURCE)
        os.utime(kept.root / key / ENTRY_FILE, (index, index))
    for key in ("b" * 40, "c" * 40):
        for file in (tmp_path / key).iterdir():
            file.unlink()
    kept.tidy(limit_bytes=1500)
    assert sorted(path.name for path in kept.root.iterdir()) == ["a" * 40, "c" * 40]
    assert kept.usage()[0] == 2
    assert kept.usage()[2] == 1002


def test_leftovers_of_killed_programs_go_once_they_are_old(kept: KeptEngines, tmp_path: Path) -> None:
    kept.keep(FIRST, engine(tmp_path / "run1"), SOURCE)
    old, young = kept.root / ".new-1-1", kept.root / ".new-2-2"
    for part in (old, young):
        part.mkdir()
    os.utime(old, (1, 1))
    kept.tidy()
    assert not old.exists()
    assert young.exists()
    assert (kept.root / FIRST).exists()


KEEPER = """
import sys
from pathlib import Path
from tests.pipeline.test_kept_engines import FIRST, SOURCE, engine
from workbench.pipeline.kept_engines import KeptEngines
kept, folder = KeptEngines(Path(sys.argv[1]) / "engines"), Path(sys.argv[1]) / sys.argv[2]
files = engine(folder, b"e" * 300_000)
print("ready", flush=True)
while True:
    kept.keep(FIRST, files, SOURCE)
"""


def test_programs_that_keep_the_same_engine_and_are_killed_never_leave_half_of_it(tmp_path: Path) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", KEEPER, str(tmp_path), f"run{index}"], stdout=subprocess.PIPE)
        for index in range(2)
    ]
    kept, seen = KeptEngines(tmp_path / "engines"), 0
    try:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        while seen < 20:
            target = tmp_path / f"taken{seen}"
            target.mkdir(exist_ok=True)
            if kept.take(FIRST, target) is not None:
                assert (target / "engine.trt").read_bytes() == b"e" * 300_000
                seen += 1
            else:
                assert all(child.poll() is None for child in children)
                time.sleep(0.001)  # between the old one and the new
    finally:
        for child in children:
            child.kill()
            child.communicate()
    for home in kept.root.iterdir():
        if not home.name.startswith("."):
            assert (home / ENTRY_FILE).is_file()
            assert (home / "engine.trt").read_bytes() == b"e" * 300_000


def test_a_second_run_of_the_same_finds_the_engine_and_says_so(request_of: RequestOf) -> None:
    first = finished(request_of, "run-0001", config=null(keep="on"))
    second = finished(request_of, "run-0002", config=null(keep="on"))
    assert first.build is not None
    assert first.build.reused is None
    assert second.build is not None
    assert second.build.reused is not None
    assert second.build.reused.run == "run-0001"
    assert any("is that of run run-0001" in note for note in second.build.notes)
    assert second.timing is not None
    assert second.timing.stats is not None
    assert second.accuracy is not None


def test_an_engine_is_built_anew_where_that_is_asked_for(request_of: RequestOf) -> None:
    finished(request_of, "run-0001", config=null(keep="on"))
    again = finished(request_of, "run-0002", config=null(keep="on"), rebuild=True)
    third = finished(request_of, "run-0003", config=null(keep="on"))
    assert again.build is not None
    assert again.build.reused is None
    assert third.build is not None
    assert third.build.reused is not None
    assert third.build.reused.run == "run-0002"


def test_another_plan_or_option_is_another_engine(request_of: RequestOf) -> None:
    finished(request_of, "run-0001", config=null(keep="on"))
    options = finished(request_of, "run-0002", config=null(keep="on", other="1"))
    config = null(keep="on")
    half = type(config)(
        **{**{f: getattr(config, f) for f in config.__struct_fields__}, "plan": PrecisionPlan(Precision.FP16)}
    )
    plan = finished(request_of, "run-0003", config=half)
    for other in (options, plan):
        assert other.build is not None
        assert other.build.reused is None


def test_a_full_disk_costs_the_next_build_and_nothing_else(
    request_of: RequestOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: KeptEngines, *values: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(KeptEngines, "keep", refuse)
    assert finished(request_of, "run-0001", config=null(keep="on")).build is not None
