"""OpenVINO's runtime model as plain values: one `Op` per execution node, in execution order."""

from __future__ import annotations

from typing import Any, NamedTuple

_DTYPES = {
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "f64": "float64",
    "boolean": "bool",
    "string": "string",
    "f8e4m3": "float8_e4m3fn",
    "f8e5m2": "float8_e5m2",
    "dynamic": "",
}


class Value(NamedTuple):
    """One output of an op; free dimensions are `?`. `size_bytes` is 0 with a free dimension."""

    dtype: str
    shape: tuple[int | str, ...]
    size_bytes: int
    layout: str


class Op(NamedTuple):
    """`inputs` are (op name, output index). `origin` is the tag set when the model was read, joined by fusion."""

    name: str
    kind: str
    inputs: tuple[tuple[str, int], ...]
    values: tuple[Value, ...]
    origin: str
    ran: str
    kernel: str
    order: int


def runtime_ops(compiled: Any) -> list[Op]:
    """All execution nodes of a compiled model, inputs, constants and results among them."""
    return sorted((_op(op) for op in compiled.get_runtime_model().get_ordered_ops()), key=lambda op: op.order)


def _op(op: Any) -> Op:
    info = op.get_rt_info()

    def text(key: str) -> str:
        return str(info[key].astype(str)) if key in info else ""

    sources = [port.get_source_output() for port in op.inputs()]
    layouts = text("outputLayouts").split(",")
    return Op(
        name=op.get_friendly_name(),
        kind=text("layerType"),
        inputs=tuple((source.get_node().get_friendly_name(), source.get_index()) for source in sources),
        values=tuple(
            _value(output, layouts[index] if index < len(layouts) else "") for index, output in enumerate(op.outputs())
        ),
        origin=text("originalLayersNames"),
        ran=text("runtimePrecision"),
        kernel=text("primitiveType"),
        order=int(text("execOrder")),
    )


def _value(output: Any, layout: str) -> Value:
    element = output.get_element_type()
    dims = [dim.get_length() if dim.is_static else "?" for dim in output.get_partial_shape()]
    return Value(dtype_name(element.get_type_name()), tuple(dims), _bytes(dims, element.bitwidth), layout)


def _bytes(dims: list[int | str], bits: int) -> int:
    count = 1
    for dim in dims:
        if isinstance(dim, str):
            return 0
        count *= dim
    return (count * bits + 7) // 8


def dtype_name(name: str) -> str:
    """numpy's name of an OpenVINO element type: `i8` -> `int8`."""
    if name in _DTYPES:
        return _DTYPES[name]
    return f"uint{name[1:]}" if name.startswith("u") else f"int{name[1:]}"
