"""The runs table: a row a run, with its columns as a table of functions. Sorted here, where the numbers are."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from workbench.core.precision import Precision
from workbench.core.run import Run, Status
from workbench.core.titles import Titles
from workbench.core.words import shapes_words
from workbench.pipeline.conditions import race_conditions, timing_conditions
from workbench.pipeline.table import is_simulated, simulator_text
from workbench.session.baseline import stats_of, timed_apart
from workbench.session.races import Raced
from workbench.session.words import mebibytes, milliseconds, percent, verbal_status

Index = QModelIndex | QPersistentModelIndex
CELL_ROLE = Qt.ItemDataRole.UserRole + 1
RUN_ROLE = Qt.ItemDataRole.UserRole + 2


class Cell(msgspec.Struct, frozen=True):
    """What a cell shows: figure, what is uncertain behind it, and how it counts (`good`, `bad`, `soft`).

    `value` sorts, None last. `swatch` is the precision whose colour stands before the text. `span` columns to the
    right are given up for a longer text. `bar` is a share in 0..1, drawn below the figure.
    """

    main: str = "—"
    soft: str = ""
    tone: str = ""
    value: Any = None
    swatch: Precision | None = None
    tip: str = ""
    span: int = 1
    bar: float = 0.0


NONE = Cell(tone="soft")
_SPOKEN_WITH_A_VOWEL = frozenset("AEFHILMNORSXaefhilmnorsx")


@dataclass(frozen=True)
class Against:
    """What a row is seen against: the baseline, what a race of the two said, what people call runs and targets."""

    run: Run | None = None
    raced: Raced | None = None
    titles: Titles = field(default_factory=Titles)
    targets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    id: str
    title: str
    tip: str
    cell: Callable[[Run, Against], Cell]


def _run(run: Run, base: Against) -> Cell:
    config, title = run.config, base.titles.of(run)
    tip = f"{title} · {config.backend}{' ' + config.target if config.target else ''} · {run.created} · {run.id}"
    cut_short = verbal_status(run) if stats_of(run) is not None else ""  # else the reason stands in the next cell
    return Cell(title, cut_short, swatch=config.plan.default, tip=tip, value=title.lower())


def _median(run: Run, base: Against) -> Cell:
    stats = stats_of(run)
    if stats is None:
        return _reason(run, base.targets)
    half = max(stats.high_ms - stats.median_ms, stats.median_ms - stats.low_ms)
    tip = f"median of {stats.iterations} iterations, 95 % interval {stats.low_ms:.4g} to {stats.high_ms:.4g} ms; "
    tip += f"p95 {stats.p95_ms:.4g} ms, p99 {stats.p99_ms:.4g} ms"
    tip = "\n".join([tip, *timing_conditions(run)])
    soft = f"±{_two(half)}{' noisy' if stats.is_noisy else ''}" if stats.is_sure else f"n = {stats.iterations}"
    return Cell(milliseconds(stats.median_ms), soft, value=stats.median_ms, tip=tip)


def _reason(run: Run, targets: Mapping[str, str]) -> Cell:
    """Why there is no time: what the run waits for, what failed, what this machine lacks."""
    if run.status is Status.DONE and run.timing is not None and run.timing.reason:
        target = run.config.target
        lacks = f"needs {gpu_words(target, targets)} to time" if target else run.timing.reason.split(";")[0].rstrip(".")
        return Cell(lacks, tone="soft", tip=run.timing.reason, span=2)
    tone = "bad" if run.status is Status.FAILED else "soft"
    span = 2 if run.build is not None else len(COLUMNS) - 1
    why = run.error.message if run.error is not None and run.status is not Status.CANCELLED else ""
    return Cell(verbal_status(run) or "—", why, tone=tone, tip=_why(run), span=span)


def gpu_words(target: str, targets: Mapping[str, str]) -> str:
    """`an RTX 40 series`: the first name people have for a target such as `sm89`; else the target itself."""
    name = targets.get(target.split(",")[0], target).split(",")[0].split("(")[0].strip()
    return f"{'an' if name[:1] in _SPOKEN_WITH_A_VOWEL else 'a'} {name}"


def _why(run: Run) -> str:
    return f"{run.error.message} {run.error.hint}".strip() if run.error else ""


def _speedup(run: Run, base: Against) -> Cell:
    """Of a race with its interval where there was one; else `≈` the ratio of two medians."""
    own, first = stats_of(run), stats_of(base.run)
    if base.run is None or own is None or first is None or run.model_sha256 != base.run.model_sha256:
        return NONE
    if run.id == base.run.id:
        return Cell("1.0×", tone="soft", value=1.0, tip="the baseline: speed-ups are counted from it")
    if run.timing is not None and base.run.timing is not None and not run.timing.is_like(base.run.timing):
        inputs, others = shapes_words(run.timing.shapes), shapes_words(base.run.timing.shapes)
        return Cell(tone="soft", tip=f"No speed-up: inputs of {inputs} here, of {others} in {base.titles.of(base.run)}")
    if base.raced is not None:
        return _raced(base.raced, base.titles.of(base.run))
    if (apart := timed_apart(run, base.run)) is not None:
        return Cell(tone="soft", tip=f"No speed-up: {apart}")
    ratio = first.median_ms / own.median_ms
    tip = f"{base.titles.of(base.run)} takes {first.median_ms:.4g} ms. The two were timed one after the other: "
    tip += "select both and Compare, then they are timed interleaved"
    return Cell(f"≈ {_times(ratio)}", tone=_gain(ratio, ratio), value=ratio, tip=tip)


def _raced(raced: Raced, base: str) -> Cell:
    entry = raced.entry
    half = (entry.high - entry.low) / 2
    tip = f"{entry.verdict} than {base}" if entry.verdict.startswith(("faster", "slower")) else entry.verdict
    tip += f"; timed interleaved in {raced.race.rounds} rounds, 95 % interval {entry.low:.3g}× to {entry.high:.3g}×"
    tip = "\n".join([tip, *race_conditions(raced.race)])
    return Cell(_times(entry.speedup), f"±{_two(half)}", _gain(entry.low, entry.high), entry.speedup, tip=tip)


def _gain(low: float, high: float) -> str:
    return "good" if low > 1.05 else "bad" if high < 0.95 else ""


def _times(ratio: float) -> str:
    return f"{ratio:.1f}×" if ratio >= 1.95 else f"{ratio:.2f}×"


def _size(run: Run, _base: Against) -> Cell:
    if run.build is None or not run.build.size_bytes:  # of an imported engine it is not told
        return NONE
    return Cell(
        mebibytes(run.build.size_bytes), "MiB", value=float(run.build.size_bytes), tip=f"{run.build.size_bytes:,} bytes"
    )


def _memory(run: Run, _base: Against) -> Cell:
    if run.build is None or not run.build.memory:
        return NONE
    total = sum(run.build.memory.values())
    tip = ", ".join(f"{name} {mebibytes(size)} MiB" for name, size in run.build.memory.items())
    return Cell(mebibytes(total), "MiB", value=float(total), tip=tip)


def _task(run: Run, base: Against) -> Cell:
    accuracy = run.accuracy
    if accuracy is None or accuracy.task is None:
        return Cell(tone="soft", tip=accuracy.reason if accuracy else "")
    task = accuracy.task
    half = (task.high - task.low) / 2
    worse = task.reference is not None and (task.reference < task.low if task.is_error else task.reference > task.high)
    tip = f"{task.metric} on {task.n} samples, 95 % interval {task.interval}"
    if task.reference is not None:
        tip += f"; FP32 {task.words(task.reference)}"
    tip += "".join(f"; {name.replace('_', ' ')} {value:.4g}" for name, value in task.extra.items())
    if task.agreement is not None:
        tip += f"; the same answer as FP32 in {percent(task.agreement)}"
    spread = f"{half * 100:.0f}" if task.is_share else f"{half:.2g}"
    soft = f"±{spread} {_simulated(run)}".strip()
    shown = percent(task.value) if task.is_share else task.words(task.value)
    return Cell(shown, soft, "bad" if worse else "", task.value, tip=tip)


def _simulated(run: Run) -> str:
    """Outputs of an engine that cannot run here come from the exact simulator: that is said beside each figure."""
    return "sim." if is_simulated(run.accuracy) else ""


def _sqnr(run: Run, _base: Against) -> Cell:
    if run.accuracy is None or not run.accuracy.outputs:
        return NONE
    name, worst = min(run.accuracy.outputs.items(), key=lambda item: item[1].sqnr_db)
    if math.isnan(worst.sqnr_db):
        return Cell("NaN", tone="bad", tip=f"output {name} is not a number")
    samples = f"{run.accuracy.samples} {'RANDOM ' if run.accuracy.source == 'random' else ''}samples"
    tip = f"output {name} against {run.accuracy.reference}, {samples}; cosine {worst.cosine:.5f}"
    soft, check = _simulated(run), run.accuracy.simulator
    if check is not None:
        tip += f"; {simulator_text(check)}"
        soft = soft or (f"sim. {check.simulator_db:.0f}" if check.parts else "")
    text = "equal" if worst.sqnr_db >= 200 else f"{worst.sqnr_db:.0f} dB"
    return Cell(text, soft, "bad" if worst.sqnr_db < 12 else "", worst.sqnr_db, tip=tip)


def tip_lines(text: str) -> str:
    """Word for word, line for line: Qt would take a name like `<img …>` for HTML, and show plain lines in one."""
    return f"<qt>{html.escape(text)}</qt>".replace("\n", "<br>") if text else ""


def _two(value: float) -> str:
    """One figure of a small value, without an exponent; else one decimal."""
    return f"{Decimal(f'{value:.1g}'):f}" if value < 0.1 else f"{value:.1f}"


COLUMNS = (
    Column("run", "run", "What was built; the colour is the plan's default precision", _run),
    Column("median", "median", "Median latency with half of its 95 % interval", _median),
    Column(
        "speedup",
        "speed-up",
        "Against the baseline. ±: timed interleaved; ≈: two medians, one after the other",
        _speedup,
    ),
    Column("size", "size", "Engine on disk", _size),
    Column("memory", "memory", "What the engine says it takes", _memory),
    Column("task", "task", "The task's metric on the evaluation set, with half of its 95 % interval", _task),
    Column("sqnr", "min SQNR", "Signal to error of the worst output against FP32", _sqnr),
)


class RunsModel(QAbstractTableModel):
    """Rows are whole `Run`s; cells are made when asked for, so only visible ones cost."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Run] = []
        self._base: Run | None = None
        self._raced: dict[str, Raced] = {}
        self._targets: dict[str, str] = {}
        self._titles = Titles()
        self._sorting: tuple[int, Qt.SortOrder] | None = None
        self.current = ""

    def set_runs(
        self,
        runs: Sequence[Run],
        baseline: Run | None,
        raced: Mapping[str, Raced] | None = None,
        targets: Mapping[str, str] | None = None,
    ) -> None:
        """Oldest first, unless sorted by a column. `raced`: by run, what races with the baseline said.

        `targets`: what people call them.
        """
        self._base, self._raced, self._targets = baseline, dict(raced or {}), dict(targets or {})
        self._titles = Titles(runs)
        rows = self._sorted(list(reversed(list(runs))))
        same = [run.id for run in rows] == [run.id for run in self._rows]
        if same:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def run_at(self, row: int) -> Run | None:
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, run_id: str) -> int:
        return next((row for row, run in enumerate(self._rows) if run.id == run_id), -1)

    def cell(self, row: int, column: int) -> Cell:
        return self._cell(COLUMNS[column], self._rows[row])

    def _cell(self, column: Column, run: Run) -> Cell:
        return column.cell(run, Against(self._base, self._raced.get(run.id), self._titles, self._targets))

    def task_title(self) -> str:
        """The metric of the first run that has one: `exact lines`."""
        tasks = (run.accuracy.task for run in self._rows if run.accuracy is not None)
        return next((task.metric.replace("_", " ") for task in tasks if task is not None), "task")

    def tsv(self) -> str:
        """The table as tab-separated text, with a header line."""
        lines = ["\t".join([*(column.title for column in COLUMNS), "status"])]
        for row, run in enumerate(self._rows):
            cells = [self.cell(row, column) for column in range(len(COLUMNS))]
            texts = [f"{cell.main} {cell.soft}".strip() for cell in cells]
            lines.append("\t".join(text.replace("\t", " ") for text in [*texts, run.status.value]))
        return "\n".join(lines) + "\n"

    # Qt's model

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        if role == RUN_ROLE:
            return self._rows[index.row()].id
        cell = self.cell(index.row(), index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return f"{cell.main} {cell.soft}".strip()
            case Qt.ItemDataRole.EditRole:
                return cell.main
            case Qt.ItemDataRole.ToolTipRole:
                return tip_lines(cell.tip)
            case Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignRight if index.column() else Qt.AlignmentFlag.AlignLeft
                return side | Qt.AlignmentFlag.AlignVCenter
            case _ if role == CELL_ROLE:
                return cell
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(COLUMNS):
            return None
        column = COLUMNS[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.task_title() if column.id == "task" else column.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return column.tip
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorting = (column, order) if 0 <= column < len(COLUMNS) else None
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        ids = [(self._rows[index.row()].id, index.column()) for index in before]
        self._rows = self._sorted(self._rows)
        after = [self.index(self.row_of(run_id), column) for run_id, column in ids]
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _sorted(self, rows: list[Run]) -> list[Run]:
        if self._sorting is None:
            return rows
        column, order = self._sorting
        values = {run.id: self._cell(COLUMNS[column], run).value for run in rows}
        known = [run for run in rows if values[run.id] is not None]
        known.sort(key=lambda run: values[run.id], reverse=order == Qt.SortOrder.DescendingOrder)
        return known + [run for run in rows if values[run.id] is None]
