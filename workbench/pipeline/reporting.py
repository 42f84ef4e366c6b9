"""write_report: runs as one self-contained HTML page, to be mailed and opened anywhere. No script, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from workbench import __version__
from workbench.core.json import read_json
from workbench.core.precision import Precision
from workbench.core.run import Race, Run
from workbench.core.theme import DARK, LIGHT, Theme
from workbench.core.titles import Titles
from workbench.core.writing import written_whole
from workbench.pipeline.files import RUN_FILE
from workbench.pipeline.report_data import Section, best_of, read_section, sentences
from workbench.pipeline.table import shares_text, size_text, sqnr_text
from workbench.resources import resource

TEMPLATE = "report/report.html.j2"


def write_report(
    path: Path, folders: Sequence[Path | str], race: Race | None = None, titles: Titles | None = None
) -> Path:
    """One page about the runs in these folders, in this order. Everything of the models' is escaped.

    `titles` are what they are called, where more runs are known than these. The page is there whole or not at all.
    Raises WorkbenchError where a folder has no readable run, OSError where the disk refuses.
    """
    runs = [read_json(Path(folder) / RUN_FILE, Run) for folder in folders]
    names = titles or Titles(runs)
    sections = [read_section(Path(folder), run, names.of(run), race) for folder, run in zip(folders, runs, strict=True)]
    page = render(sections, race)
    with written_whole(path) as file:
        file.write(page.encode())
    return path


def render(sections: Sequence[Section], race: Race | None) -> str:
    """The page as text."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "size": size_text,
        "sqnr": sqnr_text,
        "shares": shares_text,
        "css": _css_name,
        "ms": _milliseconds,
    }
    template = environment.from_string(resource(TEMPLATE).read_text(encoding="utf-8"))
    page: str = template.render(
        sections=sections,
        race=race,
        sentences=sentences(sections),
        model=next((section.model for section in sections if section.model), None),
        best=best_of(sections),
        slowest_ms=max((s.high_ms for s in sections), default=0.0) or 1.0,
        themes=[_colors(LIGHT), _colors(DARK)],
        precisions=list(Precision),
        created=datetime.now(UTC).strftime("%d %b %Y, %H:%M UTC"),
        version=__version__,
    )
    return page


def _colors(theme: Theme) -> dict[str, Any]:
    names = ("background", "panel", "canvas", "line", "text", "soft", "faint", "accent", "accent_ground", "good", "bad")
    colors = {_css_name(name): getattr(theme, name) for name in names}
    return colors | {f"p-{_css_name(p.value)}": theme.precision[p] for p in Precision}


def _milliseconds(ms: float) -> str:
    """Three digits: `206 ms`, `17.7 ms`, `0.0940 ms`."""
    digits = 2 - math.floor(math.log10(ms)) if ms > 0 else 0
    return f"{ms:.{max(0, digits)}f} ms"


def _css_name(name: str) -> str:
    return name.replace("_", "-")
