"""The history: what was finished is there again, what died is said to have died, strangers' ids lead nowhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest

from workbench.core.errors import WorkbenchError
from workbench.core.json import write_json
from workbench.core.run import BuildConfig, Run, Status
from workbench.pipeline.files import LATENCIES_FILE, RUN_FILE
from workbench.store import Store
from workbench.store.store import OWNER_FILE, Owner


def make_run(store: Store, status: Status = Status.DONE) -> Run:
    run_id, _ = store.new_folder()
    run = Run(run_id, "/models/m.onnx", "abc", "m", BuildConfig(), status, "2026-01-01T00:00:00Z")
    store.save(run)
    return run


def dead_owner() -> Owner:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    return Owner(child.pid, 1.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_runs_come_back_newest_first_after_a_restart(store: Store) -> None:
    runs = [make_run(store) for _ in range(3)]
    assert Store(store.root).runs() == runs[::-1]


def test_a_label_survives(store: Store) -> None:
    run = make_run(store)
    store.rename(run.id, "the good one")
    assert Store(store.root).load(run.id).label == "the good one"


def test_half_a_file_is_left_out_of_the_history(store: Store) -> None:
    good, bad = make_run(store), make_run(store)
    path = store.folder(bad.id) / RUN_FILE
    path.write_bytes(path.read_bytes()[:40])
    assert store.runs() == [good]


def test_a_run_of_a_dead_program_is_interrupted(store: Store) -> None:
    run = make_run(store, Status.RUNNING)
    write_json(store.folder(run.id) / OWNER_FILE, dead_owner())
    assert [swept.id for swept in store.sweep()] == [run.id]
    found = store.load(run.id)
    assert found.status is Status.INTERRUPTED
    assert found.error is not None and found.error.hint


def test_a_run_of_a_living_program_is_left_alone(store: Store) -> None:
    run = make_run(store, Status.RUNNING)
    assert store.sweep() == []
    assert store.load(run.id).status is Status.RUNNING


def test_a_pid_that_was_given_to_another_program_is_no_owner() -> None:
    living = Owner.of_this_process()
    assert living.is_alive()
    assert not msgspec.structs.replace(living, started=living.started - 500).is_alive()


def test_a_folder_that_never_became_a_run_is_removed(store: Store) -> None:
    run_id, folder = store.new_folder()
    write_json(folder / OWNER_FILE, dead_owner())
    store.sweep()
    assert not folder.exists(), run_id


def test_a_deleted_run_is_gone_with_its_files(store: Store) -> None:
    run = make_run(store)
    store.delete(run.id)
    assert store.runs() == []
    assert not store.folder(run.id).exists()


@pytest.mark.parametrize("bad", ["", "..", "../../etc", "a/b", "x" * 100, "ABC"])
def test_what_is_no_id_leads_nowhere(store: Store, bad: str) -> None:
    with pytest.raises(WorkbenchError, match="not the id of a run"):
        store.folder(bad)


def test_latencies_come_back_as_measured(store: Store) -> None:
    run = make_run(store)
    assert store.latencies(run.id).size == 0
    np.save(store.folder(run.id) / LATENCIES_FILE, np.array([1.5, 2.5]))
    assert store.latencies(run.id).tolist() == [1.5, 2.5]


def test_a_latency_file_that_holds_objects_is_refused(store: Store) -> None:
    run = make_run(store)
    np.save(store.folder(run.id) / LATENCIES_FILE, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(WorkbenchError, match="cannot be read"):
        store.latencies(run.id)


def test_an_engine_graph_that_is_not_there_is_none(store: Store) -> None:
    assert store.engine_graph(make_run(store).id) is None


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x93NUMPY", b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'", b"words"])
def test_a_damaged_latency_file_is_a_users_error(store: Store, data: bytes) -> None:
    run = make_run(store)
    (store.folder(run.id) / LATENCIES_FILE).write_bytes(data)
    with pytest.raises(WorkbenchError, match="latencies of run"):
        store.latencies(run.id)


def test_what_is_no_run_of_ours_is_never_removed(store: Store) -> None:
    for name in ("notes", "my-own-folder", "20260101-000000-abcdef"):
        (store.root / name).mkdir(parents=True)
        (store.root / name / "thesis.txt").write_text("years of work")
    (store.root / "some-file-here").write_text("")
    assert store.sweep() == store.runs() == []
    assert len(list(store.root.rglob("thesis.txt"))) == 3


def test_a_copied_folder_is_no_second_run(store: Store) -> None:
    run = make_run(store, Status.RUNNING)
    write_json(store.folder(run.id) / OWNER_FILE, dead_owner())
    shutil.copytree(store.folder(run.id), store.root / "20990101-copy-of-it")
    assert [found.id for found in store.sweep()] == [run.id]
    assert [found.id for found in store.runs()] == [run.id]


def test_half_written_files_of_a_dead_program_are_removed(store: Store) -> None:
    run = make_run(store, Status.RUNNING)
    write_json(store.folder(run.id) / OWNER_FILE, dead_owner())
    (store.folder(run.id) / "latencies.npy.77.part").write_bytes(b"half")
    store.sweep()
    assert not list(store.folder(run.id).glob("*.part"))


def test_a_fresh_folder_is_never_without_its_owner(store: Store) -> None:
    """Another program's sweep at any moment takes no folder from us."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            for folder in store.root.iterdir():
                if not folder.name.startswith(".") and not (folder / OWNER_FILE).is_file():
                    orphans.append(folder)

    orphans: list[Path] = []
    store.root.mkdir(exist_ok=True)
    other = threading.Thread(target=sweep)
    other.start()
    ids = [store.new_folder()[0] for _ in range(30)]
    stop.set()
    other.join()
    assert orphans == []
    assert ids == sorted(set(ids))


def test_a_place_that_cannot_be_written_is_a_users_error_and_its_history_empty(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "none" / "runs")
    assert store.sweep() == store.runs() == []
    assert not store.root.exists()
    with pytest.raises(WorkbenchError, match=r"Not a directory.*WORKBENCH_HOME"):
        Store(tmp_path / "file" / "runs").new_folder()
