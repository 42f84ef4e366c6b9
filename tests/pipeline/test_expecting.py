"""How long a build will take is told from earlier ones, the most alike first."""

from __future__ import annotations

import msgspec
import pytest

from workbench.core.graph import Graph, Layer
from workbench.core.model import Model
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import Build, BuildConfig, Reuse, Run, Status
from workbench.pipeline.expecting import Expected, duration_words, expected_build

CONFIG = BuildConfig("tensorrt_rtx", PrecisionPlan(Precision.FP16), target="sm89")
GRAPH = Graph("g", tuple(Layer(f"n{i}", "", "Relu") for i in range(100)))
MODEL = Model("m.onnx", GRAPH, 17, 9, "", 0, 0, 0, "own", (), (), {})


def built(seconds: float, *, sha256: str = "own", nodes: int = 100, config: BuildConfig = CONFIG) -> Run:
    build = Build(seconds + 5, 10, nodes, nodes, nodes, 1, phases={"calibrate": 5.0, "build": seconds})
    return Run("r", "m.onnx", sha256, "m", config, Status.DONE, "", build=build)


def test_builds_of_the_same_count_before_those_of_the_model_and_these_before_models_alike() -> None:
    other_plan = msgspec.structs.replace(CONFIG, plan=PrecisionPlan(Precision.INT8))
    alike = [built(30.0, sha256="other", nodes=120), built(50.0, sha256="another", nodes=70)]
    of_model = [built(20.0, config=other_plan)]
    same = [built(10.0), built(12.0), built(50.0)]
    assert expected_build([*alike, *of_model, *same], MODEL, CONFIG) == Expected(12.0, 3, "of the same")
    found = expected_build([*alike, *of_model], MODEL, CONFIG)
    assert found == Expected(20.0, 1, "of this model")
    assert expected_build(alike, MODEL, CONFIG) == Expected(40.0, 2, "of models with about as many nodes")


def test_what_says_nothing_of_this_build_does_not_count() -> None:
    reused = msgspec.structs.replace(built(0.1))
    assert reused.build is not None
    reused = msgspec.structs.replace(
        reused, build=msgspec.structs.replace(reused.build, reused=Reuse("x", "2026-01-01T00:00:00Z", 9.0))
    )
    other_backend = built(1.0, config=msgspec.structs.replace(CONFIG, backend="openvino"))
    larger = built(1.0, sha256="other", nodes=200)
    failed = Run("r", "m.onnx", "own", "m", CONFIG, Status.FAILED, "")
    assert expected_build([reused, other_backend, larger, failed], MODEL, CONFIG) is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.01, "0.1 s"), (0.44, "0.4 s"), (12.3, "12 s"), (119.0, "119 s"), (200.0, "3 min")]
)
def test_durations_are_as_exact_as_the_guess(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_the_words_say_from_how_many() -> None:
    assert Expected(12.3, 3, "of this model").words == "about 12 s, from 3 earlier builds of this model"
    assert Expected(12.3, 1, "of the same").words == "about 12 s, from 1 earlier build of the same"
