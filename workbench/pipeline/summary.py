"""One run in a few lines of text."""

from __future__ import annotations

from workbench.core.run import Accuracy, Build, Run, Timing
from workbench.core.titles import run_title
from workbench.core.words import plural, shapes_words
from workbench.pipeline.conditions import machine_line
from workbench.pipeline.expecting import reuse_words
from workbench.pipeline.table import shares_text, simulator_text, size_text, sqnr_text, task_text


def run_summary(run: Run) -> str:
    """What was built, how fast it is, how far from the reference, and what is worth knowing of each."""
    lines = [f"{run.model_name}: {run_title(run)}, {run.status.value} in {run.seconds:.1f} s  ({run.id})"]
    lines += _build(run.build) if run.build else []
    lines += _timing(run.timing) if run.timing else []
    lines += _accuracy(run.accuracy) if run.accuracy else []
    return "\n".join(lines)


def _build(build: Build) -> list[str]:
    memory = ", ".join(f"{name} {size_text(value)}" for name, value in build.memory.items())
    reused = f" (engine {reuse_words(build.reused)})" if build.reused is not None else ""
    return [
        f"  build     {build.layers} layers from {build.source_nodes} nodes ({build.mapped} with a known fate),"
        f" {size_text(build.size_bytes)}, {build.seconds:.1f} s{reused}"
        if build.size_bytes
        else f"  read      {build.layers} layers for {build.source_nodes} nodes ({build.mapped} with a known fate)",
        *([f"  memory    {memory}"] if memory else []),
        f"  ran in    {shares_text(build.precisions) or 'unknown'}  (asked: {shares_text(build.asked) or 'nothing'})",
        *(f"  note      {note}" for note in build.notes),
    ]


def _timing(timing: Timing) -> list[str]:
    stats = timing.stats
    if stats is None:
        return [f"  time      {timing.reason}"]
    layers = f"; layers add up to {timing.layers_sum_ms:.3f} ms" if timing.layers else ""
    interval = f" ({stats.low_ms:.3f}–{stats.high_ms:.3f})" if stats.is_sure else ""
    return [
        f"  time      median {stats.median_ms:.3f} ms{interval},"
        f" p95 {stats.p95_ms:.3f}, p99 {stats.p99_ms:.3f}, {plural(stats.iterations, 'iteration')}{layers}",
        *([f"  took      {_took(timing.memory)}"] if timing.memory else []),
        *([f"  inputs    {shapes_words(timing.shapes)}"] if timing.shapes else []),
        f"  protocol  {timing.protocol}",
        *([f"  machine   {machine_line(timing.machine)}"] if timing.machine else []),
        *(f"  warning   {text}" for text in timing.warnings),
    ]


def _took(memory: dict[str, int]) -> str:
    """What inference really took of the process."""
    return ", ".join(f"{name} {size_text(size)}" for name, size in memory.items() if size)


def _accuracy(accuracy: Accuracy) -> list[str]:
    if accuracy.reason:
        return [f"  accuracy  {accuracy.reason}"]
    task = f"; {task_text(accuracy.task)}" if accuracy.task else ""
    return [
        f"  accuracy  worst output {sqnr_text(accuracy.worst_sqnr_db)} over {accuracy.samples} samples of"
        f" {accuracy.source}{task}",
        *([f"  simulator {simulator_text(accuracy.simulator)}"] if accuracy.simulator else []),
        *(f"  warning   {text}" for text in accuracy.warnings),
    ]
