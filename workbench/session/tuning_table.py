"""What a search for the fastest options has tried, as a table: the fastest first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.core.run import LEAST_FOR_AN_INTERVAL
from workbench.core.tuning import Trial, Tuning, options_words
from workbench.core.words import plural
from workbench.pipeline.conditions import interleaved_conditions
from workbench.session.column_table import TableColumn, TableContent
from workbench.session.runs_model import Cell

NAN = float("nan")


def tuning_table(trials: Sequence[Trial], result: Tuning | None) -> TableContent:
    """A row for each options that were tried. `result` None: the search is at work."""
    words = [options_words(trial.options) for trial in trials]
    conditions = interleaved_conditions(result.protocol, result.machine) if result is not None else []
    most = max((trial.speedup for trial in trials), default=1.0) or 1.0
    columns = [
        TableColumn(
            "options",
            "options",
            "What is other than the backend's default",
            lambda i: Cell(words[i], "tuned" if result is not None and result.best == trials[i].options else ""),
            np.asarray(words, dtype=np.str_),
            is_figure=False,
        ),
        TableColumn(
            "speedup",
            "against default",
            "The default's time over its own, timed interleaved, with half of the 95 % interval",
            lambda i: _speedup(trials[i], most, conditions),
            np.asarray([trial.speedup if trial.rounds else NAN for trial in trials], dtype=np.float64),
        ),
        TableColumn(
            "rounds",
            "rounds",
            "The faster half goes on with twice as many",
            lambda i: Cell(str(trials[i].rounds) if trials[i].rounds else "", tone="soft"),
            np.asarray([trial.rounds for trial in trials], dtype=np.float64),
        ),
    ]
    if any(trial.reason for trial in trials):
        columns.append(_reasons(trials))
    sentence = result.verdict if result is not None else f"{plural(len(trials), 'trial')} so far"
    return TableContent(tuple(columns), [()] * len(trials), [text.casefold() for text in words], sentence)


def _reasons(trials: Sequence[Trial]) -> TableColumn:
    return TableColumn(
        "reason",
        "why not",
        "Why it was never timed",
        lambda i: Cell(trials[i].reason, tone="soft", tip=trials[i].reason),
        np.asarray([trial.reason for trial in trials], dtype=np.str_),
        is_figure=False,
    )


def _speedup(trial: Trial, most: float, conditions: Sequence[str]) -> Cell:
    if not trial.rounds:
        return Cell("out", tone="soft", tip=trial.reason)
    if trial.rounds < LEAST_FOR_AN_INTERVAL:
        tip = "\n".join([f"{plural(trial.rounds, 'round')}: too few for an interval", *conditions])
        return Cell(f"{trial.speedup:.2f}×", tip=tip, bar=trial.speedup / most)
    tone = "good" if trial.low > 1 else "bad" if trial.high < 1 else ""
    half = (trial.high - trial.low) / 2
    tip = "\n".join([f"95 % interval {trial.low:.3f}× to {trial.high:.3f}×", *conditions])
    return Cell(f"{trial.speedup:.2f}×", f"±{half:.2f}", tone, tip=tip, bar=trial.speedup / most)
