"""`workbench search`: the limit, pins and what is refused before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.session.models import save_small_model
from workbench.cli.arguments import make_parser
from workbench.cli.main import main
from workbench.cli.search import _request, limit_of
from workbench.core.precision import CalibrationMethod, Precision
from workbench.core.search import Limit, LimitKind


def no_window(model: str, screenshot: str) -> int:
    raise AssertionError("no window is meant here")


@pytest.mark.parametrize(
    ("words", "limit"),
    [
        ([], Limit()),
        (["--within", "0.5%"], Limit(LimitKind.LOSS, 0.5)),
        (["--within", "1"], Limit(LimitKind.LOSS, 1.0)),
        (["--sqnr", "30dB"], Limit(LimitKind.SQNR, 30.0)),
        (["--faster", "2x"], Limit(LimitKind.SPEEDUP, 2.0)),
        (["--faster", "1.5×"], Limit(LimitKind.SPEEDUP, 1.5)),
        (["--under", "4ms"], Limit(LimitKind.TIME, 4.0)),
    ],
)
def test_a_limit_is_given_with_its_unit_or_without(words: list[str], limit: Limit) -> None:
    assert limit_of(make_parser().parse_args(["search", "m.onnx", *words])) == limit


@pytest.mark.parametrize("words", [["--within", "much"], ["--faster", "-2"], ["--within", "1", "--under", "4"]])
def test_what_is_no_limit_or_two_of_them_is_wrong_use(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "m.onnx", *words], no_window) == 2
    assert "--" in capsys.readouterr().err


def test_pins_precisions_and_methods_reach_the_request(tmp_path: Path) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    words = ["--pin", "conv_1=fp32", "--precisions", "int8,bf16", "--methods", "max", "--seconds", "30"]
    arguments = make_parser().parse_args(["search", str(model), *words])
    from workbench.cli.output import Output

    request = _request(arguments, Output(as_json=True))
    assert list(request.pinned.values()) == [Precision.FP32]
    assert request.precisions == (Precision.INT8, Precision.BF16) and request.methods == (CalibrationMethod.MAX,)
    assert request.seconds == 30.0 and request.run.calibration == "random"


def test_a_pin_on_no_node_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    assert main(["search", str(model), "--pin", "nobody=int8"], no_window) == 1
    assert "has no node 'nobody' to pin" in capsys.readouterr().err


def test_an_engine_that_cannot_run_here_ends_the_search_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    assert main(["search", str(model), "--backend", "null", "--option", "fail=No such kernel."], no_window) == 1
    assert "No such kernel." in capsys.readouterr().err


def test_a_set_to_confirm_with_that_is_not_there_is_told_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save_small_model(tmp_path / "small.onnx")
    assert main(["search", str(model), "--confirm", str(tmp_path / "nothing")], no_window) == 1
    assert "There is no sample set at" in capsys.readouterr().err


def test_a_search_has_no_option_that_would_do_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Who writes plans, in which one precision and by which one method is what is searched."""
    assert main(["search", "m.onnx", "--quantizer", "ort:int8"], no_window) == 2
    assert "--quantizer" in capsys.readouterr().err
    arguments = make_parser().parse_args(["search", "m.onnx", "--precision", "int8", "--method", "max"])
    assert (arguments.precisions, arguments.methods) == ((Precision.INT8,), (CalibrationMethod.MAX,))
