"""What is written as tables: actions, settings, columns; and the words for numbers."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from workbench.core.graph import Fate, FateKind
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import (
    Accuracy,
    Build,
    BuildConfig,
    LatencyStats,
    OutputError,
    Race,
    RaceEntry,
    Run,
    RunError,
    Status,
    TaskResult,
    Throughput,
    Timing,
)
from workbench.core.titles import Titles, run_title
from workbench.core.tuning import Trial, Tuning
from workbench.session.actions import ACTIONS
from workbench.session.baseline import baseline_of, verdict
from workbench.session.races import Raced
from workbench.session.runs_model import COLUMNS, RunsModel
from workbench.session.session import Session
from workbench.session.settings import SETTINGS, Settings
from workbench.session.shape_tables import USUAL, footprint_table
from workbench.session.tuning_table import tuning_table
from workbench.session.words import bytes_words, fate_words, mebibytes, milliseconds, percent, shape_words
from workbench.store import RaceBook


def a_run(name: str, median: float | None, precision: Precision = Precision.FP32, **fields: object) -> Run:
    stats = median and LatencyStats(
        median, median * 0.99, median * 1.02, median, median, median, median, median, 1.0, 100
    )
    known = {
        "status": Status.DONE,
        "timing": Timing(stats=stats) if median else Timing(reason="needs an RTX 40 to time"),
        "build": Build(1.0, 5, 9, 9, 9, 2 * 2**20, memory={"weights": 3 * 2**20}),
        **fields,
    }
    config = BuildConfig(plan=PrecisionPlan(default=precision))
    return Run(id=name, model="m.onnx", model_sha256="s", model_name="m", config=config, created=name, **known)  # type: ignore[arg-type]


RACED = RaceEntry("r2", 2.4, 2.5, 2.4, 2.6, "faster by 66 % ± 2 %")
RUNS = [
    a_run("r3", None),
    a_run(
        "r2",
        2.0,
        Precision.INT8,
        accuracy=Accuracy(
            "ONNX Runtime FP32",
            48,
            "lines",
            {"y": OutputError(0.99, 23.4, 0.1)},
            TaskResult("exact_lines", 0.69, 48, 0.6, 0.78, reference=0.98),
        ),
    ),
    a_run("r1", 6.0),
]


def test_ids_and_shortcuts_of_actions_are_unique_and_enabled_names_exist(session: Session) -> None:
    ids = [action.id for action in ACTIONS]
    keys = [key for action in ACTIONS for key in action.shortcut.split(";") if key]
    assert len(ids) == len(set(ids)) and len(keys) == len(set(keys))
    for action in ACTIONS:
        assert action.tooltip and (not action.enabled or attrgetter(action.enabled)(session) in (True, False))


def test_settings_come_back_and_wrong_values_count_as_default(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = Settings(path)
    settings.set("theme", "dark")
    settings.set("theme", "pink")
    settings.set("threads", 5000)
    again = Settings(path)
    assert again.get("theme") == "dark" and again.get("threads") == 1024
    path.write_text('{"theme": 3, "threads": "many", "unknown": 1, "recent": [1]}')
    broken = Settings(path)
    assert all(broken.get(setting.id) == setting.default for setting in SETTINGS)
    path.write_text("not json")
    assert Settings(path).get("theme") == "system"


def test_recent_files_are_few_and_the_newest_is_first(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "s.json")
    for number in range(20):
        settings.remember_file(f"/m{number}.onnx")
    settings.remember_file("/m12.onnx")
    assert settings.get("recent")[0] == "/m12.onnx" and len(settings.get("recent")) == 12


def table(runs: list[Run]) -> RunsModel:
    model = RunsModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, model)
    assert tester is not None
    model.set_runs(runs, baseline_of(runs))
    return model


def texts(model: RunsModel, column: str) -> list[str]:
    at = [spec.id for spec in COLUMNS].index(column)
    return [model.index(row, at).data() for row in range(model.rowCount())]


def test_the_table_shows_oldest_first_with_speed_ups_against_the_baseline(qapp: object) -> None:
    model = table(RUNS)
    assert texts(model, "median") == ["6.00 ms ±0.1", "2.00 ms ±0.04", "needs an RTX 40 to time"]
    assert texts(model, "speedup") == ["1.0×", "≈ 3.0×", "—"]
    assert texts(model, "task") == ["—", "69 % ±9", "—"]
    assert model.cell(1, 5).tone == "bad"
    assert model.headerData(5, Qt.Orientation.Horizontal) == "exact lines"


def test_a_smaller_input_is_no_speed_up(qapp: object) -> None:
    runs = [a_run("r2", 1.0, Precision.INT8), a_run("r1", 6.0)]
    runs = [
        msgspec.structs.replace(run, timing=msgspec.structs.replace(run.timing, shapes={"x": (batch, 3)}))
        for run, batch in zip(runs, (1, 8), strict=True)
        if run.timing is not None
    ]
    model = table(runs)
    assert texts(model, "speedup") == ["1.0×", "—"]
    assert "inputs of 1×3 here, of 8×3" in model.cell(1, 2).tip
    assert verdict(runs[0], runs[1], None, Titles()).endswith("were timed with inputs of other shapes")


def test_a_latency_under_load_and_one_from_elsewhere_are_no_slower_engines(qapp: object) -> None:
    loaded, base = a_run("r2", 12.0), a_run("r1", 6.0)
    assert loaded.timing is not None
    timing = msgspec.structs.replace(loaded.timing, throughput=Throughput(600.0, 590.0, 610.0, 4))
    loaded = msgspec.structs.replace(loaded, timing=timing)
    there = a_run("r3", 2.0, imported=("times.json",))
    model = RunsModel()
    model.set_runs([there, loaded, base], base)
    assert texts(model, "speedup") == ["1.0×", "—", "—"]
    assert "4 streams at work" in model.cell(1, 2).tip and "elsewhere" in model.cell(2, 2).tip
    for run, words in ((loaded, "4 streams at work, the other with 1"), (there, "measured elsewhere")):
        assert words in verdict(run, base, None, Titles())
    assert "faster by 66 %" in verdict(loaded, base, RACED, Titles())  # a race times one inference at a time


def test_the_footprint_says_the_shapes_that_ran_where_none_were_asked_for(qapp: object) -> None:
    run = a_run("r1", 6.0)
    assert run.timing is not None
    timed = msgspec.structs.replace(run, timing=msgspec.structs.replace(run.timing, shapes={"x": (1, 3, 32, 32)}))
    for one, words in ((timed, "1×3×32×32"), (run, USUAL)):
        assert footprint_table([one], Titles()).columns[1].cell(0).main == words


def test_trials_of_few_rounds_claim_no_interval_and_all_say_how_they_were_timed(qapp: object) -> None:
    few, many = (Trial({"threads": str(n)}, 1.2, 1.1, 1.3, n) for n in (2, 8))
    found = tuning_table((few, many), Tuning("t", protocol="8 rounds", machine={"cpu": "AMD EPYC"}))
    cells = [found.columns[1].cell(row) for row in (0, 1)]
    assert [(cell.main, cell.soft, cell.tone) for cell in cells] == [("1.20×", "", ""), ("1.20×", "±0.10", "good")]
    assert all("protocol: 8 rounds" in cell.tip and "cpu: AMD EPYC" in cell.tip for cell in cells)


def test_a_median_of_few_inferences_has_their_number_for_its_interval(qapp: object) -> None:
    run = a_run("r1", 6.0)
    assert run.timing is not None and run.timing.stats is not None
    timing = msgspec.structs.replace(run.timing, stats=msgspec.structs.replace(run.timing.stats, iterations=1))
    assert texts(table([msgspec.structs.replace(run, timing=timing)]), "median") == ["6.00 ms n = 1"]


def test_sorting_puts_what_is_not_known_last_both_ways(qapp: object) -> None:
    model = table(RUNS)
    model.sort(1, Qt.SortOrder.AscendingOrder)
    assert [model.run_at(row).id for row in range(3)] == ["r2", "r1", "r3"]  # type: ignore[union-attr]
    model.sort(1, Qt.SortOrder.DescendingOrder)
    assert [model.run_at(row).id for row in range(3)] == ["r1", "r2", "r3"]  # type: ignore[union-attr]
    model.set_runs(RUNS[:2], RUNS[1])
    assert model.rowCount() == 2


def test_the_table_is_copied_with_a_header_and_a_line_each(qapp: object) -> None:
    lines = table(RUNS).tsv().splitlines()
    assert len(lines) == 4 and lines[0].startswith("run\tmedian") and lines[1].endswith("done")
    assert all(line.count("\t") == len(COLUMNS) for line in lines)


def test_a_failed_run_says_so_in_the_table(qapp: object) -> None:
    failed = a_run(
        "r9", None, status=Status.FAILED, timing=None, build=None, error=RunError("No kernel for Foo.", "Use another.")
    )
    model = table([failed])
    assert texts(model, "median") == ["failed No kernel for Foo."] and model.cell(0, 1).span == len(COLUMNS) - 1
    assert "No kernel for Foo." in model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)


def test_a_run_that_was_cancelled_behind_its_timing_still_says_so(qapp: object) -> None:
    model = table([a_run("r9", 3.0, status=Status.CANCELLED)])
    assert model.cell(0, 0).soft == "cancelled" and texts(model, "median") == ["3.00 ms ±0.06"]
    assert table(RUNS).cell(0, 0).soft == ""


def test_the_verdict_needs_a_race_to_be_sure() -> None:
    fp32, int8 = RUNS[2], RUNS[1]
    assert "3.0× faster" in verdict(int8, fp32, None, Titles()) and "one after the other" in verdict(
        int8, fp32, None, Titles()
    )
    near = a_run("r4", 6.01)
    assert "no difference seen" in verdict(near, fp32, None, Titles())
    assert (
        verdict(int8, fp32, RACED, Titles())
        == "OpenVINO INT8 MSE: faster by 66 % ± 2 % than OpenVINO FP32 (interleaved)"
    )
    assert verdict(fp32, fp32, RACED, Titles()) == "" and verdict(None, None, None, Titles()) == ""


def test_the_speed_up_of_a_race_stands_in_the_table_with_its_interval(qapp: object) -> None:
    model = table(RUNS)
    model.set_runs(
        RUNS, RUNS[2], {"r2": Raced(Race("a", (RACED,), 16, "16 rounds, interleaved", {"load": "0.10"}), RACED)}
    )
    assert texts(model, "speedup") == ["1.0×", "2.5× ±0.1", "—"]
    assert "interleaved" in model.cell(1, 2).tip and "one after the other" in table(RUNS).cell(1, 2).tip


def test_races_are_kept_for_the_next_start_and_the_newest_counts(tmp_path: Path) -> None:
    first = RaceEntry("r1", 6, 1, 1, 1, "baseline")
    races = RaceBook(tmp_path)
    races.add(Race("a", (first, RaceEntry("r2", 2, 9, 9, 9, "faster by 89 % ± 1 %"))))
    races.add(Race("b", (first, RACED)))
    again = RaceBook(tmp_path)
    assert again.find("r1", "r2") == (Race("b", (first, RACED)), RACED)
    assert again.find("r2", "r1") is None and again.find("r1", "r9") is None
    (tmp_path / "races.json").write_text("{")
    assert RaceBook(tmp_path).find("r1", "r2") is None


def test_a_race_of_another_program_is_not_written_over(tmp_path: Path) -> None:
    first = RaceEntry("r1", 6, 1, 1, 1, "baseline")
    window, terminal = RaceBook(tmp_path), RaceBook(tmp_path)
    terminal.add(Race("a", (first, RACED)))
    window.add(Race("b", (first, RaceEntry("r3", 2, 9, 9, 9, "faster by 89 % ± 1 %"))))
    assert RaceBook(tmp_path).find("r1", "r2") is not None and window.find("r1", "r2") is not None


def test_a_label_named_baseline_is_the_baseline() -> None:
    labelled = a_run("r0", 4.0, Precision.BF16, label="baseline")
    assert baseline_of([*RUNS, labelled]) is labelled
    assert run_title(labelled) == "baseline"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (milliseconds(13.64), "13.6 ms"),
        (milliseconds(0.2141), "0.214 ms"),
        (milliseconds(1240.4), "1,240 ms"),
        (mebibytes(10.4 * 2**20), "10.4"),
        (mebibytes(1024), "0.00098"),
        (bytes_words(96), "96 B"),
        (bytes_words(3 * 2**30), "3.0 GiB"),
        (percent(0.917), "91.7 %"),
        (percent(1.0), "100 %"),
        (shape_words((1, "batch", 8)), "1×batch×8"),
        (shape_words(()), "scalar"),
        (shape_words(None), "?"),
        (shape_words(("p2o.DynamicDimension.3",)), "?"),
        (fate_words(Fate(FateKind.FUSED, ("l1",)), 5), "fused with 5 others"),
        (fate_words(Fate(FateKind.SPLIT, ("l1", "l2"), exact=False)), "split into 2 layers (inferred)"),
        (fate_words(None), "no engine yet"),
    ],
)
def test_words_for_numbers(found: str, expected: str) -> None:
    assert found == expected
