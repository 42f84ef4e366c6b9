"""Figures on nodes, in words."""

from __future__ import annotations

import pytest

from workbench.views.canvas.heat import told


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(31.24, "dB", "31.2 dB"), (-200.0, "dB", "−200.0 dB"), (200.0, "dB", "exact"), (200.0, "%", "200.0 %")],
)
def test_equal_bits_are_called_exact(value: float, unit: str, words: str) -> None:
    assert told(value, unit) == words
