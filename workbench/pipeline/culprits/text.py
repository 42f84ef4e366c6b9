"""Culprits for people: the ranking as a table, what exempting gives as sentences."""

from __future__ import annotations

from workbench.core.layer_errors import LOST_DB
from workbench.core.sensitivity import Culprits, Evaluation, Exemption, Sensitivity

SHOWN = 15
WIDEST = 48  # of a column
SETTLED = 0.9
ADDITIVE = 3.0
"""Figures of single layers that add up to a third, or to three times the whole, are told of."""
DIFFERENT_DB = 1.0
"""Exempting a layer that makes it worse by more than this is told of."""


def quality(evaluation: Evaluation) -> str:
    """`25.3 dB (22.1 to 29.0), top-1 81.2 %`; where outputs are no floats the share that agrees."""
    if evaluation.reason:
        return evaluation.reason
    words = [decibels(evaluation)]
    if evaluation.task is not None:
        words.append(f"{evaluation.task.metric} {evaluation.task.words(evaluation.task.value)}")
    return ", ".join(words)


def decibels(evaluation: Evaluation) -> str:
    """The figure that plans are compared by, with its interval."""
    if evaluation.agreement is not None:
        return f"{100 * evaluation.agreement:.1f} % of values equal"
    if evaluation.is_broken:
        return "NaN or infinity"
    if evaluation.sqnr_db >= -LOST_DB:
        return "equal to FP32"
    return f"{evaluation.sqnr_db:.1f} dB ({evaluation.low_db:.1f} to {evaluation.high_db:.1f})"


def sqnr_words(value: float | None) -> str:
    """`23.4 dB`, `broken`, or nothing where it was not measured."""
    if value is None:
        return ""
    return "broken" if value <= LOST_DB else f"{value:.1f} dB"


def ranking_text(found: Culprits, most: int = SHOWN) -> str:
    """A line a layer, the worst first."""
    rows: list[tuple[str, ...]] = [("layer", "op", "noise", "alone", "exempted", "introduces")]
    rows += [_row(one) for one in found.layers[:most]]
    widths = [min(max(len(row[i]) for row in rows), WIDEST) for i in range(len(rows[0]))]
    lines = ["  ".join(map(_cell, row, widths, range(len(row)))).rstrip() for row in rows]
    rest = len(found.layers) - most
    return "\n".join(lines + ([f"… {rest} more"] if rest > 0 else []))


def _row(one: Sensitivity) -> tuple[str, ...]:
    known = "" if one.alone_db is not None else "≈ "
    figures = (sqnr_words(one.alone_db), sqnr_words(one.exempt_db), sqnr_words(one.introduced_db))
    return (one.title, one.op, f"{known}{share_words(one)}", *figures)


def share_words(one: Sensitivity) -> str:
    """Its part of the noise of all layers."""
    return "broken" if one.is_broken else f"{100 * one.share:.1f} %"


def _cell(text: str, width: int, column: int) -> str:
    cut = text if len(text) <= width else f"{text[: width // 2 - 1]}…{text[-(width - width // 2) :]}"
    return cut.ljust(width) if column < 2 else cut.rjust(width)


def sentences(found: Culprits) -> list[str]:
    """What is exempted, what that gives, and what to be careful of."""
    if found.plan is None:
        return []
    told = [f"The plan as it is: {quality(found.plan)} on {found.samples} samples of {found.source}."]
    if found.proposal is not None:
        told.append(f"{proposal_words(found.proposal, found)}: {quality(found.proposal.evaluation)}, measured.")
    elif found.exemptions:
        told.append("No small set of layers stands out: whatever is exempted gives about what its number suggests.")
    elif not found.layers:
        told.append("Nothing is lost: there is nothing to look for.")
    return [*told, *doubts(found), _spent(found)]


def doubts(found: Culprits) -> list[str]:
    """What to be careful of."""
    return [*_careful(found), *_together(found), *found.notes]


def proposal_words(exemption: Exemption, found: Culprits) -> str:
    """`Exempting Conv_3 and Conv_7`, by the titles of the ranking."""
    nodes = set(exemption.nodes)
    titles = [one.title for one in found.layers if nodes.issuperset(one.nodes)]
    if len(titles) > 3:
        return f"Exempting {titles[0]}, {titles[1]} and {len(titles) - 2} more"
    return f"Exempting {' and '.join([', '.join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)}"


def _careful(found: Culprits) -> list[str]:
    """The loudest of the layers that look bad, and do harm when they alone are exempted."""
    if found.plan is None or found.plan.is_broken:
        return []
    least = found.plan.sqnr_db - DIFFERENT_DB
    worse = [one for one in found.layers if one.exempt_db is not None and one.exempt_db < least]
    return [
        f"Exempting {one.title} alone makes it worse ({sqnr_words(one.exempt_db)}): its error cancels that of others."
        for one in worse[:1]
    ]


def _together(found: Culprits) -> list[str]:
    """Where figures of single layers do not add up to what the plan loses, they explain little of it."""
    if found.plan is None or found.plan.is_broken or found.settled < SETTLED:
        return []
    share = sum(one.noise for one in found.layers) / found.plan.noise
    if 1 / ADDITIVE <= share <= ADDITIVE:
        return []
    why = "they act together" if share < 1 else "much of it cancels"
    return [f"Alone the layers make {100 * share:.0f} % of the plan's noise: {why}, and only measured sets tell."]


def _spent(found: Culprits) -> str:
    return (
        f"{found.evaluations} of at most {found.budget} plans measured in {found.seconds:.0f} s;"
        f" {100 * found.settled:.0f} % of the noise is pinned to single layers."
    )
