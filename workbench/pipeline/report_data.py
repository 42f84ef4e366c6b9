"""What the report says of a run, read from the run's folder and put into words and bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.core.advice import Advised
from workbench.core.graph import Graph, Layer
from workbench.core.json import read_json
from workbench.core.layer_errors import CheckedTensor, LayerErrors, LayerFigures
from workbench.core.ledger import PatternRow
from workbench.core.model import Model
from workbench.core.run import Race, RaceEntry, Run
from workbench.core.titles import UNFUSED
from workbench.pipeline.advice_text import action_text, gain_text
from workbench.pipeline.artefacts import read_advice, read_engine, read_ledger, read_source
from workbench.pipeline.conditions import timing_conditions
from workbench.pipeline.files import LAYER_ERRORS_FILE
from workbench.pipeline.fusion_text import ledger_summary
from workbench.pipeline.layer_text import broken_sentences
from workbench.pipeline.table import is_simulated, shortened, task_text, why_not

TOP_LAYERS = 20
TOP_ERRORS = 12
TOP_PATTERNS = 12
TOP_ADVICE = 5
LABEL_OPS = 4


@dataclass(frozen=True)
class Share:
    """A part of a stacked bar: `percent` of the whole, in the colour of a precision."""

    precision: str
    count: int
    percent: float


@dataclass(frozen=True)
class Bar:
    """A layer in the chart: `percent` of the longest bar, `share` of the sum of all layers in %."""

    label: str
    detail: str
    precision: str
    ms: float
    percent: float
    share: float


@dataclass(frozen=True)
class Section:
    """One run. `speed_percent` is the length of its bar in the table: its time as a share of the slowest."""

    run: Run
    title: str
    reason: str
    entry: RaceEntry | None
    model: Model | None = None
    asked: tuple[Share, ...] = ()
    ran: tuple[Share, ...] = ()
    patterns: tuple[PatternRow, ...] = ()
    fusion: str = ""
    advice: tuple[tuple[str, str, str], ...] = ()  # what, gain, what can be done
    bars: tuple[Bar, ...] = ()
    other_ms: float = 0.0
    errors: LayerErrors | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def median_ms(self) -> float | None:
        return self.run.timing.stats.median_ms if self.run.timing and self.run.timing.stats else None

    @property
    def high_ms(self) -> float:
        """The upper end of the median's interval; 0 where nothing was timed."""
        return self.run.timing.stats.high_ms if self.run.timing and self.run.timing.stats else 0.0

    @property
    def worst_layers(self) -> list[tuple[CheckedTensor, LayerFigures]]:
        """Those that introduce most."""
        return self.errors.worst()[:TOP_ERRORS] if self.errors else []

    @property
    def broken(self) -> list[str]:
        """Where NaN and infinity begin, in words."""
        return broken_sentences(self.errors) if self.errors else []

    @property
    def conditions(self) -> str:
        """How its time was measured, a line each; what to be warned of stands among the notes."""
        return "\n".join(line for line in timing_conditions(self.run) if not line.startswith("warning:"))

    @property
    def short_reason(self) -> str:
        return shortened(self.reason, 90)

    @property
    def is_simulated(self) -> bool:
        return is_simulated(self.run.accuracy)

    @property
    def color(self) -> str:
        """The precision whose colour the run has: what most of its compute layers ran in."""
        return self.ran[0].precision if self.ran else self.run.config.plan.default.value


def read_section(folder: Path, run: Run, title: str, race: Race | None) -> Section:
    """Everything the report shows of the run in `folder`; parts whose files are not there are left out."""
    entry = next((e for e in race.entries if e.run == run.id), None) if race else None
    graph, model = read_engine(folder), read_source(folder)
    ledger = read_ledger(folder, run)
    ops = {layer.id: layer.op for layer in model.graph.walk()} if model else {}
    bars, other = _bars(run, graph.graph, ops) if graph else ((), 0.0)
    return Section(
        run=run,
        title=title,
        reason=why_not(run),
        entry=entry,
        model=model,
        asked=_shares(run.build.asked) if run.build else (),
        ran=_shares(run.build.precisions) if run.build else (),
        patterns=tuple(row for row in ledger.patterns if "+" in row.pattern)[:TOP_PATTERNS] if ledger else (),
        fusion=ledger_summary(ledger) if ledger else "",
        advice=_advice(read_advice(folder, run)),
        bars=bars,
        other_ms=other,
        errors=_read_errors(folder),
        warnings=(*(run.timing.warnings if run.timing else ()), *(run.accuracy.warnings if run.accuracy else ())),
    )


def best_of(sections: Sequence[Section]) -> Section | None:
    """The fastest: by the race where there was one, because only that comparison is fair, else by the median."""
    raced = [s for s in sections if s.entry is not None]
    if raced:
        return max(raced, key=lambda s: s.entry.speedup if s.entry else 0.0)
    return min((s for s in sections if s.median_ms is not None), key=lambda s: s.median_ms or 0.0, default=None)


def sentences(sections: Sequence[Section]) -> list[str]:
    """The result in words: for each run that raced, its verdict with what it cost in accuracy."""
    baseline = next((s for s in sections if s.entry and s.entry.verdict == "baseline"), None)
    raced = [s for s in sections if s.entry and s is not baseline]
    ranked = sorted(raced, key=lambda s: -s.entry.speedup if s.entry else 0.0)
    return [_sentence(section, baseline) for section in ranked if baseline]


def _sentence(section: Section, baseline: Section) -> str:
    assert section.entry is not None
    verdict, times = section.entry.verdict, ""
    rival = baseline.title if baseline.title != UNFUSED else f"the {UNFUSED}"
    if verdict.startswith(("faster", "slower")):
        verdict = f"{verdict.split(' by ')[0]} than {rival} by {verdict.split(' by ')[1]}"
        times = f" ({section.entry.speedup:.2f}×)"
    else:
        verdict = f"against {rival}: {verdict}"
    accuracy = section.run.accuracy
    tail = ""
    if accuracy and accuracy.task:
        tail = f"; {task_text(accuracy.task)}"
        if accuracy.task.reference is not None:
            tail += f", FP32 reference {accuracy.task.words(accuracy.task.reference)}"
    word = "is " if times else ""
    return f"{section.title} {word}{verdict}{times}{tail}."


def _advice(advised: Advised | None) -> tuple[tuple[str, str, str], ...]:
    """The largest gains, in words."""
    found = advised.advice[:TOP_ADVICE] if advised is not None else ()
    return tuple((one.title, gain_text(one, advised.total_ms if advised else None), action_text(one)) for one in found)


def _in_file_order(layer: Layer, ops: Mapping[str, str]) -> list[str]:
    """The ops of the nodes of a layer as the file has them: an engine lists them in an order of its own."""
    mine = set(layer.sources)
    return [op for node, op in ops.items() if node in mine] if len(mine) > 1 else [ops[n] for n in mine if n in ops]


def _pattern(ops: Sequence[str], shown: int) -> str:
    head = " + ".join(ops[:shown])
    return head if len(ops) <= shown else f"{head} … ({len(ops)} nodes)"


def _read_errors(folder: Path) -> LayerErrors | None:
    path = folder / LAYER_ERRORS_FILE
    return read_json(path, LayerErrors) if path.is_file() else None


def _bars(run: Run, graph: Graph, ops: Mapping[str, str]) -> tuple[tuple[Bar, ...], float]:
    """The slowest layers, and the ms of all the others together."""
    times = run.timing.layers if run.timing else {}
    layers = {layer.id: layer for layer in graph.walk()}
    ranked = sorted(((ms, layers[name]) for name, ms in times.items() if name in layers), key=lambda t: -t[0])
    total = sum(ms for ms, _ in ranked) or 1.0
    longest = ranked[0][0] if ranked and ranked[0][0] > 0 else 1.0
    shown = [(ms, layer) for ms, layer in ranked[:TOP_LAYERS] if ms > 0]
    bars = tuple(_bar(layer, ms, longest, total, ops) for ms, layer in shown)
    return bars, max(0.0, sum(times.values()) - sum(ms for ms, _ in shown))


def _bar(layer: Layer, ms: float, longest: float, total: float, ops: Mapping[str, str]) -> Bar:
    fused = _pattern(_in_file_order(layer, ops), LABEL_OPS)
    label = fused or layer.op
    detail = " · ".join(part for part in (layer.name, layer.op if fused else layer.kind.value, layer.tactic) if part)
    precision = str(layer.precision) if layer.precision else ""
    return Bar(elided(label, 56), elided(detail, 76), precision, ms, 100 * ms / longest, 100 * ms / total)


def elided(text: str, limit: int) -> str:
    """Cut in the middle: names differ at their ends."""
    if len(text) <= limit:
        return text
    head = (limit - 1) // 2
    return f"{text[:head]}…{text[len(text) - (limit - 1 - head) :]}"


def _shares(counts: Mapping[str, int]) -> tuple[Share, ...]:
    total = sum(counts.values()) or 1
    ranked = sorted(counts.items(), key=lambda item: -item[1])
    return tuple(Share(name, count, 100 * count / total) for name, count in ranked)
