from __future__ import annotations

import numpy as np
import pytest

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.measure.metrics.base import Sample
from workbench.measure.metrics.classification import Classification
from workbench.measure.metrics.text_lines import TextLines, ctc_characters, ctc_text, edit_distance

TEXT = Task(TaskKind.TEXT_LINES)
CHARACTERS = {"character": "a\nb\nc"}


def scores(*values: float) -> dict[str, np.ndarray]:
    return {"out": np.array([values], dtype=np.float32)}


def steps(text: str, classes: str = "-abc ") -> dict[str, np.ndarray]:
    """A CTC output [1, steps, classes] whose best path is `text`; `-` is the blank."""
    return {"out": np.eye(len(classes), dtype=np.float32)[[classes.index(c) for c in text]][None]}


def test_top_1_counts_right_answers_of_engine_and_reference() -> None:
    scorer = Classification(Task(TaskKind.CLASSIFICATION, labels=("cat", "dog", "cow")), {})
    scorer.add(Sample(scores(9, 1, 0), scores(9, 1, 0), "cat"))
    scorer.add(Sample(scores(0, 9, 1), scores(9, 0, 1), "dog"))
    scorer.add(Sample(scores(0, 9, 1), scores(0, 1, 9), "COW"))
    result = scorer.result()
    assert result is not None
    assert (result.metric, result.value, result.n) == ("top-1", pytest.approx(2 / 3), 3)
    assert (result.reference, result.agreement) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert result.low < 2 / 3 < result.high


@pytest.mark.parametrize("label", [1, "1", "dog", "1_dog"])
def test_a_label_may_be_a_number_a_name_or_a_numbered_folder(label: str | int) -> None:
    assert Classification(Task(TaskKind.CLASSIFICATION, labels=("cat", "dog")), {}).answer(scores(0, 1)["out"]) == 1
    scorer = Classification(Task(TaskKind.CLASSIFICATION, labels=("cat", "dog")), {})
    scorer.add(Sample(scores(0, 1), scores(0, 1), label))
    assert scorer.hits == 1


def test_an_unknown_label_is_not_counted_and_said() -> None:
    scorer = Classification(Task(TaskKind.CLASSIFICATION, labels=("cat", "dog")), {})
    scorer.add(Sample(scores(0, 1), scores(0, 1), "unicorn"))
    scorer.add(Sample(scores(0, 1), scores(0, 1), 7))
    scorer.add(Sample(scores(0, 1), scores(0, 1), "1d_lattice"))
    result = scorer.result()
    assert result is not None and result.metric == "agreement"
    assert scorer.warnings() == ("3 of 3 samples have a label that is none of the task's: not counted.",)


def test_without_labels_there_is_agreement_only() -> None:
    scorer = Classification(Task(TaskKind.CLASSIFICATION), {})
    scorer.add(Sample(scores(0, 1), scores(0, 1), None))
    scorer.add(Sample(scores(0, 1), scores(1, 0), None))
    result = scorer.result()
    assert result is not None
    assert (result.metric, result.value, result.n, result.reference) == ("agreement", 0.5, 2, None)
    assert scorer.warnings() == ()


def test_top_5_stands_in_extra_where_there_are_more_than_five_classes() -> None:
    scorer = Classification(Task(TaskKind.CLASSIFICATION), {})
    ranked = scores(6, 5, 4, 3, 2, 1)
    scorer.add(Sample(ranked, ranked, 4))
    scorer.add(Sample(ranked, ranked, 5))
    result = scorer.result()
    assert result is not None
    assert (result.value, result.extra) == (0.0, {"top5": 0.5})


def test_a_reference_no_better_than_chance_is_doubted() -> None:
    scorer = Classification(Task(TaskKind.CLASSIFICATION), {})
    for i in range(40):
        scorer.add(Sample(scores(*np.eye(10)[i % 10]), scores(*np.eye(10)[i % 10]), (i + 1 + i // 10) % 10))
    assert "no better than chance" in scorer.warnings()[0]


def test_an_output_that_is_not_there_is_named() -> None:
    with pytest.raises(WorkbenchError, match="'logits' that is not there"):
        Classification(Task(TaskKind.CLASSIFICATION, output="logits"), {}).add(Sample(scores(1), scores(1), 0))


def test_lines_are_exact_or_not_and_characters_have_an_error_rate() -> None:
    scorer = TextLines(TEXT, CHARACTERS)
    scorer.add(Sample(steps("aa-b"), steps("aa-b"), "ab"))
    scorer.add(Sample(steps("ab c"), steps("abbc"), "ab c"))
    result = scorer.result()
    assert result is not None
    assert (result.metric, result.value, result.reference, result.agreement) == ("exact lines", 0.5, 1.0, 0.5)
    assert result.extra == {
        "cer": pytest.approx(1 / 6),
        "reference_cer": 0.0,
        "wer": pytest.approx(2 / 3),
        "reference_wer": 0.0,
        "exact_stripped": 0.5,
    }


def test_a_model_without_its_characters_is_refused_with_the_key() -> None:
    with pytest.raises(WorkbenchError, match=r"'character'.*charset_key"):
        TextLines(TEXT, {})


@pytest.mark.parametrize(
    ("path", "text"), [("aab-b", "abb"), ("-a-a-", "aa"), ("---", ""), ("abc", "abc"), ("a  b", "a b")]
)
def test_ctc_merges_repeats_then_drops_blanks(path: str, text: str) -> None:
    best = ["-abc ".index(c) for c in path]
    assert ctc_text(best, ("", "a", "b", "c", " ")) == text


@pytest.mark.parametrize(
    ("listed", "classes", "last"),
    [("a\nb", 3, "b"), ("a\nb", 4, " "), ("a\nb\n", 4, " "), ("a\nb\n ", 4, " "), ("a\n\u2028\nb", 4, "b")],
)
def test_the_list_of_characters_may_end_in_a_space_that_is_not_listed(listed: str, classes: int, last: str) -> None:
    characters = ctc_characters(listed, classes)
    assert (characters[0], characters[-1], len(characters)) == ("", last, classes)


def test_a_list_that_does_not_fit_the_output_is_refused() -> None:
    with pytest.raises(WorkbenchError, match="6625 classes, but the model lists 2"):
        ctc_characters("a\nb", 6625)


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("abc", "abc", 0), ("ab", "ba", 2)]
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance
