"""What runs are called beside each other."""

from __future__ import annotations

from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig, Run, Status
from workbench.core.titles import Titles


def a_run(name: str, backend: str = "openvino", model: str = "m", label: str = "") -> Run:
    plan = PrecisionPlan(default=Precision.INT8)
    config = BuildConfig(backend=backend, plan=plan)
    return Run(name, f"{model}.onnx", model, model, config, Status.DONE, created=name, label=label)


def test_runs_of_one_configuration_are_numbered_in_the_order_they_were_made_in() -> None:
    first, second, other = a_run("1"), a_run("2"), a_run("3", backend="onnxruntime")
    titles = Titles([second, other, first])
    assert [titles.of(run) for run in (first, second, other)] == [
        "OpenVINO INT8 MSE",
        "OpenVINO INT8 MSE #2",
        "ONNX Runtime INT8 MSE",
    ]
    assert titles.short(second) == "INT8 MSE #2"


def test_runs_of_two_models_and_runs_with_labels_are_numbered_apart() -> None:
    runs = [a_run("1"), a_run("2", model="n"), a_run("3", label="mine"), a_run("4", label="mine")]
    titles = Titles(runs)
    assert [titles.of(run) for run in runs] == ["OpenVINO INT8 MSE", "OpenVINO INT8 MSE", "mine", "mine #2"]


def test_a_short_title_names_the_backend_beside_that_of_another() -> None:
    mine, again, other = a_run("1"), a_run("2"), a_run("3", backend="onnxruntime")
    titles = Titles([mine, again, other])
    assert titles.short(mine, [mine, again]) == "INT8 MSE"
    assert titles.short(again, [mine, again, other]) == "OV INT8 MSE #2"
    assert titles.short(other, [mine, other]) == "ORT INT8 MSE"


def test_a_run_that_was_not_given_has_its_plain_title() -> None:
    assert Titles().of(a_run("7")) == "OpenVINO INT8 MSE"
