"""A migration for people, and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from workbench.pipeline.migration.migrating import Finding, Migration
from workbench.precision import plan_text


def migration_text(found: Migration) -> str:
    """What is gone, what stays, then the plan and the lines that do the same."""
    return "\n".join(_lines(found)) + "\n"


def migration_document(found: Migration) -> dict[str, Any]:
    """As `--json` prints it; the plan as TOML."""
    document: dict[str, Any] = msgspec.to_builtins(found)
    return document | {"plan": plan_text(found.plan)}


def _lines(found: Migration) -> Iterator[str]:
    yield from _findings("Gone in TensorRT 11", found.gone)
    yield from _findings("Does nothing in TensorRT 11", found.idle)
    if found.kept:
        yield f"Stays: {' '.join(found.kept)}"
    if found.unknown:
        yield f"Not known to trtexec 10 or 11: {' '.join(found.unknown)}"
    for note in found.notes:
        yield f"Note: {note}"
    if not found.is_plain:
        yield f"\nThe plan that does the same ({found.plan_file}):\n"
        yield plan_text(found.plan).rstrip()
    yield "\nBuild, time and check it here (TensorRT for RTX; any GPU by --target):"
    yield found.workbench
    yield "\nOr with trtexec 11:"
    if found.export:
        yield found.export
    yield found.trtexec


def _findings(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield f"{title}:"
        yield from (f"  {finding.option}: {finding.text}" for finding in findings)
