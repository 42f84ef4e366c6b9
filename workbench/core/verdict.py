"""What a backend says of a model before anything is built: which nodes it takes, which not, and what would help."""

from __future__ import annotations

import msgspec

from workbench.core.edits import Edit


class Silent(msgspec.Struct, frozen=True):
    """A type that a backend replaces by another without being asked.

    `tensors` counts those of the type `was`; `nodes` write them. `text` says what that does to values.
    """

    was: str
    becomes: str
    tensors: int
    nodes: tuple[str, ...] = ()
    text: str = ""


class Remedy(msgspec.Struct, frozen=True):
    """What would help where a model is refused. With an `edit`, it was tried: the backend then takes the model.

    `nodes` are the refused ones that it is for; none: for all.
    """

    text: str
    nodes: tuple[str, ...] = ()
    edit: Edit | None = None


class Verdict(msgspec.Struct, frozen=True):
    """Whether a backend takes a model in FP32. `nodes` are ids of source nodes it refuses, with the reason of each.

    `subgraphs` are runs of nodes that it takes, in execution order, where it does not take all and can tell. `missed`
    are nodes of which nobody can tell: they read what a refused one would make. `reason` is a sentence; of a model that
    is taken it tells under which condition.
    """

    accepted: bool
    reason: str = ""
    nodes: dict[str, str] = {}
    subgraphs: tuple[tuple[str, ...], ...] = ()
    missed: tuple[str, ...] = ()
    silent: tuple[Silent, ...] = ()
    remedies: tuple[Remedy, ...] = ()

    def of(self, node: str) -> str:
        """What it says of a node in a sentence; empty where there is nothing to say."""
        said = [f"refused: {self.nodes[node]}"] if node in self.nodes else []
        said += [f"{change.was} becomes {change.becomes}" for change in self.silent if node in change.nodes]
        return "; ".join(said)
