"""The parts of the TensorRT backend that need no TensorRT: targets, messages, log, progress, noise."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from workbench.backends.tensorrt_rtx.device import why_not_run
from workbench.backends.tensorrt_rtx.gpu import Gpu, find_gpu
from workbench.backends.tensorrt_rtx.noise import stdout_caught
from workbench.backends.tensorrt_rtx.parse import clean
from workbench.backends.tensorrt_rtx.targets import TARGETS, check_targets, read_targets
from workbench.backends.tensorrt_rtx.watch import BuildLog, Watch
from workbench.core.errors import Cancelled, WorkbenchError
from workbench.core.gpus import DEFAULT_TARGET

Steps = list[tuple[str, int, int, str]]


@pytest.mark.parametrize(
    ("text", "targets"),
    [("", (DEFAULT_TARGET,)), ("sm89", ("sm89",)), (" SM120,sm_86 ", ("sm86", "sm120")), ("sm80,sm80", ("sm80",))],
)
def test_targets_are_read_as_people_write_them(text: str, targets: tuple[str, ...]) -> None:
    assert read_targets(text) == targets


def test_an_unknown_target_lists_the_known_ones_with_their_names() -> None:
    with pytest.raises(WorkbenchError) as caught:
        read_targets("sm90")
    assert "sm90" in caught.value.message
    assert "RTX 40 series" in caught.value.hint


@pytest.mark.parametrize(
    ("targets", "types", "has_float_gemm", "refused"),
    [
        (("sm75",), {"BF16"}, False, "BF16"),
        (("sm75",), {"HALF"}, False, ""),
        (("sm75",), {"FLOAT"}, True, "FP32"),
        (("sm75",), {"FLOAT"}, False, ""),
        (("sm80",), {"FLOAT"}, True, ""),
        (("sm86",), {"FP8"}, False, "FP8"),
        (("sm86", "sm89"), {"FP8"}, False, "FP8"),
        (("sm89",), {"FP8", "INT4", "BF16"}, True, ""),
        (("sm89",), {"FP4"}, False, "FP4"),
        (("sm120",), {"FP4"}, False, ""),
    ],
)
def test_what_each_target_takes(targets: tuple[str, ...], types: set[str], has_float_gemm: bool, refused: str) -> None:
    if not refused:
        check_targets(targets, types, has_float_gemm)
        return
    with pytest.raises(WorkbenchError) as caught:
        check_targets(targets, types, has_float_gemm)
    assert refused in caught.value.message
    assert targets[0] in caught.value.message
    assert caught.value.hint


def test_the_default_target_has_a_name_people_know() -> None:
    assert "RTX 40" in TARGETS[DEFAULT_TARGET]


SHAPE_ERROR = (
    "Invalid Node - n2.else_branch.n1\nITensor::getDimensions: Error Code 4: Shape Error (reshape changes volume. "
    "Reshaping [1,128,2] to [1,128]. In operator() at /_src/optimizer/common/shape/shapeContext.cpp:4633)\n"
    "[checkMacros.cpp::catchCudaError::250] Error Code 1: Cuda Runtime (In catchCudaError at /_src/x.cpp:250 "
    "(cudaError 35: CUDA driver version is insufficient for CUDA runtime version))"
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (SHAPE_ERROR, "reshape changes volume. Reshaping [1,128,2] to [1,128]"),
        (
            "[graphScope.cpp::analyze::471] Error Code 2: Internal Error (Assertion a != b failed.  In analyze at "
            "/_src/optimizer/common/graphScope.cpp:471)",
            "Assertion a != b failed",
        ),
        (
            "IBuilder::build: Error Code 4: API Usage Error (Quantized constant (w) is only allowed before DQ node. "
            "If this constant is not intended, use others. In match at /_src/qdq.cpp:4327)",
            "Quantized constant (w) is only allowed before DQ node",
        ),
        (
            "Assertion failed: shiftIsAllZeros(zeroPoint): Non-zero zero point is not supported. Please set "
            "kENABLE_UINT8_AND_ASYMMETRIC_QUANTIZATION_DLA to enable it.",
            "Non-zero zero point is not supported",
        ),
        (
            'Assertion failed: (p == 1 || p == 2) && "Only L1 and " "L2 normalization are supported!"',
            "Only L1 and L2 normalization are supported",
        ),
        (
            "Assertion failed: (input->getType() == DataType::kINT32): The fmod attribute is 0. Inputs cannot be.",
            "The fmod attribute is 0. Inputs cannot be",
        ),
        (
            'Assertion failed: mode == "linear": Only linear mode is supported!',
            "Only linear mode is supported",
        ),
        (
            "Assertion failed: input.is_weights(): frame_step must be constant!",
            "frame_step must be constant",
        ),
        ("f(" * 500_000, f"{'f(' * 119}f"),
        ("n0: last dimension of input0 = 8 and second to last", "last dimension of input0 = 8 and second to last"),
    ],
)
def test_an_error_is_told_without_places_in_the_source_of_tensorrt(text: str, sentence: str) -> None:
    assert clean(text) == sentence


def test_the_log_keeps_layers_memory_and_errors_and_passes_on_no_noise() -> None:
    steps: Steps = []
    log = BuildLog(lambda *step: steps.append(step))
    log.add("VERBOSE", "Layers:\nName: a")
    log.add("VERBOSE", "one of ten thousand")
    log.add("INFO", "Total Activation Memory: 100 bytes")
    log.add("INFO", "Total Activation Memory: 300 bytes")
    log.add("INFO", "Total Weights Memory: 7 bytes")
    log.add("INFO", "Max Scratch Memory: 300 bytes")
    log.add("INFO", "Total Host Persistent Memory: 80 bytes")
    log.add("INFO", "Input filename:   /home/me/model.onnx")
    log.add("ERROR", "In x (cudaError 35: CUDA driver version is insufficient)")
    log.add("INTERNAL_ERROR", "it broke")
    assert log.layers == "Layers:\nName: a"
    assert log.memory == {"activations": 300, "weights": 7}
    assert log.beside == {"scratch": 300, "host": 80}
    assert log.errors == ["it broke"]
    assert steps[-1] == ("log/error", 0, 0, "it broke")
    log.add("WARNING", "ModelImporter.cpp:1231: TensorRT supports opset 7")
    assert steps.pop() == ("log/warning", 0, 0, "TensorRT supports opset 7"), "without the place in its source"
    assert len(steps) == 6


def test_progress_goes_on_until_the_listener_raises_and_keeps_why() -> None:
    def listen(phase: str, done: int, total: int, text: str) -> None:
        if done == 2:
            raise Cancelled

    watch = Watch(listen)
    watch.start("Optimizing graph", None, 3)
    watch._last = 0.0
    assert watch.step("Optimizing graph", 0) is True
    watch._last = 0.0
    assert watch.step("Optimizing graph", 1) is False
    assert isinstance(watch.stopped, Cancelled)


def test_steps_are_reported_at_most_every_50_ms(monkeypatch: pytest.MonkeyPatch) -> None:
    """One takes 7 ms here."""
    now = 0.0
    monkeypatch.setattr("workbench.backends.tensorrt_rtx.watch.time", SimpleNamespace(monotonic=lambda: now))
    steps: Steps = []
    watch = Watch(lambda *step: steps.append(step))
    watch.start("Optimizing graph", None, 1000)
    for step in range(1000):
        now = 0.007 * (step + 1)
        assert watch.step("Optimizing graph", step)
    assert steps == [("Optimizing graph", done, 1000, "") for done in range(0, 1001, 8)]


def test_phases_are_told_within_those_around_them_and_one_of_a_single_step_has_no_total() -> None:
    steps: Steps = []
    watch = Watch(lambda *step: steps.append(step))
    watch.start("Building engine", None, 6)
    watch.start("Optimizing graph", "Building engine", 30)
    watch.start("Determining refit engines", "Optimizing graph", 1)
    watch.finish("Determining refit engines")
    watch.start("Computing costs", "Building engine", 5)  # which ends what was not said to have ended
    watch.finish("Computing costs")
    watch.finish("Building engine")
    assert [step[:3] for step in steps] == [
        ("Building engine", 0, 6),
        ("Building engine/Optimizing graph", 0, 30),
        ("Building engine/Optimizing graph/Determining refit engines", 0, 0),
        ("Building engine/Optimizing graph", 0, 30),
        ("Building engine/Computing costs", 0, 5),
        ("Building engine", 0, 6),
    ]
    assert "says nothing" in steps[2][3]


def test_what_a_library_prints_by_itself_is_caught_and_stdout_comes_back(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    with pytest.raises(KeyError), stdout_caught(lines.append):
        os.write(1, b"Internal Error: Myelin\n")
        raise KeyError
    os.write(1, b"after\n")
    assert lines == ["Internal Error: Myelin"]
    assert capfd.readouterr().out == "after\n"


def test_without_a_fitting_gpu_the_reason_names_the_gpus_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "workbench.backends.tensorrt_rtx.device.find_gpu"
    monkeypatch.setattr(module, lambda: None)
    reason, hint = why_not_run(("sm89",))
    assert "RTX 40 series" in reason
    assert "timing and accuracy" in hint
    monkeypatch.setattr(module, lambda: Gpu("NVIDIA GeForce RTX 3080", "sm86"))
    reason, hint = why_not_run(("sm89",))
    assert "RTX 3080" in reason
    assert "sm86" in hint
    monkeypatch.setattr(module, lambda: Gpu("NVIDIA H200", "sm90"))
    assert "Build for the target" not in why_not_run(("sm89",))[1]


def test_asking_for_the_gpu_never_raises() -> None:
    gpu = find_gpu()
    assert gpu is None or gpu.target.startswith("sm")
