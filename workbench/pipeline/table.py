"""The comparison as an aligned table of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from workbench.core.errors import one_line
from workbench.core.run import Accuracy, LatencyStats, Race, Run, SimulatorCheck, Status, TaskResult
from workbench.core.titles import Titles
from workbench.core.waterfall import Waterfall
from workbench.measure.accuracy import SQNR_CAP_DB
from workbench.measure.reference import SIMULATED
from workbench.pipeline.documents import precision_label

HEAD = ("run", "median", "95 %", "speed-up", "size", "ran in", "SQNR", "task", "verdict")


def comparison_table(runs: Sequence[Run], race: Race | None) -> str:
    """One line a run; figures right-aligned. A run without a figure shows its reason in the last column."""
    titles = Titles(runs)
    rows = [HEAD, *(_row(run, titles.of(run), race) for run in runs)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(HEAD))]
    left = {0, 5, 7, 8}
    lines = [_line(row, widths, left) for row in rows]
    return "\n".join([lines[0], "─" * min(sum(widths) + 2 * len(widths), 140), *lines[1:]]) + "\n"


def _row(run: Run, title: str, race: Race | None) -> tuple[str, ...]:
    stats = run.timing.stats if run.timing else None
    entry = next((e for e in race.entries if e.run == run.id), None) if race else None
    sqnr = run.accuracy.worst_sqnr_db if run.accuracy else None
    return (
        title,
        f"{stats.median_ms:.3f} ms" if stats else "—",
        _interval(stats) if stats else "",
        f"{entry.speedup:.2f}×" if entry else "—",
        size_text(run.build.size_bytes) if run.build and run.build.size_bytes else "—",
        shares_text(run.build.precisions) if run.build else "",
        sqnr_text(sqnr) + (" sim." if is_simulated(run.accuracy) else ""),
        task_text(run.accuracy.task if run.accuracy else None),
        entry.verdict if entry else shortened(why_not(run)),
    )


def _interval(stats: LatencyStats) -> str:
    """`noisy 0.091–0.094`; of few inferences how many they are."""
    if not stats.is_sure:
        return f"n = {stats.iterations}"
    return f"{'noisy ' * stats.is_noisy}{stats.low_ms:.3f}–{stats.high_ms:.3f}"


def why_not(run: Run) -> str:
    """Why a run has no time, in its own words; empty where it has."""
    if run.error:
        return run.error.message
    if run.status is not Status.DONE:
        return run.status.value
    return run.timing.reason if run.timing else ""


def shortened(reason: str, limit: int = 80) -> str:
    """The first clause of a reason, for a cell."""
    return one_line(reason.split("; ")[0], limit)


def is_simulated(accuracy: Accuracy | None) -> bool:
    """True where the figures are of the typed ONNX in ONNX Runtime, because the engine cannot run here."""
    return accuracy is not None and accuracy.reference.endswith(SIMULATED)


def size_text(size_bytes: int) -> str:
    """In MiB, or KiB below one."""
    return f"{size_bytes / 2**20:.1f} MiB" if size_bytes >= 2**20 else f"{size_bytes / 2**10:.0f} KiB"


def shares_text(precisions: dict[str, int]) -> str:
    """`INT8 62, FP32 31`: compute layers by the precision that ran."""
    return ", ".join(f"{precision_label(name)} {count}" for name, count in precisions.items())


def sqnr_text(sqnr_db: float | None) -> str:
    if sqnr_db is None:
        return "—"
    if abs(sqnr_db) >= SQNR_CAP_DB:
        return "equal" if sqnr_db > 0 else "no match"
    return f"{sqnr_db:.1f} dB"


def simulator_text(check: SimulatorCheck) -> str:
    """`engine 20.0 dB, typed ONNX computed exactly 33.9 dB, on the same 8 samples`"""
    engine, exact = sqnr_text(check.engine_db), sqnr_text(check.simulator_db)
    return f"engine {engine}, typed ONNX computed exactly {exact}, on the same {check.samples} samples"


def task_text(task: TaskResult | None) -> str:
    """`exact lines 98.0 % (93.0–99.4 %, n = 100)`."""
    if task is None:
        return "—"
    return f"{task.metric} {task.words(task.value)} ({task.interval}, n = {task.n})"


def aligned(rows: Sequence[Sequence[str]], left: set[int]) -> str:
    """Lines of equal columns; those in `left` begin at the left, figures end at the right."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths, left) for row in rows) + "\n"


def _line(row: Sequence[str], widths: Sequence[int], left: set[int]) -> str:
    cells = []
    for column, (cell, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - _width(cell))
        cells.append(cell + space if column in left else space + cell)
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """Columns in a terminal: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(ch) in "WF" else 1 for ch in text)


def race_table(race: Race, runs: Sequence[Run]) -> str:
    """One line an engine: median, speed-up with its interval, verdict."""
    names = Titles(runs)
    titles = {run.id: names.of(run) for run in runs}
    rows = [("run", "median", "speed-up", "interval", "verdict")]
    for entry in race.entries:
        interval = "" if entry.verdict == "baseline" else f"{entry.low:.3f}–{entry.high:.3f}"
        speedup = f"{entry.speedup:.3f}×"
        rows.append((titles[entry.run], f"{entry.median_ms:.3f} ms", speedup, interval, entry.verdict))
    return aligned(rows, {0, 4})


def waterfall_text(waterfall: Waterfall, blocks: int = 3) -> str:
    """From A's median to B's, a line a step, with the `blocks` that matter most of each."""
    lines = [f"{waterfall.a_ms:10.3f} ms  median of A"]
    for step in waterfall.steps:
        lines.append(f"{step.ms:+10.3f} ms  {step.kind.value}")
        lines += [f"{block.ms:+16.3f} ms  {block.title}: {block.words}" for block in step.blocks[:blocks]]
    return "\n".join([*lines, f"{waterfall.b_ms:10.3f} ms  median of B"]) + "\n"


def history_table(runs: Sequence[Run], titles: Titles) -> str:
    """One line a run: when, which model, what, how it ended, how fast, how far."""
    head = ("created", "model", "run", "status", "median", "SQNR", "id")
    rows = [head, *(_history_row(run, titles.of(run)) for run in runs)]
    return aligned(rows, {0, 1, 2, 3, 6})


def _history_row(run: Run, title: str) -> tuple[str, ...]:
    stats = run.timing.stats if run.timing else None
    return (
        run.created.replace("T", " ").removesuffix("Z"),
        one_line(run.model_name, 40),
        title,
        run.status.value,
        f"{'noisy ' * stats.is_noisy}{stats.median_ms:.3f} ms" if stats else "—",
        sqnr_text(run.accuracy.worst_sqnr_db if run.accuracy else None),
        run.id,
    )
