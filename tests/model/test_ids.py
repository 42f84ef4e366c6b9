"""Ids in names lead back to the user's nodes."""

from __future__ import annotations

import pytest

from workbench.model import sources_of

NAMES: list[tuple[str, tuple[str, ...]]] = [
    ("n17", ("n17",)),
    ("n10+n11", ("n10", "n11")),
    ("n10+n11:quantize_x", ("n10", "n11")),
    ("n3.then_branch.n0", ("n3.then_branch.n0",)),
    ("n3.body.n0.else_branch.n12:cast", ("n3.body.n0.else_branch.n12",)),
    ("n3+n3.body.n1", ("n3", "n3.body.n1")),
    ("n17/fq_weights_1", ("n17",)),
    ("n1+n1", ("n1",)),
    ("", ()),
    ("Conv_17", ()),
    ("n17_token_3", ()),
    ("n", ()),
    ("n17:", ()),
    ("n17:Role", ()),
    ("n17 ", ()),
    ("n1٣", ()),
]


@pytest.mark.parametrize(("name", "sources"), NAMES, ids=[repr(name) for name, _ in NAMES])
def test_a_name_gives_its_sources(name: str, sources: tuple[str, ...]) -> None:
    assert sources_of(name) == sources
