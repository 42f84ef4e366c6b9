"""The calibration doctor's judgement of what was observed: too few samples, outliers, dead channels, no numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from workbench.core.calibration_report import Coverage, Finding, Severity
from workbench.data.statistics import ks_distance, ks_limit
from workbench.precision.observations import Observations
from workbench.precision.observer import Peaks
from workbench.precision.readers import Readers
from workbench.precision.thresholds import clipped_share

FEW = 8
"""Fewer samples than this say little of any model."""
ENOUGH_TO_TELL = 16
OUTLIER = 2.0
"""A sample that reaches this many times further than the next one stretches the ranges of all."""
MOST_OUTLIERS = 3
MOST_DEAD = 5
"""Tensors with dead channels that are told one by one."""
UNSTEADY = 0.10
"""A share by which a range still moved in the second half of the samples."""


def judge(seen: Observations, readers: Mapping[str, Readers]) -> list[Finding]:
    """What is odd about the observations, warnings first."""
    found = [*_few(seen), *_unsteady(seen), *_outliers(seen, readers), *_without_numbers(seen, readers)]
    found += [*_constant(seen, readers), *_dead(seen, readers)]
    return sorted(found, key=lambda one: one.severity is not Severity.WARNING)


def _few(seen: Observations) -> Iterator[Finding]:
    if seen.samples < FEW:
        yield Finding(
            Severity.WARNING,
            "few_samples",
            f"Only {seen.samples} sample{'s' * (seen.samples != 1)}: what other inputs reach is not known.",
            "Use 64 or more typical samples.",
        )


def _unsteady(seen: Observations) -> Iterator[Finding]:
    """Of the percentile's ranges: largest values grow with every sample, however many there are."""
    trail = seen.trail
    half = [place for place, mark in enumerate(trail.marks[:-1]) if 2 * mark >= seen.samples]
    if seen.samples < FEW or not half:
        return
    tensor, moved = trail.most_moved(half[0])
    if moved > UNSTEADY:
        yield Finding(
            Severity.NOTE,
            "unsteady",
            f"Ranges still moved: between sample {trail.marks[half[0]]} and {seen.samples} that of"
            f" {list(seen.histograms)[tensor]!r} by {100 * moved:.0f} %.",
            "Use more samples.",
            tensor=list(seen.histograms)[tensor],
        )


def _outliers(seen: Observations, readers: Mapping[str, Readers]) -> Iterator[Finding]:
    """Samples behind whose magnitude there is a gap, each told once, with the tensor where it is widest."""
    if seen.samples < ENOUGH_TO_TELL:
        return
    widest: dict[tuple[int, ...], tuple[float, str, int]] = {}
    for name, peaks in seen.peaks.items():
        samples, ratio = _gap(peaks)
        if samples:
            before = widest.get(samples, (0.0, "", 0))
            widest[samples] = (*max((ratio, name), before[:2]), before[2] + 1)
    for samples, (ratio, name, count) in sorted(widest.items(), key=lambda item: -item[1][0]):
        which = f"Sample {samples[0]} reaches" if len(samples) == 1 else f"Samples {_listed(samples)} reach"
        more = f", and so in {count - 1} more tensor{'s' * (count > 2)}" if count > 1 else ""
        yield Finding(
            Severity.WARNING,
            "outlier",
            f"{which} {ratio:.1f} times as far as any other in {name!r}{more}.",
            "Look at it: where it is no typical input, take it out of the set; else use percentile or MSE.",
            tensor=name,
            nodes=_nodes(readers, name),
            samples=samples,
        )


def _gap(peaks: Peaks) -> tuple[tuple[int, ...], float]:
    """The samples above the widest gap among the first few, with how wide it is; nobody where there is none."""
    best, ratio = 0, OUTLIER
    for place in range(min(MOST_OUTLIERS, len(peaks.values) - 1)):
        below = peaks.values[place + 1]
        if below > 0 and peaks.values[place] / below >= ratio:
            best, ratio = place + 1, float(peaks.values[place] / below)
    return tuple(sorted(int(sample) for sample in peaks.samples[:best])), ratio


def _without_numbers(seen: Observations, readers: Mapping[str, Readers]) -> Iterator[Finding]:
    for name, histogram in seen.histograms.items():
        if histogram.skipped:
            yield Finding(
                Severity.WARNING,
                "non_finite",
                f"{histogram.skipped:,} values of {name!r} were NaN or infinite, and left out of its range.",
                "Look at what makes them: such a node gives no accuracy in any precision.",
                tensor=name,
                nodes=_nodes(readers, name),
            )


def _constant(seen: Observations, readers: Mapping[str, Readers]) -> Iterator[Finding]:
    for name, histogram in seen.histograms.items():
        if name in seen and histogram.low == histogram.high:
            yield Finding(
                Severity.WARNING,
                "constant",
                f"{name!r} was {histogram.low:g} in every sample: nothing reaches it.",
                "Check the samples and the preprocessing.",
                tensor=name,
                nodes=_nodes(readers, name),
            )


def _dead(seen: Observations, readers: Mapping[str, Readers]) -> Iterator[Finding]:
    """Notes: many trained models have some, and they do no harm but to waste the work. The worst tensors one by one."""
    dead = {name: channels.dead for name, channels in seen.channels.items()}
    found = [name for name, which in dead.items() if 0 < len(which) < len(seen.channels[name].low)]
    found.sort(key=lambda name: -len(dead[name]) / len(seen.channels[name].low))
    for name in found[:MOST_DEAD]:
        which, total = dead[name], len(seen.channels[name].low)
        yield Finding(
            Severity.NOTE,
            "dead_channels",
            f"{len(which)} of {total} channels of {name!r} had one value in every sample:"
            f" {_listed(tuple(int(channel) for channel in which))}",
            "They can be pruned, or the set does not show what they are for.",
            tensor=name,
            nodes=_nodes(readers, name),
        )
    if len(found) > MOST_DEAD:
        yield Finding(Severity.NOTE, "dead_channels", f"So have channels of {len(found) - MOST_DEAD} more tensors.")


def unlike(seen: Observations, other: Observations, name: str) -> list[Finding]:
    """Whether two sets look different: means and spreads of single samples, of the inputs and the first activations.

    By the two-sample test of Kolmogorov and Smirnov, at one in ten thousand.
    """
    worst: tuple[float, str, str] = (1.0, "", "")
    for tensor in [tensor for tensor in seen.rows if tensor in other.rows]:
        first, second = seen.rows[tensor], other.rows[tensor]
        limit = ks_limit(len(first), len(second))
        for column, what in enumerate(("means", "spreads")):
            distance = ks_distance(first[:, column], second[:, column])
            worst = max(worst, (distance / limit, tensor, _far_words(what, first[:, column], second[:, column])))
    if not worst[1]:
        return []
    return [
        Finding(
            Severity.WARNING,
            "unlike",
            f"These samples are unlike those of {name}: of {worst[1]!r} the {worst[2]}.",
            "Ranges come out right for inputs that are like those in use: take both sets from one source.",
            tensor=worst[1],
        )
    ]


def cover(seen: Observations, other: Observations, name: str) -> Coverage:
    """How far the values of another set reach beyond what was seen of this one."""
    inside, total, beyond, worst = 0.0, 0, 0, (1.0, "")
    for tensor, histogram in other.histograms.items():
        if tensor not in seen or tensor not in other:
            continue
        limit = seen.histogram(tensor).amax
        total += histogram.count
        inside += histogram.count * (1.0 - clipped_share(histogram, limit))
        if histogram.amax > limit:
            beyond += 1
            worst = max(worst, (histogram.amax / limit if limit > 0.0 else np.inf, tensor))
    return Coverage(name, other.samples, inside / total if total else 1.0, beyond, worst[1], float(worst[0]))


def _far_words(what: str, first: NDArray[np.float64], second: NDArray[np.float64]) -> str:
    return f"{what} lie around {float(np.median(first)):.3g} here and {float(np.median(second)):.3g} there"


def _nodes(readers: Mapping[str, Readers], name: str) -> tuple[str, ...]:
    return readers[name].nodes if name in readers else ()


def _listed(numbers: tuple[int, ...], most: int = 6) -> str:
    return ", ".join(map(str, numbers[:most])) + (" …" if len(numbers) > most else "")
