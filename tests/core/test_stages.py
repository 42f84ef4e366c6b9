"""Time is added up by phase, within the phases around it; where a job is decides what has ended."""

from __future__ import annotations

from workbench.core.stages import StageClock


def test_seconds_go_to_the_phase_and_to_those_around_it() -> None:
    clock = StageClock(10.0)
    clock.enter(("open",), 10.0)
    clock.enter(("build",), 11.0)
    clock.enter(("build", "Optimizing"), 12.0)
    clock.enter(("build", "Optimizing", "Timing"), 14.0)
    clock.enter(("time",), 19.0)
    found = {stage.path: (stage.begin_s, stage.seconds) for stage in clock.stages(20.0)}
    assert found == {
        ("open",): (0.0, 1.0),
        ("build",): (1.0, 8.0),
        ("build", "Optimizing"): (2.0, 7.0),
        ("build", "Optimizing", "Timing"): (4.0, 5.0),
        ("time",): (9.0, 1.0),
    }


def test_a_phase_that_comes_again_counts_on_and_keeps_its_place() -> None:
    clock = StageClock(0.0)
    for second, path in enumerate([("a",), ("a", "x"), ("a", "y"), ("a", "x"), ("b",), ("a", "z")]):
        clock.enter(path, float(second))
    stages = clock.stages(6.0)
    assert [stage.path for stage in stages] == [("a",), ("a", "x"), ("a", "y"), ("a", "z"), ("b",)]
    assert [stage.seconds for stage in stages] == [5.0, 2.0, 1.0, 1.0, 1.0]
    assert [stage.depth for stage in stages] == [0, 1, 1, 1, 0]


def test_asking_twice_counts_nothing_twice() -> None:
    clock = StageClock(0.0)
    clock.enter(("a",), 0.0)
    clock.stages(1.0)
    assert clock.stages(2.0)[0].seconds == 2.0
