"""Handing on what was found: the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.session.session import Session


def export_report(session: Session, path: Path) -> None:
    """Writes the compared runs, or where fewer than two are chosen all that are shown, as one HTML file."""
    from workbench.pipeline import write_report

    chosen = session.compared if len(session.compared) > 1 else [run.id for run in session.visible_runs()]
    folders = [session.runs.store.folder(run_id) for run_id in chosen]
    if not folders:
        raise WorkbenchError("There is no run to report.", "Build one first.")
    write_report(path, folders, titles=session.runs.titles)
