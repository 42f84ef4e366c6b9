from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.model import making
from workbench.model import open_model
from workbench.pipeline import reference_outputs
from workbench.pipeline.reference_outputs import ReferenceOutputs, shrink
from workbench.pipeline.samples import feed_digest


def feed(seed: int) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(seed).normal(size=(1, 3, 8, 8)).astype(np.float32)}


@pytest.fixture(autouse=True)
def keep_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_outputs, "WORTH_SECONDS", -1.0)


def test_an_output_is_computed_once_and_then_read(
    model_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_model(model_path)
    with ReferenceOutputs(model) as reference:
        first = reference.infer(feed(1))
    assert len(list((own_home / "reference").glob("*.npz"))) == 1

    monkeypatch.setattr(reference_outputs, "Reference", None)  # not to be asked again
    with ReferenceOutputs(model) as reference:
        again = reference.infer(feed(1))
    assert again.keys() == first.keys()
    assert np.array_equal(again["scores"], first["scores"])


def test_another_input_and_another_model_are_computed(model_path: Path, own_home: Path) -> None:
    with ReferenceOutputs(open_model(model_path)) as reference:
        assert not np.array_equal(reference.infer(feed(1))["scores"], reference.infer(feed(2))["scores"])
    assert len(list((own_home / "reference").glob("*.npz"))) == 2


def test_a_damaged_file_is_computed_again(model_path: Path, own_home: Path) -> None:
    model = open_model(model_path)
    with ReferenceOutputs(model) as reference:
        first = reference.infer(feed(1))
    (path,) = (own_home / "reference").glob("*.npz")
    path.write_bytes(b"PK\x03\x04 half")
    with ReferenceOutputs(model) as reference:
        assert np.array_equal(reference.infer(feed(1))["scores"], first["scores"])


def test_the_oldest_files_go_when_there_is_too_much(tmp_path: Path) -> None:
    import os

    for age in range(4):
        path = tmp_path / f"{age}.npz"
        path.write_bytes(bytes(100))
        os.utime(path, (1000 - age, 1000 - age))
    shrink(tmp_path, 250)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.npz", "1.npz"]


def test_feeds_that_differ_in_name_type_shape_or_value_have_different_digests() -> None:
    x = np.zeros((2, 3), np.float32)
    feeds = [{"x": x}, {"y": x}, {"x": x.astype(np.float64)}, {"x": x.T}, {"x": x + 1}, {"x": x, "y": x}]
    assert len({feed_digest(one) for one in feeds}) == len(feeds)
    assert feed_digest({"a": x, "b": x + 1}) == feed_digest({"b": x + 1, "a": x})


def test_a_model_whose_nodes_share_a_name_has_a_reference(tmp_path: Path, own_home: Path) -> None:
    """ONNX Runtime refuses such a file as it is."""
    proto = making.chain(2)
    for node in proto.graph.node:
        node.name = "same"
    with ReferenceOutputs(open_model(making.save(proto, tmp_path))) as reference:
        outputs = reference.infer({"x": np.array([[-1, 0, 1, 2]], np.float32)})
    assert outputs["y"].tolist() == [[0, 0, 1, 2]]
