"""Task metrics against figures computed by hand, with intervals that are the same twice, and code of the user's own."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.measure.metrics.base import Sample, Scorer
from workbench.measure.statistics import bootstrap
from workbench.measure.tasks import find_metrics, make_scorer


def scorer_of(kind: TaskKind, allowed: str = "", **fields: object) -> Scorer:
    scorer = make_scorer(Task(kind, **fields), {"character": "a"}, allowed)  # type: ignore[arg-type]
    assert scorer is not None
    return scorer


def out(*values: float) -> dict[str, np.ndarray]:
    return {"y": np.array([values], np.float32)}


def test_every_kind_of_task_has_a_metric_by_being_there() -> None:
    assert set(find_metrics()) == set(TaskKind)
    assert make_scorer(None, {}) is None


def test_binary_f1_counts_by_threshold() -> None:
    """2 TP, 1 FP, 1 FN: F1 = 4 / (4 + 1 + 1)."""
    scorer = scorer_of(TaskKind.F1, threshold=0.6)
    for score, label in ((0.9, 1), (0.7, 1), (0.65, 0), (0.5, 1), (0.1, 0)):
        scorer.add(Sample(out(0.9), out(score), label))
    result = scorer.result()
    assert result is not None and result.metric == "F1" and result.n == 5
    assert result.value == pytest.approx(4 / 6)
    assert result.reference == pytest.approx(2 * 3 / (2 * 3 + 2))  # the reference always says yes
    assert result.low <= result.value <= result.high and result.is_share
    assert result.agreement == pytest.approx(3 / 5)


def test_macro_f1_is_the_mean_over_classes_that_occur() -> None:
    scorer = scorer_of(TaskKind.F1, labels=("cat", "dog", "cow", "never"))
    for place, label in ((0, "cat"), (1, "dog"), (0, "dog"), (2, 2)):
        scores = out(*np.eye(4)[place])
        scorer.add(Sample(scores, scores, label))
    result = scorer.result()
    assert result is not None and result.metric == "macro F1"
    assert result.value == pytest.approx(np.mean([2 / 3, 2 / 3, 1.0]))


def test_multi_label_f1_takes_rows_of_yes_and_no() -> None:
    scorer = scorer_of(TaskKind.F1, threshold=0.5)
    scorer.add(Sample(out(1, 0, 0), out(0.9, 0.6, 0.1), (1.0, 0.0, 0.0)))
    scorer.add(Sample(out(1, 0, 0), out(0.9, 0.2, 0.1), (1.0, 1.0, 0.0)))
    result = scorer.result()
    assert result is not None and result.value == pytest.approx((1.0 + 0.0) / 2)
    with pytest.raises(WorkbenchError, match="2 values, the output 3 classes"):
        scorer.add(Sample(out(1, 0, 0), out(1, 0, 0), (1.0, 0.0)))


def test_embeddings_are_compared_by_cosine_and_by_what_they_find() -> None:
    scorer = scorer_of(TaskKind.EMBEDDING)
    reference = [(1, 0), (1, 0.1), (0, 1), (0.1, 1)]
    engine = [(2, 0), (0, 1), (0, 1.1), (1, 0.1)]  # the second and the fourth have changed places
    for expected, got, label in zip(reference, engine, "aabb", strict=True):
        scorer.add(Sample(out(*expected), out(*got), label))
    result = scorer.result()
    assert result is not None and result.metric == "cosine" and not result.is_share
    cosines = [np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b) for a, b in zip(reference, engine, strict=True)]
    assert result.value == pytest.approx(np.mean(cosines), abs=1e-6)
    assert result.extra["reference_recall_at_1"] == 1.0
    assert result.extra["recall_at_1"] == 0.0


def test_regression_has_rmse_and_mae_of_engine_and_reference() -> None:
    scorer = scorer_of(TaskKind.REGRESSION)
    for truth, got in ((1.0, 2.0), (2.0, 2.0), (3.0, 1.0)):
        scorer.add(Sample(out(truth + 0.5), out(got), truth))
    result = scorer.result()
    assert result is not None and result.metric == "RMSE" and result.is_error
    assert result.value == pytest.approx(math.sqrt((1 + 0 + 4) / 3))
    assert (result.extra["mae"], result.reference) == (pytest.approx(1.0), pytest.approx(0.5))
    with pytest.raises(WorkbenchError, match="is no number"):
        scorer.add(Sample(out(1), out(1), "blue"))


def test_a_language_model_is_judged_on_its_own_next_tokens() -> None:
    """Even odds among 4 at every step: perplexity 4."""
    scorer = scorer_of(TaskKind.NEXT_TOKEN)
    tokens = {"mask": np.ones((1, 3), np.float32), "ids": np.array([[0, 1, 2]])}
    flat, sure = np.zeros((1, 3, 4), np.float32), np.eye(4, dtype=np.float32)[[1, 2, 3]][None] * 50
    scorer.add(Sample({"logits": sure}, {"logits": flat}, None, tokens))
    result = scorer.result()
    assert result is not None and result.metric == "perplexity"
    assert (result.value, result.reference) == (pytest.approx(4.0), pytest.approx(1.0))
    assert result.extra == {"accuracy": 0.0, "reference_accuracy": 1.0}
    with pytest.raises(WorkbenchError, match="no logits for 3 tokens"):
        scorer.add(Sample({"logits": flat[:, :1]}, {"logits": flat[:, :1]}, None, tokens))


GOOD = "def score(outputs, reference, label, inputs):\n    return -abs(float(outputs['y'][0, 0]) - label)\n"


def code(folder: Path, text: str) -> tuple[str, str]:
    """The task's `function`, and the digest that allows it."""
    path = folder / "my_metric.py"
    path.write_text(text)
    return f"{path}:score", hashlib.sha256(text.encode()).hexdigest()


def test_a_function_of_ones_own_scores_engine_and_reference(tmp_path: Path) -> None:
    function, digest = code(tmp_path, GOOD)
    scorer = scorer_of(TaskKind.FUNCTION, digest, function=function)
    scorer.add(Sample(out(1), out(3), 1.0))
    scorer.add(Sample(out(2), out(2), 1.0))
    result = scorer.result()
    assert result is not None and (result.metric, result.value, result.reference) == ("score", -1.5, -0.5)


@pytest.mark.parametrize("allowed", ["", "0" * 64])
def test_code_is_not_run_that_was_not_allowed(tmp_path: Path, allowed: str) -> None:
    function, _ = code(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')\n{GOOD}")
    with pytest.raises(WorkbenchError, match="was not allowed to run") as caught:
        scorer_of(TaskKind.FUNCTION, allowed, function=function)
    assert "--allow-code" in caught.value.hint
    assert not (tmp_path / "ran").exists()


def test_an_allowance_is_for_just_that_file_as_it_was(tmp_path: Path) -> None:
    function, digest = code(tmp_path, GOOD)
    code(tmp_path, GOOD + "# changed\n")
    with pytest.raises(WorkbenchError, match="was not allowed"):
        scorer_of(TaskKind.FUNCTION, digest, function=function)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def score(*a):\n    return 1 / 0\n", r"my_metric.py, line 2: ZeroDivisionError: division by zero"),
        ("def score(*a):\n    return float('nan')\n", "which is no figure"),
        ("def score(*a):\n    return 'high'\n", "could not convert string to float"),
    ],
)
def test_what_the_function_raises_is_one_sentence_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    function, digest = code(tmp_path, text)
    scorer = scorer_of(TaskKind.FUNCTION, digest, function=function)
    with pytest.raises(WorkbenchError, match=message):
        scorer.add(Sample(out(1), out(1), 1.0))


@pytest.mark.parametrize(
    ("text", "message"), [("import no_such_thing\n", "line 1: ModuleNotFoundError"), ("def (\n", "line 1: SyntaxError")]
)
def test_a_file_that_cannot_be_loaded_says_its_line(tmp_path: Path, text: str, message: str) -> None:
    function, digest = code(tmp_path, text)
    with pytest.raises(WorkbenchError, match=message):
        scorer_of(TaskKind.FUNCTION, digest, function=function)


@pytest.mark.parametrize("function", ["", "score", "a.txt:score", "a.py:not a name"])
def test_a_function_has_the_form_file_colon_name(function: str) -> None:
    with pytest.raises(WorkbenchError, match=r"is not `file\.py:name`"):
        scorer_of(TaskKind.FUNCTION, function=function)


def test_bootstrap_intervals_are_seeded_and_cover_the_mean() -> None:
    values = np.random.default_rng(1).normal(10, 2, 400)
    low, high = bootstrap(values, lambda rows: float(rows.mean()))
    assert (low, high) == bootstrap(values, lambda rows: float(rows.mean()))
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)
    assert bootstrap([3.0], lambda rows: float(rows.mean())) == (3.0, 3.0)


@pytest.mark.parametrize("kind", [TaskKind.REGRESSION, TaskKind.EMBEDDING, TaskKind.NEXT_TOKEN])
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_a_mean_that_one_sample_would_make_no_number_is_refused(kind: TaskKind, broken: float) -> None:
    scorer = scorer_of(kind)
    right, wrong = np.ones((1, 3, 4), np.float32), np.ones((1, 3, 4), np.float32)
    wrong[0, 1, 2] = broken
    tokens = {"t": np.int64([[1, 2, 3]])}
    scorer.add(Sample({"y": right}, {"y": right}, None, tokens))
    with pytest.raises(WorkbenchError, match="NaN or infinite"):
        scorer.add(Sample({"y": right}, {"y": wrong}, None, tokens))


@pytest.mark.parametrize("kind", [TaskKind.CLASSIFICATION, TaskKind.F1])
def test_nan_is_no_right_answer_whatever_the_label(kind: TaskKind) -> None:
    scorer = scorer_of(kind)
    for label in range(6):
        scores = np.eye(6, dtype=np.float32)[[label]]
        scorer.add(Sample({"y": scores}, {"y": np.full_like(scores, np.nan)}, label))
    result = scorer.result()
    assert result is not None and (result.value, result.reference, result.agreement) == (0.0, 1.0, 0.0)
    assert result.extra.get("top5", 0.0) == 0.0
