"""The module path that an exporter wrote beside a node.

torch's exporter of 2.5 and later keeps modules out of node names and writes two properties:
`pkg.torch.onnx.name_scopes`, a list such as `['', 'layers.0', 'layers.0.attn', 'matmul']`, and `namespace`, the same
with classes: `: m.Net/layers.0: m.Block/layers.0.attn: m.Attention/matmul: aten.matmul.default`. First comes the whole
model, last the operation itself; inner modules repeat the path of those around them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import onnx

LONGEST = 16_384  # characters of a property that is read: files come from strangers
DEEPEST = 64

_QUOTED = re.compile(r"'([^'\\]*)'|\"([^\"\\]*)\"")


def exported_scope(node: onnx.NodeProto) -> tuple[str, ...]:
    """`("layers.0", "attn")`, outermost first; () where nothing is written or it is of another form."""
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes" and (text := _text(entry.value)).startswith("["):
            return _relative([single or double for single, double in _QUOTED.findall(text)])
    for entry in node.metadata_props:
        if entry.key == "namespace" and ": " in (text := _text(entry.value)):
            return _relative([part.partition(":")[0].strip() for part in text.split("/")])
    return ()


def _text(value: str | bytes) -> str:
    """Protobuf gives what is not UTF-8 as bytes."""
    return value if isinstance(value, str) and len(value) <= LONGEST else ""


def _relative(names: Sequence[str]) -> tuple[str, ...]:
    """Without the model, the operation, and in each name what the one around it says already."""
    modules = [name for name in names[:-1] if name][:DEEPEST]
    around = ["", *modules]
    return tuple([name.removeprefix(f"{outer}.") for outer, name in zip(around, modules, strict=False)])
