"""Nouns on disk: whole or not at all, JSON whatever the numbers are, and a reason where something cannot be read."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from workbench.core.errors import WorkbenchError
from workbench.core.json import encode, read_json, write_json
from workbench.core.model import TensorSpec
from workbench.core.run import OutputError
from workbench.core.writing import written_whole

SPEC = TensorSpec("x", "float32", ("batch", 3))


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    write_json(tmp_path / "spec.json", SPEC)
    assert read_json(tmp_path / "spec.json", TensorSpec) == SPEC


def test_numbers_that_json_lacks_are_null() -> None:
    assert json.loads(encode(OutputError(float("nan"), float("inf"), float("-inf")))) == {
        "cosine": None,
        "sqnr_db": None,
        "max_abs": None,
        "agreement": None,
    }


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[1]", b'{"name": 3}', b"[" * 100_000, b"9" * 5000])
def test_a_file_that_is_no_such_noun_is_a_users_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "spec.json"
    path.write_bytes(data)
    with pytest.raises(WorkbenchError, match="This is not a TensorSpec"):
        read_json(path, TensorSpec)


def test_a_failed_write_leaves_the_old_file_and_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(path) as file:
        file.write(b"new, but")
        raise ZeroDivisionError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("spec.json", "old")]


def test_what_the_disk_refuses_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.mkdir()
    with pytest.raises(IsADirectoryError) as refused:
        write_json(path, SPEC)
    assert refused.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_never_mix(tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    both = threading.Barrier(2)

    def write(letter: bytes) -> None:
        for _ in range(20):
            with written_whole(path, sync=False) as file:
                file.write(letter * 500)
                both.wait(timeout=120)
                file.write(letter * 500)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in (b"a" * 1000, b"b" * 1000)
    assert list(tmp_path.iterdir()) == [path]
