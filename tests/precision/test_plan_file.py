"""The plan as a file: what is written is read back the same, and what is wrong is named by line and field."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.precision import PlanError, list_passes, parse_plan, plan_text, read_plan, write_plan
from workbench.precision.plan_file import read_plan_file

PIECES = (
    "conv",
    "/",
    "*",
    "é",
    "汉",
    '"',
    "'",
    "\\",
    "\n",
    "\t",
    "#",
    "]]",
    "=",
    " ",
    "\x00",
    "\x7f",
    "\u2028",
    "n1",
    "😀",
)


def some_text(dice: random.Random) -> str:
    return "".join(dice.choices(PIECES, k=dice.randrange(5)))


def some_plan(dice: random.Random) -> PrecisionPlan:
    rules = tuple(
        Rule(
            dice.choice(list(Precision)),
            name=some_text(dice),
            op=some_text(dice),
            scope=some_text(dice),
            nodes=tuple(some_text(dice) for _ in range(dice.randrange(4))),
            first=dice.choice((0, 0, 1, 10**6)),
            last=dice.choice((0, 0, 3)),
            off=dice.random() < 0.2,
            note=some_text(dice),
        )
        for _ in range(dice.randrange(5))
    )
    method, percentile = dice.choice(list(CalibrationMethod)), dice.choice((99.99, 50.0, 100.0, 99.12345678901234))
    return PrecisionPlan(
        default=dice.choice(list(Precision)),
        rules=rules,
        calibration=Calibration(method, percentile, dice.randrange(1, 5000)),
        keep_io=dice.random() < 0.5,
        skip=tuple(dice.sample([known.name for known in list_passes()], dice.randrange(3))),
    )


@pytest.mark.parametrize("seed", range(8))
def test_any_plan_is_read_back_as_it_was_written(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(40):
        plan = some_plan(dice)
        text = plan_text(plan, [dice.randrange(9) for _ in plan.rules])
        assert parse_plan(text) == plan


def test_the_text_says_what_it_is_and_only_what_is_not_usual() -> None:
    plan = PrecisionPlan(Precision.INT8, (Rule(Precision.FP32, op="Softmax", note="loses most"),))
    text = plan_text(plan, (4,))
    assert text.startswith("# A precision plan") and "version = 1" in text
    rule = text[text.index("# Rule 1") :]
    assert rule == '# Rule 1: 4 nodes\n[[rules]]\nnote = "loses most"\nprecision = "fp32"\nop = "Softmax"\n'
    assert "skip" not in text and "keep_io" not in text and 'method = "mse"' in text


BAD = [
    ("default = ", 1, "line 1: invalid value", "default ="),
    ('default = "fp7"', 1, "`default`: there is no 'fp7'", "int8_weights"),
    ('\n\ndefualt = "fp32"', 3, "line 3: there is no field `defualt`", "Did you mean `default`?"),
    ('[[rules]]\nprecision = "int8"\n[[rules]]\nop = "Conv"', 3, "rule 2: it lacks the field `precision`", ""),
    ('[[rules]]\nprecision = "int8"\nop = 3', 3, "rule 1, `op`: expected a text, got a whole number", ""),
    ('[[rules]]\nprecision = "int8"\nopp = "Conv"', 3, "line 3, rule 1: there is no field `opp`", "`op`"),
    ('[[rules]]\nprecision = "int8"\nfirst = -1', 3, "`first`: it is a count of layers", ""),
    ('[[rules]]\nprecision = "int8"\nlast = 99999999999999999999', 3, "`last`", ""),
    ('[[rules]]\nprecision = "int8"\nnodes = ["a", 3]', 3, "`nodes[1]`: expected a text", ""),
    ("rules = 3", 1, "`rules`: expected a list", ""),
    ('rules = [{precision = "int8", frist = 1}]', 0, "rule 1: there is no field `frist`", "`first`"),
    ('default = "int8"\n[calibration]\nmethod = "kl"', 3, "`calibration.method`: there is no 'kl'", "entropy"),
    ("[calibration]\npercentile = nan", 2, "`calibration.percentile`: it must be from 50 to 100", ""),
    ("[calibration]\nsamples = 0", 2, "`calibration.samples`: it must be 1 or more", ""),
    ('skip = ["fold_everything"]', 1, "there is no clean-up pass fold_everything", ""),
    ("block = 33", 1, "`block`: it is one of 16, 32", ""),
    ("version = 2", 1, "it has version 2", "newer"),
    ('version = "one"', 1, "`version` is 'one'", "version = 1"),
    ('default = "int8"\ndefault = "fp16"', 2, "line 2", ""),
    ("a = " + "[" * 3000, 0, "", ""),
    ('note = "\ud800"', 0, "", ""),
]


@pytest.mark.parametrize(("text", "line", "said", "hint"), BAD)
def test_what_is_wrong_is_said_with_its_line_its_field_and_a_hint(text: str, line: int, said: str, hint: str) -> None:
    with pytest.raises(PlanError) as caught:
        parse_plan(text, "mine.toml")
    error = caught.value
    assert error.message.startswith("mine.toml is not a precision plan: ") and "\n" not in error.message
    assert said in error.message and hint in error.hint
    assert error.line == line or not line


def test_a_plan_without_version_or_with_a_mark_in_front_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b'\xef\xbb\xbfdefault = "fp16"\r\n')
    assert read_plan(path) == PrecisionPlan(Precision.FP16)


@pytest.mark.parametrize(
    ("data", "said"), [(b"\xff\xfe", "line 1 is not UTF-8"), (b'# a\nx = "\xe9"', "line 2 is not UTF-8")]
)
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(data)
    with pytest.raises(WorkbenchError, match=said):
        read_plan(path)


def test_what_is_no_file_or_too_large_is_refused(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large.toml"
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(10**9)
    for path, said in ((tmp_path, "folder"), (pipe, "pipe"), (large, "bytes"), (tmp_path / "no.toml", "no file")):
        with pytest.raises(WorkbenchError, match=said):
            read_plan(path)


def test_a_plan_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    write_plan(path, PrecisionPlan(Precision.FP16))
    with pytest.raises(WorkbenchError, match="not UTF-8"):
        write_plan(path, PrecisionPlan(Precision.INT8, (Rule(Precision.FP16, name="\ud800"),)))
    assert read_plan(path).default is Precision.FP16
    with pytest.raises(WorkbenchError):
        write_plan(tmp_path / "no" / "p.toml", PrecisionPlan())
    assert [each.name for each in tmp_path.iterdir()] == ["p.toml"]


def test_ids_that_were_written_for_another_model_are_doubted(tmp_path: Path, model: Model) -> None:
    path = tmp_path / "p.toml"
    write_plan(path, PrecisionPlan(rules=(Rule(Precision.FP16, nodes=("n1",)),)), model=model)
    assert read_plan_file(path).doubts(model) == ""
    path.write_text(path.read_text().replace(model.sha256, "0" * 64))
    assert "nodes by id, and the plan was written for another model (model.onnx)" in read_plan_file(path).doubts(model)
    write_plan(path, PrecisionPlan(rules=(Rule(Precision.FP16, nodes=("enc",)),)), model=model)
    assert "sha256" not in path.read_text()


@pytest.fixture
def model(tmp_path: Path) -> Model:
    from tests.precision.models import write_model

    return write_model(tmp_path, "(float[4] x) => (float[4] y) { a = Relu (x) y = Neg (a) }")
