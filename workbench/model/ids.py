"""Ids of nodes: by place in the file, never by the user's names, which may be odd, empty or doubled."""

from __future__ import annotations

import re

import onnx

from workbench.model.walk import bodies

_ID = r"n\d+(?:\.[A-Za-z_]\w*\.n\d+)*"
_NAME = re.compile(rf"({_ID}(?:\+{_ID})*)(?::[a-z0-9_]+)?", re.ASCII)


def sources_of(name: str) -> tuple[str, ...]:
    """Ids in a node name of a private or typed copy: `n10+n11:quantize_x` gives `("n10", "n11")`.

    Anything behind a slash is the engine's own and ignored; a name of another form gives `()`.
    """
    match = _NAME.fullmatch(name.partition("/")[0])
    return tuple(dict.fromkeys(match[1].split("+"))) if match else ()


def node_id(index: int, prefix: str = "") -> str:
    """`n17`, or in a body `n3.then_branch.n17` (`prefix` is the body's key, `n3.then_branch`)."""
    return f"{prefix}.n{index}" if prefix else f"n{index}"


def body_key(holder: str, attribute: str) -> str:
    """Key of a body in `Graph.subgraphs`, and prefix of the ids in it."""
    return f"{holder}.{attribute}"


def name_by_id(graph: onnx.GraphProto, prefix: str = "", places: list[int] | None = None) -> None:
    """Renames every node to its id, bodies too. `places`: file index of each node, where some are left out."""
    for index, node in zip(places or range(len(graph.node)), graph.node, strict=True):
        node.name = node_id(index, prefix)
        for attribute, body in bodies(node):
            name_by_id(body, body_key(node.name, attribute))


def free_name(wish: str, taken: set[str]) -> str:
    """`wish`, or `wish_2` and so on where that is taken; the name is taken from now on."""
    name, count = wish, 1
    while name in taken:
        count += 1
        name = f"{wish}_{count}"
    taken.add(name)
    return name
