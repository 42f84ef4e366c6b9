"""ONNX element types by numpy's names, and their sizes."""

from __future__ import annotations

import onnx

_T = onnx.TensorProto

_NAMES: dict[int, tuple[str, int]] = {
    _T.FLOAT: ("float32", 32),
    _T.UINT8: ("uint8", 8),
    _T.INT8: ("int8", 8),
    _T.UINT16: ("uint16", 16),
    _T.INT16: ("int16", 16),
    _T.INT32: ("int32", 32),
    _T.INT64: ("int64", 64),
    _T.STRING: ("string", 0),
    _T.BOOL: ("bool", 8),
    _T.FLOAT16: ("float16", 16),
    _T.DOUBLE: ("float64", 64),
    _T.UINT32: ("uint32", 32),
    _T.UINT64: ("uint64", 64),
    _T.COMPLEX64: ("complex64", 64),
    _T.COMPLEX128: ("complex128", 128),
    _T.BFLOAT16: ("bfloat16", 16),
    _T.FLOAT8E4M3FN: ("float8_e4m3fn", 8),
    _T.FLOAT8E4M3FNUZ: ("float8_e4m3fnuz", 8),
    _T.FLOAT8E5M2: ("float8_e5m2", 8),
    _T.FLOAT8E5M2FNUZ: ("float8_e5m2fnuz", 8),
    _T.UINT4: ("uint4", 4),
    _T.INT4: ("int4", 4),
    _T.FLOAT4E2M1: ("float4_e2m1fn", 4),
}
# Types that younger onnx packages know: the oldest one allowed (1.21) need not.
for _name, _numpy, _bits in (
    ("FLOAT8E8M0", "float8_e8m0fnu", 8),
    ("UINT2", "uint2", 2),
    ("INT2", "int2", 2),
):
    if hasattr(_T, _name):
        _NAMES[getattr(_T, _name)] = (_numpy, _bits)


def dtype_name(elem_type: int) -> str:
    """`float32`, `bfloat16`, `int4`, `string` ...; empty where the type is not set or not known."""
    return _NAMES.get(elem_type, ("", 0))[0]


def element_type(dtype: str) -> int:
    """The type that numpy calls so; UNDEFINED for what is none."""
    return _TYPES.get(dtype, int(_T.UNDEFINED))


def is_known(elem_type: int) -> bool:
    return elem_type in _NAMES


def packed_bytes(elem_type: int, count: int) -> int:
    """Bytes of `count` elements in `raw_data`, where types under 8 bits are packed. 0 for strings."""
    return (_NAMES.get(elem_type, ("", 0))[1] * count + 7) // 8


def dtype_bytes(dtype: str, count: int) -> int:
    """As `packed_bytes`, by numpy's name."""
    return (_BITS.get(dtype, 0) * count + 7) // 8


_BITS = dict(_NAMES.values())
_TYPES = {dtype: int(elem_type) for elem_type, (dtype, _) in _NAMES.items()}
