"""TensorRT's words for types of data, in its enums, its log and the JSON of its inspector."""

from __future__ import annotations

import re

DTYPES: dict[str, tuple[str, int]] = {
    "Float": ("float32", 32),
    "Half": ("float16", 16),
    "BFloat16": ("bfloat16", 16),
    "FP8": ("float8_e4m3fn", 8),
    "FP4E2M1": ("float4_e2m1fn", 4),
    "E8M0": ("float8_e8m0fnu", 8),
    "Int8": ("int8", 8),
    "UInt8": ("uint8", 8),
    "Int4": ("int4", 4),
    "Int32": ("int32", 32),
    "Int64": ("int64", 64),
    "Bool": ("bool", 8),
}
"""TensorRT's word -> numpy's name and bits per element."""

_OTHER_WORDS = {
    "FP32": "Float",
    "FP16": "Half",
    "BF16": "BFloat16",
    "INT8": "Int8",
    "INT32": "Int32",
    "INT64": "Int64",
    "BOOL": "Bool",
}
_WORD = re.compile(rf"\b({'|'.join([*DTYPES, *_OTHER_WORDS])})\b")


def type_and_format(said: str, layout: str = "") -> tuple[str, str]:
    """A word of DTYPES, and the layout where it is told.

    `said` is a word, or up to TensorRT 10 a sentence of both: `Channel major FP16 format where channel % 8 == 0`.
    """
    found = _WORD.search(said)
    word = found[1] if found else said if " " not in said else ""
    return _OTHER_WORDS.get(word, word), layout or ("" if said == word else said)
