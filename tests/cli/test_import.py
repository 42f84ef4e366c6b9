"""`workbench import`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Cli

TIMES = ("trt11_times.json", "trt11_profile.json")
DATA = Path(__file__).parent.parent / "pipeline" / "data"


def test_an_import_stands_in_the_history(cli: Cli) -> None:
    answer = cli("import", DATA / "trt11_layers.json", DATA / "trt11_profile.json", "--json")
    assert answer.code == 0, answer.err
    assert answer.document["title"] == "TensorRT 11 (imported) FP16"
    assert answer.document["build"]["layers"] == 6
    assert [run["id"] for run in cli("runs", "--json").document] == [answer.document["id"]]


def test_an_import_is_neither_raced_nor_tuned(cli: Cli) -> None:
    """Its engine is elsewhere; building it again would help nobody."""
    runs = [cli("import", DATA / "trt11_layers.json", DATA / name, "--json").document["id"] for name in TIMES]
    for words in (("race", *runs), ("tune", runs[0])):
        answer = cli(*words)
        assert answer.code == 1 and "was measured elsewhere" in answer.err and "Build it again" not in answer.err


def test_what_cannot_be_imported_is_one_sentence_and_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    path.write_text("[]", "utf-8")
    answer = cli("import", path)
    assert (answer.code, answer.out) == (1, "")
    assert "no.json is of no kind that can be imported" in answer.err
    assert cli("runs", "--json").document == []
