from __future__ import annotations

from pathlib import Path

import pytest

from workbench.core.ceilings import CeilingsRequest, MeasuredCeilings
from workbench.core.json import read_json
from workbench.core.precision import Precision
from workbench.model import open_model
from workbench.model.costs import model_costs
from workbench.model.kernels import CHAINED, products, triad
from workbench.pipeline import ceilings as measuring
from workbench.pipeline import measure_ceilings
from workbench.pipeline.files import CEILINGS_FILE
from workbench.store import CeilingBook


def test_kernels_do_the_operations_that_they_are_rated_by(tmp_path: Path) -> None:
    for kernel in [*products(tmp_path, is_int8=False), triad(tmp_path, 3 << 20)]:
        model = open_model(kernel.path)
        counted = sum(cost.flops or 0 for cost in model_costs(model, model.shapes).values())
        assert counted == kernel.flops, kernel.name
    for kernel in products(tmp_path, is_int8=True):
        model = open_model(kernel.path)
        costs = model_costs(model, model.shapes)
        heavy = [costs[node.id].flops or 0 for node in model.graph.layers if node.op in ("Conv", "MatMul")]
        assert len(heavy) == CHAINED and sum(heavy) == kernel.flops


def test_ceilings_are_measured_with_the_engine_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "SECONDS", 0.01)
    monkeypatch.setattr(measuring, "WORKING_SETS", (768 << 10, 3 << 20))
    monkeypatch.setattr(measuring, "products", _small)
    events: list[object] = []
    found = measure_ceilings(CeilingsRequest("c", str(tmp_path), (1,)), events.append, lambda: False)
    assert found.error is None and events
    (one,) = found.ceilings
    assert one.threads == 1 and not one.is_estimate and one.measured and "triad" in one.source
    assert [b.working_set for b in one.bandwidths] == [768 << 10, 3 << 20] and one.memory > 1e6
    assert one.flops[Precision.FP32] > 1e6 and one.flops[Precision.INT8] > 1e6
    assert read_json(tmp_path / CEILINGS_FILE, MeasuredCeilings) == found


def _small(folder: Path, *, is_int8: bool) -> object:
    return list(products(folder, is_int8=is_int8))[:1]


def test_ceilings_are_kept_for_each_machine_and_count_of_threads(tmp_path: Path) -> None:
    from msgspec.structs import replace

    from tests.charts.roofs import CEILINGS

    book = CeilingBook(tmp_path)
    one, two = replace(CEILINGS, machine="m", threads=1), replace(CEILINGS, machine="m", threads=2)
    book.keep((one, two))
    newer = replace(one, title="newer")
    CeilingBook(tmp_path).keep((newer,))
    assert book.find("m", 1) == newer and book.find("m", 2) == two and book.find("other", 1) is None
    (tmp_path / "ceilings.json").write_text("{")
    assert book.find("m", 1) is None


def test_a_busy_machine_is_told_with_its_ceilings() -> None:
    from msgspec.structs import replace

    from tests.charts.roofs import CEILINGS, GPU

    assert "load 3.0" in replace(CEILINGS, load=3.0).warning
    assert not replace(CEILINGS, load=0.2).warning and not replace(GPU, load=9.0).warning
