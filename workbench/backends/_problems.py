"""What an engine refuses, told from the text it threw."""

from __future__ import annotations

from typing import NamedTuple

from workbench.core.errors import WorkbenchError


class Problem(NamedTuple):
    """`message` is one sentence; `nodes` are names of the nodes that are refused, with the reason of each."""

    message: str
    nodes: dict[str, str]

    def error(self) -> WorkbenchError:
        return WorkbenchError(self.message, "Choose another backend, or replace the operation in the model.")
