from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.conftest import QUICK, Cli
from workbench.cli.arguments import make_parser
from workbench.cli.shapes import parse_profile, parse_shape

WELL_WITHIN_S = 180
"""Of the ten minutes that a build or a race would last which is ended at once."""


@pytest.mark.parametrize(
    ("argv", "opened"),
    [
        ([], ("", "")),
        (["some model.onnx"], ("some model.onnx", "")),
        (["m.onnx", "--screenshot", "w.png"], ("m.onnx", "w.png")),
        (["--screenshot", "w.png"], ("", "w.png")),
    ],
)
def test_without_a_command_the_window_opens(cli: Cli, argv: list[str], opened: tuple[str, str]) -> None:
    answer = cli(*argv)
    assert (answer.code, answer.opened, answer.out) == (0, [opened], "")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--nonsense"], "COMMAND"),
        (["run"], "MODEL"),
        (["run", "m.onnx", "--precision", "fp7"], "fp7"),
        (["run", "m.onnx", "--backend", "abacus"], "'abacus' is no backend; choose from null,"),
        (["run", "m.onnx", "--precision", "fp16", "--plan", "p.toml"], "not allowed with"),
        (["run", "m.onnx", "--shape", "x=1y2"], "shape like 1x3x224x224"),
        (["run", "m.onnx", "--shape", "1x3"], "is not NAME="),
        (["run", "m.onnx", "--profile", "x=1x2:4x2"], "is not NAME=MIN:OPT:MAX"),
        (["run", "m.onnx", "--profile", "x=4x2:2x2:8x2"], "does not grow"),
        (["run", "m.onnx", "--seconds", "-1"], "number of seconds"),
        (["compare", "m.onnx", "--precisions", "fp32,fp7"], "'fp7' is no precision"),
        (["plan", "m.onnx", "--precision", "fp7"], "'fp7' is no precision; choose from fp32,"),
        (["compare", "m.onnx", "--backends", ","], "is empty"),
        (["two.onnx", "files.onnx"], "two.onnx"),
    ],
)
def test_wrong_use_is_exit_code_2_and_says_what_is_wrong(cli: Cli, argv: list[str], said: str) -> None:
    answer = cli(*argv)
    assert (answer.code, answer.out, answer.opened) == (2, "", [])
    assert said in answer.err


def test_help_and_version_are_no_failure(cli: Cli) -> None:
    assert cli("--help").code == 0
    version = cli("--version")
    assert (version.code, version.out.split()[0]) == (0, "workbench")


@pytest.mark.parametrize(
    ("text", "name", "shape"),
    [
        ("x=1x3x224x224", "x", (1, 3, 224, 224)),
        ("serving_default_input_2:0=1x43844x1", "serving_default_input_2:0", (1, 43844, 1)),
        ("a=b=2X3", "a=b", (2, 3)),
        ("sr=", "sr", ()),
        ("x=5", "x", (5,)),
    ],
)
def test_a_shape_is_what_follows_the_last_equals_sign(text: str, name: str, shape: tuple[int, ...]) -> None:
    assert parse_shape(text) == (name, shape)


def test_a_profile_has_three_shapes_and_its_name_may_hold_colons() -> None:
    assert parse_profile("in:0=1x2:4x2:8x2") == ("in:0", ((1, 2), (4, 2), (8, 2)))


def test_a_run_prints_one_document_and_nothing_else(cli: Cli, model: Path) -> None:
    answer = cli("run", model, *QUICK, "--json", "--shape", "in:0=a=3x1x4x4")
    assert answer.code == 0, answer.err
    document = answer.document
    assert (document["status"], document["backend"], document["precision"]) == ("done", "null", "fp32")
    assert document["timing"]["iterations"] >= 10
    assert document["model"] == str(model)


def test_a_run_for_people_says_time_protocol_and_accuracy(cli: Cli, model: Path) -> None:
    answer = cli("run", model, *QUICK)
    assert answer.code == 0, answer.err
    for word in ("median", "protocol", "accuracy", "ran in", "RANDOM"):
        assert word in answer.out
    phases = {line.split()[1] for line in answer.err.splitlines() if line.startswith("tiny  ")}
    # Those that pass between two batches are not shown.
    assert phases and phases <= {"open", "plan", "build", "time", "measure", "layers", "accuracy"}


def test_out_and_report_are_written(cli: Cli, model: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "report.html"
    assert cli("run", model, *QUICK, "--no-time", "--out", out, "--report", report).code == 0
    assert {"run.json", "request.json", "graph.json", "typed.onnx"} <= {path.name for path in out.iterdir()}
    assert "tiny" in report.read_text(encoding="utf-8")


def test_a_plan_file_decides_precisions_and_ranges(cli: Cli, model: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(
        'default = "fp16"\n[[rules]]\nop = "Conv"\nprecision = "int8"\n[calibration]\nmethod = "max"\nsamples = 3\n'
    )
    document = cli("run", model, "--backend", "null", "--no-time", "--plan", plan, "--samples", "2", "--json").document
    assert (document["precision"], document["status"]) == ("fp16+", "done")
    assert document["calibration"] == {"set": "random", "method": "max", "samples": 2}


@pytest.mark.parametrize("text", ['default = "fp7"', "default = ", "\xff\xfe"])
def test_a_file_that_is_no_plan_is_named(cli: Cli, model: Path, tmp_path: Path, text: str) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_bytes(text.encode("latin-1"))
    answer = cli("run", model, "--plan", plan)
    assert answer.code == 1
    assert "plan.toml is not a precision plan" in answer.err and "int8" in answer.err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["run", "/no/such.onnx"], "There is no file"),
        (["inspect", "/no/such.onnx"], "There is no file"),
        (["run", "{model}", "--evaluate", "/no/such/set"], "There is no sample set at /no/such/set"),
        (["run", "{model}", "--report", "/no/such/folder/r.html"], "There is no folder /no/such/folder"),
        (["run", "{model}", "--plan", "/no/plan.toml"], "There is no file /no/plan.toml"),
    ],
)
def test_a_users_error_is_one_sentence_with_a_hint(cli: Cli, model: Path, argv: list[str], said: str) -> None:
    answer = cli(*(word.replace("{model}", str(model)) for word in argv))
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("workbench: ") and answer.err.count("\n") == 1
    assert said in answer.err


def test_with_json_an_error_is_the_document(cli: Cli) -> None:
    answer = cli("run", "/no/such.onnx", "--json")
    assert answer.code == 1
    assert set(answer.document["error"]) == {"message", "hint"}


def test_a_failed_run_is_exit_code_1_and_its_document_says_why(cli: Cli, model: Path) -> None:
    answer = cli("run", model, *QUICK, "--option", "fail=The parser says no.", "--json")
    assert answer.code == 1
    assert answer.document["error"]["message"] == "The parser says no."
    assert "The parser says no. Take the option" in answer.err.splitlines()[-1]


def test_a_crash_of_an_engine_is_a_failed_run(cli: Cli, model: Path) -> None:
    answer = cli("run", model, *QUICK, "--option", "crash=segv", "--json")
    assert answer.code == 1
    assert answer.document["status"] == "failed"
    assert "SIGSEGV" in answer.err


def test_an_unexpected_error_is_one_line_and_a_crash_log(
    cli: Cli, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("workbench.store.Store.runs", fails)
    answer = cli("runs")
    (log,) = (own_home / "crashes").iterdir()
    assert answer.code == 1 and answer.err.count("\n") == 1
    assert "Internal error: ZeroDivisionError('oops')" in answer.err and str(log) in answer.err
    text = log.read_text(encoding="utf-8")
    assert "Traceback" in text and "Python" in text


def test_the_history_is_newest_first_and_starts_empty(cli: Cli, model: Path) -> None:
    assert "There are no runs yet" in cli("runs").out
    quick = ("--backend", "null", "--no-time", "--evaluate", "none", "--json")
    ids = [cli("run", model, *quick).document["id"] for _ in range(2)]
    listed = [run["id"] for run in cli("runs", "--json").document]
    assert sorted(listed) == sorted(ids)
    assert len(cli("runs", "--json", "--limit", "1").document) == 1
    assert listed[0] in cli("runs").out


def test_a_comparison_prints_rows_a_race_and_a_report(cli: Cli, model: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    argv = ["compare", model, "--backends", "openvino", "--precisions", "fp32,fp4_weights", "--threads", "1"]
    argv += ["--seconds", "0.05", "--race-seconds", "0.1", "--evaluate", "none", "--report", report, "--json"]
    answer = cli(*argv)
    assert answer.code == 0, answer.err
    runs = answer.document["runs"]
    assert [run["title"] for run in runs] == ["source graph, unfused", "OpenVINO FP32", "OpenVINO FP4 weights"]
    assert [run["status"] for run in runs] == ["done", "done", "failed"]
    assert answer.document["race"]["rounds"] >= 6
    assert "FP4" in answer.err
    assert report.is_file()


def test_a_comparison_of_which_nothing_ran_is_exit_code_1(cli: Cli, model: Path) -> None:
    answer = cli(
        "compare",
        model,
        "--backends",
        "openvino",
        "--precisions",
        "fp4_weights",
        "--no-baseline",
        "--calibration",
        "random",
    )
    assert answer.code == 1
    assert "No run was done." in answer.err and "FP4" in answer.out


def test_inspect_says_what_a_model_holds_and_who_takes_it(cli: Cli, model: Path) -> None:
    document = cli("inspect", model, "--json").document
    assert (document["nodes"], document["ops"], document["opset"]) == (2, {"Conv": 1, "Relu": 1}, 17)
    assert document["inputs"] == [
        {"name": "in:0=a", "dtype": "float32", "shape": ["n", 1, 4, 4], "guess": [1, 1, 4, 4]}
    ]
    assert document["backends"]["openvino"]["accepted"] is True
    assert document["backends"]["onnxruntime"]["accepted"] is True
    assert "null" not in document["backends"]


def test_doctor_says_what_each_backend_can_do_here(cli: Cli) -> None:
    answer = cli("doctor", "--json")
    assert answer.code == 0
    backends = answer.document["backends"]
    assert backends["openvino"]["available"] and backends["openvino"]["precisions"]["fp32"] == ""
    assert all(can["available"] or can["reason"] for can in backends.values())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_at_once_and_leaves_no_process(model: Path, number: signal.Signals) -> None:
    program = started("run", str(model), "--backend", "null", "--option", "delay_s=600", "--json")
    children = wait_for_build(program)
    program.send_signal(number)
    out, err = program.communicate(timeout=WELL_WITHIN_S)
    assert program.returncode == 1
    assert json.loads(out)["status"] == "cancelled"
    assert err.decode().splitlines()[-1].endswith("Cancelled.")
    assert not [child for child in children if child.is_running()]


def test_ctrl_c_in_the_race_is_a_cancelled_comparison(model: Path) -> None:
    argv = ["compare", str(model), "--backends", "null", "--precisions", "fp32,fp16", "--no-baseline"]
    argv += ["--evaluate", "none", "--seconds", "0.05", "--race-seconds", "600"]
    argv += ["--option", "latency_ms=50"]  # equals are decided in eight rounds: six seconds, where 1 ms gives one
    program = started(*argv)
    assert program.stderr is not None
    assert any(line.startswith(b"race  time") for line in program.stderr)
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=WELL_WITHIN_S)
    assert program.returncode == 1
    assert err.decode().splitlines()[-1] == "workbench: Cancelled."
    assert b"Null FP16" in out


def started(*argv: str, **options: Any) -> subprocess.Popen[bytes]:
    """The program as a process of its own."""
    call = "import sys; from workbench.cli import main; sys.exit(main(sys.argv[1:], lambda path: 0))"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([sys.executable, "-c", call, *argv], **pipes)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_failure(closed: str) -> None:
    call = f'"{sys.executable}" -m workbench runs {closed}'
    found = subprocess.run(["/bin/sh", "-c", call], capture_output=True, timeout=180, check=False)
    assert (found.returncode, found.stderr) == (0, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_stdout_is_one_sentence(unbuffered: str) -> None:
    variables = dict(os.environ, PYTHONUNBUFFERED=unbuffered)
    with Path("/dev/full").open("wb") as full:
        program = started("runs", stdout=full, env=variables)
        _, err = program.communicate(timeout=180)
    assert program.returncode == 1
    assert err.decode().startswith("workbench: No space left on device.") and err.count(b"\n") == 1


def test_a_character_that_the_terminal_lacks_is_shown_escaped() -> None:
    ascii_only = dict(os.environ, PYTHONIOENCODING="ascii")
    out, err = (program := started("inspect", "/no/such/\u2713.onnx", env=ascii_only)).communicate(timeout=180)
    assert (program.returncode, out) == (1, b"")
    assert rb"\u2713.onnx" in err


def test_a_name_that_is_not_utf_8_is_a_users_error(cli: Cli) -> None:
    answer = cli("run", os.fsdecode(b"b\xff.onnx"))
    assert (answer.code, answer.out) == (1, "")
    assert "is not UTF-8. Rename the file." in answer.err


def wait_for_build(program: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """Reads stderr until the build has begun; the program's children then."""
    assert program.stderr is not None
    for line in program.stderr:
        if b"waiting" in line or b" build " in line:
            return psutil.Process(program.pid).children(recursive=True)
    raise AssertionError("the build never began")


def test_every_command_of_the_design_is_there() -> None:
    for argv in (["doctor"], ["inspect", "m"], ["run", "m"], ["compare", "m"], ["runs"]):
        arguments = make_parser().parse_args([*argv, "--json"])
        assert arguments.json
