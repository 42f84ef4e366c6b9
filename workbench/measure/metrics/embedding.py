"""Embeddings: how near vectors are to the reference's, and whether they still find what belongs together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.core.run import TaskResult
from workbench.measure.metrics.base import Label, Sample, Scorer
from workbench.measure.statistics import bootstrap

MOST = 4096  # samples whose vectors are kept for recall; more count for the cosine only
RANK = 5


class Embedding(Scorer):
    """Mean cosine of the engine's vector with the reference's of the same sample, <a, r> / (|a| |r|).

    With labels, in `extra`: `recall_at_1` and `recall_at_5`, the share of samples one of whose nearest 1 or 5 other
    samples (by cosine) has the same label, of engine and reference; samples alone with their label are left out.
    Agreement: the share of samples with the same nearest neighbour in both.
    """

    kind = TaskKind.EMBEDDING

    def __init__(self, task: Task, metadata: Mapping[str, str], allowed_code: str = "") -> None:
        super().__init__(task, metadata, allowed_code)
        self._cosines: list[float] = []
        self._labels: list[Label | None] = []
        self._vectors: list[NDArray[np.float32]] = []  # engine and reference, of length 1

    def add(self, sample: Sample) -> None:
        got, expected = (_unit(self.pick_finite(outputs)) for outputs in (sample.actual, sample.reference))
        if got.shape != expected.shape or (self._vectors and self._vectors[0].shape[1] != got.size):
            raise WorkbenchError("The vectors have not all one length.", "Name the output with the embedding.")
        self._cosines.append(float(got @ expected))
        if len(self._vectors) < MOST:
            self._vectors.append(np.stack([got, expected]))
            self._labels.append(sample.label)

    def result(self) -> TaskResult | None:
        if not self._cosines:
            return None
        low, high = bootstrap(self._cosines, lambda rows: float(rows.mean()))
        value, n = float(np.mean(self._cosines)), len(self._cosines)
        extra, agreement = self._recalls() if len(self._vectors) > 1 else ({}, None)
        return TaskResult("cosine", value, n, low, high, agreement=agreement, extra=extra, is_share=False)

    def _recalls(self) -> tuple[dict[str, float], float]:
        vectors = np.stack(self._vectors, axis=1)
        ranks = [_nearest(vectors[which]) for which in (0, 1)]
        agreement = float((ranks[0][:, 0] == ranks[1][:, 0]).mean())
        labels = np.array([hash(label) for label in self._labels])
        alone = [label is None or self._labels.count(label) < 2 for label in self._labels]
        if all(alone):
            return {}, agreement
        extra = {}
        for word, order in zip(("", "reference_"), ranks, strict=True):
            found = labels[order] == labels[:, None]
            for rank in (1, min(RANK, order.shape[1])):
                extra[f"{word}recall_at_{rank}"] = float(found[~np.array(alone), :rank].any(axis=1).mean())
        return extra, agreement


def _unit(output: NDArray[np.generic]) -> NDArray[np.float32]:
    vector = output.astype(np.float32).ravel()
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else vector


def _nearest(vectors: NDArray[np.float32]) -> NDArray[np.intp]:
    """For each sample the others, the nearest first; as many as are asked for."""
    close = vectors @ vectors.T
    np.fill_diagonal(close, -np.inf)
    return np.argsort(-close, axis=1, kind="stable")[:, : min(RANK, len(vectors) - 1)]


METRIC = Embedding
