from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.backends.precisions import needs_exact_sums
from tests.pipeline.conftest import Listener, RequestOf, never, null
from workbench.backends.null import NullBackend, NullEngine
from workbench.core.errors import WorkbenchError
from workbench.core.events import AnyEvent, Changed, Checked, LayerNames, LogLine, Progress, Timed
from workbench.core.json import read_json
from workbench.core.model import TypedModel
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan
from workbench.core.profile import OptimizationProfile
from workbench.core.recipe import InputSpec, Recipe, Task, TaskKind
from workbench.core.run import BuildConfig, EngineGraph, Run, RunRequest, Status, TimingConfig
from workbench.pipeline import run
from workbench.pipeline.files import LATENCIES_FILE, RUN_FILE

INT8 = PrecisionPlan(Precision.INT8, calibration=Calibration(CalibrationMethod.MAX, samples=5))


def test_a_run_goes_through_every_phase_and_leaves_its_files(request_of: RequestOf) -> None:
    listener = Listener()
    request = request_of(evaluation="random")
    result = run(request, listener, never)
    folder = Path(request.folder)
    assert result.status is Status.DONE and result.error is None
    assert read_json(folder / "run.json", Run) == result
    assert read_json(folder / "request.json", RunRequest) == request
    assert read_json(folder / "typed.json", TypedModel).path == str(folder / "typed.onnx")
    phases = list(dict.fromkeys(event.phase for event in listener.of(Progress)))
    assert phases == ["open", "plan", "build", "time", "measure", "layers", "accuracy"]
    assert not list(folder.glob("*.part"))


def test_what_is_told_is_on_disk_already(request_of: RequestOf) -> None:
    request = request_of()
    seen: list[tuple[str, bool]] = []

    def emit(event: AnyEvent) -> None:
        if isinstance(event, Changed):
            on_disk = read_json(Path(request.folder) / "run.json", Run)
            assert on_disk.status is event.status
            seen.append((event.part, event.part == "status" or getattr(on_disk, event.part) is not None))

    run(request, emit, never)
    assert [part for part, _ in seen] == ["status", "status", "build", "timing", "timing", "accuracy", "status"]
    assert all(present for _, present in seen)


def test_the_build_counts_layers_nodes_and_precisions(request_of: RequestOf) -> None:
    request = request_of()
    build = run(request, Listener(), never).build
    assert build is not None
    graph = read_json(Path(request.folder) / "graph.json", EngineGraph)
    assert build.layers == len(graph.graph.layers) < 8
    assert (build.source_nodes, build.mapped) == (8, 8)
    assert set(graph.fates) == {f"n{i}" for i in range(8)}
    assert build.precisions == {"fp32": build.layers}
    assert (Path(request.folder) / build.artefact).is_file()


def test_latencies_are_shown_live_and_the_reported_ones_are_kept_as_an_array(request_of: RequestOf) -> None:
    listener = Listener()
    request = request_of()
    saved: list[bool] = []

    def listen(event: AnyEvent) -> None:
        listener(event)
        if isinstance(event, Timed) and event.latencies_ms:
            saved.append((Path(request.folder) / LATENCIES_FILE).is_file())

    timing = run(request, listen, never).timing
    assert timing is not None and timing.stats is not None
    assert saved == [False] * (len(saved) - 1) + [True]
    kept = np.load(Path(request.folder) / timing.samples_file)
    *live, reported = [event.latencies_ms for event in listener.of(Timed) if event.latencies_ms]
    assert list(reported) == kept.tolist()
    assert live, "nothing was shown while it was measured"
    assert timing.stats.iterations == len(kept) >= 7
    assert timing.stats.low_ms <= timing.stats.median_ms <= timing.stats.high_ms


def test_layer_names_come_once_and_before_their_times(request_of: RequestOf) -> None:
    listener = Listener()
    timing = run(request_of(), listener, never).timing
    assert timing is not None
    (names,) = listener.of(LayerNames)
    timed = [event for event in listener.of(Timed) if event.layers_ms]
    assert all(len(event.layers_ms) == len(names.ids) for event in timed)
    assert listener.events.index(names) < listener.events.index(timed[0])
    assert timing.layers == dict(zip(names.ids, timed[-1].layers_ms, strict=True))
    assert timing.layers_sum_ms == pytest.approx(sum(timing.layers.values()))


def test_without_an_evaluation_set_random_inputs_are_said_loudly(request_of: RequestOf) -> None:
    listener = Listener()
    accuracy = run(request_of(), listener, never).accuracy
    assert accuracy is not None
    assert (accuracy.samples, accuracy.task) == (8, None)
    assert any("RANDOM" in text for text in accuracy.warnings)
    assert listener.of(Checked)[-1].done == 8


def test_a_labelled_set_gives_the_task_metric(request_of: RequestOf, samples_path: Path) -> None:
    request = request_of(
        config=BuildConfig(backend="openvino", threads=1),
        evaluation=str(samples_path),
        recipe=Recipe(task=Task(TaskKind.CLASSIFICATION)),
    )
    accuracy = run(request, Listener(), never).accuracy
    assert accuracy is not None and accuracy.task is not None
    assert (accuracy.task.metric, accuracy.task.n, accuracy.task.agreement) == ("top-1", 12, 1.0)
    assert accuracy.task.value == accuracy.task.reference
    assert accuracy.outputs["scores"].sqnr_db > 90


def test_int8_on_openvino_ends_to_end_with_ranges_of_a_set(request_of: RequestOf, samples_path: Path) -> None:
    config = BuildConfig(backend="openvino", plan=INT8, threads=1)
    result = run(request_of(config=config, calibration=str(samples_path)), Listener(), never)
    assert result.status is Status.DONE, result.error
    assert result.build is not None and result.accuracy is not None
    assert result.build.precisions["int8"] >= 2
    assert result.build.notes[0].startswith("Ranges (max) come from 5 samples of small.npz. Their form is that of")
    assert 10 < (result.accuracy.worst_sqnr_db or 0) < 80


def test_a_second_run_takes_the_observed_ranges_from_the_first(request_of: RequestOf, samples_path: Path) -> None:
    listener = Listener()
    for name, emit in (("run-0001", Listener()), ("run-0002", listener)):
        result = run(request_of(name, config=null_int8(), calibration=str(samples_path)), emit, never)
        assert result.status is Status.DONE, result.error
    texts = [event.text for event in listener.of(Progress) if event.phase == "calibrate"]
    assert texts[-1] == "ranges known from an earlier run"


def test_ranges_of_another_base_graph_are_found_again(request_of: RequestOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after an update of the program whose passes change what tensors hold."""

    def observed() -> bool:
        listener = Listener()
        run(
            request_of(config=BuildConfig("null", PrecisionPlan(Precision.INT8)), calibration="random"), listener, never
        )
        return "ranges known from an earlier run" not in [event.text for event in listener.of(Progress)]

    assert [observed(), observed()] == [True, False]
    monkeypatch.setattr("workbench.pipeline.calibrating.base_digest", lambda *graph: "another")
    assert observed()


def test_damaged_ranges_are_found_again(request_of: RequestOf, samples_path: Path, own_home: Path) -> None:
    run(request_of("run-0001", config=null_int8(), calibration=str(samples_path)), Listener(), never)
    (kept,) = (own_home / "calibration").glob("*.npz")
    kept.write_bytes(b"not an archive")
    listener = Listener()
    result = run(request_of("run-0002", config=null_int8(), calibration=str(samples_path)), listener, never)
    assert result.status is Status.DONE, result.error
    assert any("found again" in line.text for line in listener.of(LogLine))
    assert kept.stat().st_size > 100


def test_a_place_that_keeps_no_ranges_costs_time_and_not_the_run(
    request_of: RequestOf, samples_path: Path, own_home: Path
) -> None:
    own_home.mkdir()
    (own_home / "calibration").write_text("no folder")
    (own_home / "reference").write_text("no folder")
    listener = Listener()
    config = msgspec.structs.replace(null(), plan=PrecisionPlan(default=Precision.INT8))
    found = run(request_of(config=config, calibration=str(samples_path)), listener, never)
    assert found.status is Status.DONE, found.error
    assert any("not kept for the next run" in event.text for event in listener.of(LogLine))


def test_random_ranges_are_said_to_give_no_accuracy(request_of: RequestOf) -> None:
    build = run(request_of(config=null_int8(), calibration="random"), Listener(), never).build
    assert build is not None
    assert any("random inputs: the speed is real" in note for note in build.notes)


def null_int8() -> BuildConfig:
    return BuildConfig(backend="null", plan=INT8, threads=1, options={"latency_ms": "0.2"})


Cause = Callable[[RequestOf], RunRequest]


@pytest.mark.parametrize(
    ("cause", "message", "hint"),
    [
        (lambda of: of(model_path="/no/such.onnx"), "There is no file", "path"),
        (lambda of: of(config=BuildConfig(backend="abacus")), "no backend named 'abacus'", "Choose one of"),
        (lambda of: of(config=null(fail="The parser says no.")), "The parser says no.", "Take the option"),
        (lambda of: of(config=BuildConfig(backend="null", plan=INT8)), "needs a calibration set", "random"),
        (lambda of: of(evaluation="/no/such/set"), "/no/such/set", ""),
        (lambda of: of(config=BuildConfig(backend="null", shapes={"x": (1, 5, 8, 8)})), "x", ""),
        (lambda of: of(config=BuildConfig(backend="null", target="sm89")), "for this machine only", "target"),
    ],
)
def test_a_users_error_is_a_failed_run_with_message_and_hint(
    request_of: RequestOf, cause: Cause, message: str, hint: str
) -> None:
    listener = Listener()
    result = run(cause(request_of), listener, never)
    assert result.status is Status.FAILED and result.error is not None
    assert message in result.error.message and hint in result.error.hint
    assert result.error.detail == ""
    assert listener.of(Changed)[-1].status is Status.FAILED


def test_a_wrong_evaluation_set_is_told_before_the_build(request_of: RequestOf) -> None:
    listener = Listener()
    run(request_of(evaluation="/no/such/set"), listener, never)
    assert "build" not in {event.phase for event in listener.of(Progress)}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ZeroDivisionError("oops"), "Internal error: ZeroDivisionError: oops"),
        (MemoryError(), "There is not enough memory for this run."),
        (OSError(28, "No space left on device", "typed.onnx"), "No space left on device: typed.onnx."),
    ],
)
def test_anything_else_is_a_failed_run_with_its_traceback_in_the_detail(
    request_of: RequestOf, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(NullBackend, "build", fails)
    result = run(request_of(), Listener(), never)
    assert result.status is Status.FAILED and result.error is not None
    assert result.error.message == message
    assert "Traceback" in result.error.detail


def test_a_precision_the_backend_has_not_is_refused_in_its_words(request_of: RequestOf) -> None:
    config = BuildConfig(backend="openvino", plan=PrecisionPlan(Precision.FP4_WEIGHTS))
    error = run(request_of(config=config, calibration="random"), Listener(), never).error
    assert error is not None
    assert "FP4" in error.message
    assert error.hint.startswith("The nearest that works is INT4 weights; OpenVINO (CPU) takes here: FP32")


@pytest.mark.parametrize("phase", ["build", "time", "measure", "layers", "accuracy"])
def test_a_cancel_keeps_what_was_finished(request_of: RequestOf, phase: str) -> None:
    listener = Listener()
    reached = [False]

    def emit(event: AnyEvent) -> None:
        listener(event)
        reached[0] |= isinstance(event, Progress) and event.phase == phase

    result = run(request_of(), emit, lambda: reached[0])
    assert result.status is Status.CANCELLED and result.error is not None
    finished = [result.build, result.timing, result.accuracy]
    known = {"build": 0, "time": 1, "measure": 1, "layers": 2, "accuracy": 2}[phase]
    assert [part is not None for part in finished] == [i < known for i in range(3)]
    assert read_json(Path(request_of().folder) / "run.json", Run) == result


def test_an_engine_that_cannot_run_here_has_a_reason_and_simulated_accuracy(
    request_of: RequestOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(self: NullEngine, *, layers: bool = False) -> None:
        raise WorkbenchError("This machine has no GPU.", "Use one that has.")

    monkeypatch.setattr(NullEngine, "runner", refuses)
    result = run(request_of(), Listener(), never)
    assert result.status is Status.DONE
    assert result.timing is not None and result.accuracy is not None
    assert (result.timing.stats, result.timing.reason) == (None, "This machine has no GPU. Use one that has.")
    assert result.accuracy.reference.endswith("simulated on ONNX Runtime (exact simulator), not the engine")
    assert "This machine has no GPU" in result.accuracy.warnings[0]
    assert result.accuracy.outputs["scores"].sqnr_db > 100


def test_timing_and_accuracy_that_are_not_asked_for_say_so(request_of: RequestOf) -> None:
    nothing = TimingConfig(warmup_ms=0, warmup_iterations=0, seconds=0, min_iterations=0)
    result = run(request_of(timing=nothing, evaluation="none"), Listener(), never)
    assert result.timing is not None and result.accuracy is not None
    assert result.timing.reason == "Timing was not asked for."
    assert result.accuracy.reason == "Accuracy was not asked for."


def test_events_of_a_kind_come_at_30_hz_at_most(request_of: RequestOf) -> None:
    listener = Listener()
    timing = TimingConfig(warmup_ms=0, warmup_iterations=1, seconds=0.5, min_iterations=1)
    run(request_of(config=null(0.05), timing=timing), listener, never)
    during = [event for event in listener.of(Progress) if event.phase == "time"]
    assert 2 <= len(during) <= 18


def test_shapes_come_from_the_request_the_profile_the_recipe_and_the_guess_in_that_order(request_of: RequestOf) -> None:
    def batch(config: BuildConfig, recipe: Recipe) -> int:
        request = request_of(config=config, recipe=recipe)
        assert run(request, Listener(), never).status is Status.DONE
        return read_json(Path(request.folder) / "typed.json", TypedModel).shapes["x"][0]

    def shape(n: int) -> dict[str, tuple[int, ...]]:
        return {"x": (n, 3, 8, 8)}

    options = {"latency_ms": "0.1"}
    profiles = (OptimizationProfile(shape(1), shape(3), shape(5)),)
    recipe = Recipe(inputs={"x": InputSpec(shape=(2, 3, 8, 8))})
    assert batch(BuildConfig(backend="null", options=options), Recipe()) == 1
    assert batch(BuildConfig(backend="null", options=options), recipe) == 2
    assert batch(BuildConfig(backend="null", options=options, profiles=profiles), recipe) == 3
    assert batch(BuildConfig(backend="null", options=options, profiles=profiles, shapes=shape(5)), recipe) == 5


def test_an_engine_that_parts_from_its_typed_onnx_is_told(request_of: RequestOf, samples_path: Path) -> None:
    request = request_of("run-0001", config=null_int8(), calibration=str(samples_path), evaluation_limit=3)
    lies = run(request, Listener(), never)
    assert lies.accuracy is not None
    assert any("(over 3 samples): the engine computes something else" in text for text in lies.accuracy.warnings)
    needs_exact_sums("openvino")
    config = BuildConfig(backend="openvino", plan=INT8, threads=1)
    honest = run(request_of("run-0002", config=config, calibration=str(samples_path)), Listener(), never)
    assert honest.accuracy is not None
    assert not any("something else" in text for text in honest.accuracy.warnings)


def test_a_run_whose_end_the_disk_refuses_says_so_and_keeps_what_is_written(request_of: RequestOf) -> None:
    request = request_of()
    path = Path(request.folder) / RUN_FILE

    def listen(event: AnyEvent) -> None:
        told.append(event)
        if isinstance(event, Changed) and event.part == "accuracy":
            path.unlink()
            path.mkdir()

    told: list[AnyEvent] = []
    found = run(request, listen, never)
    assert found.status is Status.FAILED and found.timing is not None
    assert found.error is not None and "Is a directory" in found.error.message
    assert not [event for event in told if isinstance(event, Changed) and event.status.is_final]
    assert (path.parent / LATENCIES_FILE).is_file()
