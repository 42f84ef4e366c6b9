from __future__ import annotations

import numpy as np
import pytest

from workbench.core.json import decode, encode
from workbench.core.run import OutputError
from workbench.measure.accuracy import OutputErrors

F32 = np.float32


def errors_of(*pairs: tuple[object, object]) -> OutputErrors:
    errors = OutputErrors()
    for expected, got in pairs:
        errors.add({"y": np.asarray(expected)}, {"y": np.asarray(got)})
    return errors


def test_equal_bits_are_200_db_and_cosine_1() -> None:
    x = np.arange(5, dtype=F32)
    assert errors_of((x, x)).errors() == {"y": OutputError(1.0, 200.0, 0.0)}


def test_sqnr_is_signal_over_noise_in_decibels() -> None:
    error = errors_of((np.full(100, 10.0), np.full(100, 9.0))).errors()["y"]
    assert error.sqnr_db == pytest.approx(20.0)
    assert error.cosine == pytest.approx(1.0)
    assert error.max_abs == 1.0


def test_samples_are_summed_before_the_ratio_is_taken() -> None:
    random = np.random.default_rng(0)
    expected, got = random.normal(size=(4, 30)), random.normal(size=(4, 30))
    streamed = errors_of(*zip(expected, got, strict=True)).errors()["y"]
    at_once = errors_of((expected, got)).errors()["y"]
    assert streamed.sqnr_db == pytest.approx(at_once.sqnr_db)
    assert streamed.cosine == pytest.approx(
        float(np.vdot(expected, got) / np.linalg.norm(expected) / np.linalg.norm(got))
    )


def test_an_opposite_output_has_cosine_minus_1() -> None:
    x = np.arange(1, 5, dtype=F32)
    assert errors_of((x, -x)).errors()["y"].cosine == pytest.approx(-1.0)


def test_a_number_that_the_engine_lost_is_the_worst_sqnr_and_said() -> None:
    errors = errors_of(([1.0, 2.0, 3.0], [1.0, np.nan, np.inf]))
    assert errors.errors()["y"].sqnr_db == -200.0
    assert errors.warnings() == (
        "Output 'y': 2 of 3 values are NaN or infinite and not alike, 2 of them where the reference has a number.",
    )


def test_what_the_reference_itself_does_not_know_is_left_out_and_said() -> None:
    errors = errors_of(([1.0, -np.inf, 3.0], [1.0, -1e9, 3.0]))
    assert errors.errors()["y"].sqnr_db == 200.0
    assert "1 of 3 values" in errors.warnings()[0] and "0 of them where" in errors.warnings()[0]


def test_the_same_nan_and_infinity_on_both_sides_are_no_error() -> None:
    errors = errors_of(([np.nan, np.inf, 1.0], [np.nan, np.inf, 1.0]))
    assert errors.warnings() == ()
    assert errors.errors()["y"] == OutputError(1.0, 200.0, 0.0)


def test_an_output_all_of_nan_is_the_worst_there_is() -> None:
    assert errors_of(([1.0, 2.0], [np.nan, np.nan])).errors()["y"].sqnr_db == -200.0


@pytest.mark.parametrize("got", [[0.0, 0.0], [1.0, -1.0], [np.nan, 1e30], [1e300, -1.7e308]])
def test_errors_are_finite_whatever_comes_so_that_json_keeps_them(got: list[float]) -> None:
    for expected in ([0.0, 0.0], [1e-30, 1.0], [np.inf, 0.0], [-1.7e308, 1.7e308]):
        error = errors_of((np.array(expected), np.array(got))).errors()["y"]
        assert np.isfinite([error.cosine, error.sqnr_db, error.max_abs]).all()
        assert decode(encode(error), OutputError) == error


def test_float16_overflow_of_the_sums_does_not_happen() -> None:
    x = np.full(1000, 60000, dtype=np.float16)
    assert errors_of((x, x - np.float16(32))).errors()["y"].sqnr_db == pytest.approx(65.5, abs=0.1)


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_])
def test_class_numbers_and_flags_have_agreement(dtype: type) -> None:
    error = errors_of((np.array([1, 0, 1, 1], dtype), np.array([1, 0, 0, 1], dtype))).errors()["y"]
    assert error.agreement == 0.75


def test_text_outputs_have_agreement() -> None:
    errors = errors_of((np.array(["cat", "dog"], object), np.array(["cat", "cow"], object)))
    assert errors.errors()["y"].agreement == 0.5


def test_class_numbers_do_not_count_in_the_worst_sqnr() -> None:
    errors = OutputErrors()
    errors.add({"y": np.ones(2), "label": np.array([3])}, {"y": np.ones(2), "label": np.array([9])})
    assert errors.worst_sqnr_db() == 200.0


def test_another_shape_of_the_same_size_is_compared() -> None:
    assert errors_of((np.ones((1, 3)), np.ones(3))).errors()["y"].sqnr_db == 200.0


def test_an_output_that_is_not_there_is_named_and_left_out() -> None:
    errors = OutputErrors()
    for _ in range(2):
        errors.add({"gone": np.ones(1)}, {"y": np.ones(4)})
    assert errors.errors() == {} and len(errors.warnings()) == 1
    assert "no output 'gone'" in errors.warnings()[0]


def test_found_boxes_in_another_number_are_all_wrong_and_named() -> None:
    """Left out, a plan that finds another number wherever it is hard would be the best."""
    boxes = np.full(3, 2.0)
    alone = errors_of((boxes, np.full(4, 2.0)))
    assert alone.errors()["y"].sqnr_db == pytest.approx(10 * np.log10(12 / 28))
    assert "(4,) in the engine and (3,) in the reference" in alone.warnings()[0]
    mixed = errors_of((boxes, boxes), (boxes, np.full(4, 2.0)))
    assert mixed.errors()["y"].sqnr_db == pytest.approx(10 * np.log10(24 / 28))
    assert mixed.errors()["y"].max_abs == 2.0
    assert errors_of((boxes, []), (boxes, [np.nan, 1.0])).worst_sqnr_db() <= 0.0
    assert errors_of(([], boxes)).worst_sqnr_db() == -200.0
    classes = errors_of(([1, 2], [1, 2]), ([1, 2], [1, 2, 3, 4]))
    assert classes.errors()["y"].agreement == pytest.approx(2 / 6)
