from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from tests.pipeline.conftest import Listener, RequestOf, never, null
from workbench.core.errors import WorkbenchError
from workbench.core.importing import ImportRequest
from workbench.core.json import write_json
from workbench.core.run import BuildConfig, Race, RaceEntry, RunError, TaskResult
from workbench.core.theme import DARK, LIGHT
from workbench.pipeline import run, write_report
from workbench.pipeline.files import RUN_FILE
from workbench.pipeline.importing import import_run
from workbench.pipeline.report_data import elided

DATA = Path(__file__).parent / "data"
RACE = Race(
    "race",
    (
        RaceEntry("run-0001", 2.0, 1.0, 1.0, 1.0, "baseline"),
        RaceEntry("run-0002", 1.0, 2.0, 1.9, 2.1, "faster by 50 % ± 2 %"),
    ),
    rounds=9,
    protocol="9 rounds",
)


class Tags(HTMLParser):
    """Checks that tags close in order, and keeps what the page links to."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag not in self.VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not (self.get_starttag_text() or "").endswith("/>") or self.open[-1] == tag:
            assert self.open.pop() == tag


@pytest.fixture
def page(request_of: RequestOf, tmp_path: Path) -> str:
    """A report of two runs on OpenVINO and one that failed, of a model with hostile names."""
    folders = []
    for name, config in (
        ("run-0001", BuildConfig(backend="openvino", threads=1)),
        ("run-0002", null(0.1)),
        ("run-0003", null(fail="<img src=x onerror=alert(1)> is no operator.")),
    ):
        request = request_of(name, config=config)
        run(request, Listener(), never)
        folders.append(request.folder)
    path = write_report(tmp_path / "report.html", folders, RACE)
    assert not list(tmp_path.glob("*.part"))
    return path.read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_needs_nothing_from_outside(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.links == []
    assert not tags.seen & {"script", "img", "link", "iframe", "object", "form"}
    assert "http://" not in page and "https://" not in page and "url(" not in page
    assert "default-src 'none'" in page


def test_names_of_the_model_are_text_and_never_markup(page: str) -> None:
    assert "small &lt;b&gt;" in page
    assert "<b>.onnx" not in page and "small <b>" not in page
    assert "&lt;img src=x onerror=alert(1)&gt; is no operator." in page
    assert "<script" not in page


def test_the_page_says_verdict_figures_fusion_and_protocol(page: str) -> None:
    assert "Null FP32 latency_ms=0.1 is faster than OpenVINO FP32 by 50 % ± 2 % (2.00×)" in page
    assert re.search(r"\d+\.\d{3} ms", page)
    assert "Conv + Add + Relu" in page
    assert "warm-up &gt;= 0 ms" in page
    assert "ONNX Runtime FP32, optimisations off" in page
    assert "RANDOM values" in page


def test_the_page_has_the_colours_of_both_themes(page: str) -> None:
    assert "prefers-color-scheme: dark" in page
    for theme in (LIGHT, DARK):
        assert f"--background: {theme.background};" in page
        assert all(color in page for color in theme.precision.values())


def test_a_report_of_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match=r"run\.json"):
        write_report(tmp_path / "report.html", [tmp_path])
    assert not (tmp_path / "report.html").exists()


def test_a_race_that_failed_is_told(request_of: RequestOf, tmp_path: Path) -> None:
    request = request_of()
    run(request, Listener(), never)
    failed = Race("race", error=RunError("The baseline cannot run.", "Choose another."))
    page = write_report(tmp_path / "r.html", [request.folder], failed).read_text(encoding="utf-8")
    assert "No interleaved comparison: The baseline cannot run. Choose another." in page


def test_layers_from_elsewhere_are_shown_without_a_latency_of_the_whole(tmp_path: Path) -> None:
    """A profile of trtexec has times of layers; the latencies are a file of their own."""
    files = tuple(str(DATA / name) for name in ("trt10_layers.json", "trt10_profile.json"))
    assert import_run(ImportRequest("imported", str(tmp_path), files), Listener(), never).error is None
    page = write_report(tmp_path / "report.html", [tmp_path]).read_text("utf-8")
    assert "Slowest layers" in page and "ms, whole" not in page and "0 KiB" not in page


def test_a_figure_that_is_no_share_has_no_per_cent(request_of: RequestOf, tmp_path: Path) -> None:
    request = request_of("run-0001", config=null(0.1))
    done = run(request, Listener(), never)
    task = TaskResult("perplexity", 21.5, 100, 20.1, 23.2, is_share=False, is_error=True)
    assert done.accuracy is not None
    done = msgspec.structs.replace(done, accuracy=msgspec.structs.replace(done.accuracy, task=task))
    write_json(Path(request.folder) / RUN_FILE, done)
    page = write_report(tmp_path / "report.html", [request.folder]).read_text("utf-8")
    assert "<b>21.5</b>" in page and "20.1–23.2, n = 100" in page and "2150" not in page


def test_long_names_are_cut_in_the_middle() -> None:
    assert elided("short", 10) == "short"
    assert elided("abcdefghijklmnop", 9) == "abcd…mnop"
