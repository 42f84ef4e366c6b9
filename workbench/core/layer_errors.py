"""How far each layer of a typed graph is from the FP32 reference, and what of it is its own doing."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

LOST_DB = -200.0
"""The SQNR of a tensor with a NaN or infinity where the reference has a number: the worst there is."""


class TensorError(msgspec.Struct, frozen=True):
    """How far a tensor is from what it should be, over all samples. `sqnr_db` lies in -200..200 (equal bits).

    `nan` and `inf` count values that are so though the reference has a number there. `agreement` is the share of equal
    values of a tensor that is no float (class numbers, flags): there it counts.
    """

    cosine: float
    sqnr_db: float
    max_abs: float
    nan: int = 0
    inf: int = 0
    agreement: float | None = None

    @property
    def is_broken(self) -> bool:
        return bool(self.nan or self.inf)

    @property
    def relative_percent(self) -> float:
        """Size of the error against the size of the signal (root mean squares) in %, at most 100."""
        return min(100.0, 100.0 * float(10.0 ** (-self.sqnr_db / 20.0)))


class CheckedTensor(msgspec.Struct, frozen=True):
    """A tensor that the source graph and the typed graph both make: the output of a layer.

    `node` is the source node that makes it, `nodes` all that the typed node which makes it stands for, `op` the
    operator of `node`, `title` what the user calls it (the tensor's name where it has none).
    """

    name: str
    node: str
    nodes: tuple[str, ...]
    op: str
    title: str = ""


class LayerFigures(msgspec.Struct, frozen=True):
    """The error of one layer's output over `samples`, against the FP32 reference r on the same inputs.

    With f the layer in FP32, q the layer as the typed graph has it, x its inputs in the reference and y in the typed
    graph:
      total       q(y) against f(x): what is seen there when the whole typed graph runs;
      introduced  q(x) against f(x): the quantized layer alone, fed with the reference's inputs;
      inherited   f(y) against f(x): the exact layer, fed with the typed graph's inputs.
    As vectors, total = introduced (at y) + inherited exactly: q(y) - f(x) = [q(y) - f(y)] + [f(y) - f(x)]. In decibels
    they do not add up, for the two parts may cancel or point the same way.
    """

    samples: int
    total: TensorError
    introduced: TensorError
    inherited: TensorError


class LayerErrors(msgspec.Struct, frozen=True):
    """`layer_errors.json` of a run: tensors in execution order and their figures, None where none is there yet.

    `samples` have been through every layer, of `asked`; a run that was ended has fewer. `reason` says why there are
    none, or no more. `notes` say what has no figure.
    """

    source: str  # name of the sample set
    asked: int
    samples: int = 0
    tensors: tuple[CheckedTensor, ...] = ()
    figures: tuple[LayerFigures | None, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()

    def known(self) -> Iterator[tuple[CheckedTensor, LayerFigures]]:
        """Layers with figures, in execution order."""
        for tensor, figures in zip(self.tensors, self.figures, strict=False):
            if figures is not None:
                yield tensor, figures

    def worst(self) -> list[tuple[CheckedTensor, LayerFigures]]:
        """Layers by what they introduce, the worst first; those that introduce nothing are left out."""
        found = [pair for pair in self.known() if pair[1].introduced.relative_percent > 0 and not _is_exact(pair[1])]
        return sorted(found, key=lambda pair: pair[1].introduced.sqnr_db)

    def broken(self) -> list[tuple[CheckedTensor, LayerFigures]]:
        """Layers that make NaN or infinity of the reference's inputs: where it begins, not where it is passed on."""
        return [pair for pair in self.known() if pair[1].introduced.is_broken]


def _is_exact(figures: LayerFigures) -> bool:
    return figures.introduced.sqnr_db >= -LOST_DB
