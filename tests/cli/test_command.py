"""`workbench command`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import QUICK, Cli

DATA = Path(__file__).parent.parent / "pipeline" / "data"


def test_a_run_that_tensorrt_did_not_build_here_has_no_command(cli: Cli, model: Path) -> None:
    run = cli("run", model, *QUICK, "--evaluate", "none", "--json").document["id"]
    answer = cli("command", run, "--as", "python")
    assert (answer.code, answer.out) == (1, "")
    assert "not built by TensorRT" in answer.err
    run = cli("import", DATA / "trt10_profile.json", "--json").document["id"]
    assert "Nothing says how this run was built" in cli("command", run).err
