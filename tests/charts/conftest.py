"""Charts are drawn in the shipped fonts, as in the window: not in what a machine has, or another test has loaded."""

from __future__ import annotations

import pytest

from workbench.views.fonts import load_fonts


@pytest.fixture(scope="session", autouse=True)
def fonts(qapp: object) -> None:
    load_fonts()
