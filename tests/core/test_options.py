"""What an option did, from two runs that differ in nothing else."""

from __future__ import annotations

import msgspec

from workbench.core.options import Option, effect
from workbench.core.run import Build, BuildConfig, Run, Status
from workbench.core.tuning import Knob

REFIT = Option("refit", "Refit", "", ("off", "on"))
STREAMS = Option("aux_streams", "Streams", "", most=8)


def _run(size: int, layers: int = 5, target: str = "sm89", **options: str) -> Run:
    build = Build(1.0, layers, 5, 5, 5, size, memory={"activations": 2 * size})
    config = BuildConfig("tensorrt_rtx", target=target, options=options)
    return Run("r", "m.onnx", "sha", "m", config, Status.DONE, "", build=build)


def test_the_newest_pair_that_differs_in_one_option_tells_what_it_did() -> None:
    runs = [_run(500, refit="on", aux_streams="1"), _run(300, refit="on"), _run(999, target="sm86"), _run(200)]
    found = effect(REFIT, runs)
    assert found is not None
    assert found.sentence(REFIT) == "on instead of off: engine 200 B → 300 B, activations 400 B → 600 B"


def test_a_number_against_the_engines_own_choice_tells_layers() -> None:
    found = effect(STREAMS, [_run(200, layers=5), _run(200, layers=3, aux_streams="0")])
    assert found is not None
    assert found.sentence(STREAMS) == "0 instead of default: layers 5 → 3"


def test_without_such_a_pair_nothing_is_claimed() -> None:
    runs = [_run(300, refit="on"), _run(200, target="sm86"), msgspec.structs.replace(_run(100), build=None)]
    assert effect(REFIT, runs) is None


def test_an_abbreviation_keeps_its_capitals_in_the_title_of_a_knob() -> None:
    titles = [Knob(key, ("off", "on")).title for key in ("cpu_pinning", "hyper_threading", "spinning")]
    assert titles == ["CPU pinning", "Hyper threading", "Spinning"]
