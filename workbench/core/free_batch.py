"""Freeing the batch: a copy of a model that takes any batch, where the file holds it as a number."""

from __future__ import annotations

import msgspec

from workbench.core.profile import HeldTarget
from workbench.core.run import RunError, RunRequest


class FreeBatchRequest(msgspec.Struct, frozen=True, tag="free_batch"):
    """Writes the model of `run` to `path` with its batch free, after proof. `folder` is the job's own."""

    id: str
    folder: str
    run: RunRequest
    path: str


class FreedBatch(msgspec.Struct, frozen=True):
    """What was written. `held` are the Reshapes that were changed, `inputs` those whose first axis was set free.

    `proof` says in a sentence what was computed with both models and came out the same.
    """

    id: str
    path: str = ""
    held: tuple[HeldTarget, ...] = ()
    inputs: tuple[str, ...] = ()
    proof: str = ""
    error: RunError | None = None

    @property
    def sentence(self) -> str:
        """`2 Reshapes follow the batch of their input now; …`."""
        count = len(self.held)
        whose = "1 Reshape follows the batch of its" if count == 1 else f"{count} Reshapes follow the batch of their"
        parts = [f"{whose} input now"] if count else []
        parts += [f"the batch of {', '.join(self.inputs)} is free"] if self.inputs else []
        text = "; ".join(parts)
        return f"{text[:1].upper()}{text[1:]}. {self.proof}"
