"""Words of a command line and the values they stand for; each raises `ArgumentTypeError` with the word."""

from __future__ import annotations

import argparse

from workbench.backends.base import backend_ids
from workbench.core.precision import CalibrationMethod, Precision


def parse_dim(text: str) -> tuple[str, tuple[int, ...]]:
    """`batch=1,2,4`; the name may hold `=`."""
    name, sign, values = text.rpartition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=1,2,4")
    sizes = as_counts(values)
    if 0 in sizes:
        raise argparse.ArgumentTypeError(f"{text!r} has a size of 0")
    return name, sizes


def parse_measure(text: str) -> tuple[str, tuple[int, ...]]:
    """`batch=1,2,4`, or `batch` for values that the program chooses."""
    return parse_dim(text) if "=" in text else (text, ())


def as_pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def as_words(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not words:
        raise argparse.ArgumentTypeError("is empty")
    return words


def as_backend(text: str) -> str:
    if text not in backend_ids():
        raise argparse.ArgumentTypeError(f"{text!r} is no backend; choose from {', '.join(backend_ids())}")
    return text


def as_backends(text: str) -> tuple[str, ...]:
    return tuple(as_backend(word) for word in as_words(text))


def as_precision(word: str) -> Precision:
    if word not in set(Precision):
        raise argparse.ArgumentTypeError(f"{word!r} is no precision; choose from {', '.join(Precision)}")
    return Precision(word)


def as_pin(text: str) -> tuple[str, Precision]:
    name, sign, precision = text.rpartition("=")
    if not sign or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NODE=PRECISION")
    return name, as_precision(precision)


def as_figure(text: str) -> float:
    """A number above 0, with its unit or without."""
    number = text.strip().lower().removesuffix("%").removesuffix("x").removesuffix("×").removesuffix("ms")
    try:
        value = float(number.removesuffix("db"))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number like 0.5% or 2x or 4ms or 30dB")
    return value


def as_precisions(text: str) -> tuple[Precision, ...]:
    return tuple(as_precision(word) for word in as_words(text))


def as_methods(text: str) -> tuple[CalibrationMethod, ...]:
    known = set(CalibrationMethod)
    for word in as_words(text):
        if word not in known:
            raise argparse.ArgumentTypeError(f"{word!r} is no method; choose from {', '.join(CalibrationMethod)}")
    return tuple(CalibrationMethod(word) for word in as_words(text))


def precisions_help() -> str:
    return ", ".join(Precision)


def as_counts(text: str) -> tuple[int, ...]:
    return tuple(as_count(word) for word in as_words(text))


def as_streams(text: str) -> tuple[int, ...]:
    counts = as_counts(text)
    if 0 in counts:
        raise argparse.ArgumentTypeError(f"{text!r} has a count of 0")
    return counts


def as_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a count")
    return int(text)


def as_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
