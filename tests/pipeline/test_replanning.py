"""Changes of shape with real engines: what is measured, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.conftest import RequestOf
from workbench.core.replanning import Replanned, ReplanRequest
from workbench.core.run import BuildConfig, RunRequest
from workbench.pipeline import replan
from workbench.pipeline.replanning import FEWEST


def measured(tmp_path: Path, run: RunRequest, *batches: int) -> Replanned:
    shapes = tuple({"x": (batch, 3, 8, 8)} for batch in batches)
    request = ReplanRequest("r", str(tmp_path / "replan"), run, shapes, seconds=0.0)
    return replan(request, lambda event: None, lambda: False)


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_one_engine_takes_all_shapes_in_turn_beside_engines_of_their_own(
    tmp_path: Path, request_of: RequestOf, backend: str
) -> None:
    found = measured(tmp_path, request_of(config=BuildConfig(backend, threads=1)), 1, 4)
    assert found.error is None and found.rounds == FEWEST
    assert [change.shapes["x"][0] for change in found.changes] == [1, 4]
    for change in found.changes:
        assert min(change.never_seen_ms, change.change_ms, change.steady_ms, change.fixed_ms or 0.0) > 0
        assert change.low_ms <= change.extra_ms <= change.high_ms
    assert "paired" in found.protocol and found.machine["cores"]


def test_one_shape_is_no_change(tmp_path: Path, request_of: RequestOf) -> None:
    found = measured(tmp_path, request_of(config=BuildConfig("onnxruntime", threads=1)), 2, 2)
    assert found.error is not None and "two shapes" in found.error.message


def test_a_difference_that_its_interval_does_not_show_is_none() -> None:
    from workbench.core.replanning import ShapeChange

    assert not ShapeChange({}, 1, 1, 1, 0.1, -0.2, 0.3).is_different
    assert ShapeChange({}, 1, 1, 1, 0.2, 0.1, 0.3).is_different
