"""What layers attain, what shapes take, what their change costs: with real engines, in short."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from tests.charts.roofs import CEILINGS
from tests.cli.conftest import Cli
from workbench.measure.machine import physical_cores
from workbench.pipeline.roofline import machine_name
from workbench.store import CeilingBook, Store

ORT = ("--backend", "onnxruntime")


def built(cli: Cli, model: Path) -> str:
    answer = cli("run", model, *ORT, "--seconds", "0.05", "--evaluate", "none", "--json")
    assert answer.code == 0, answer.err
    return str(answer.document["id"])


@pytest.fixture
def known_machine(own_home: Path) -> None:
    """Ceilings as if they had been measured: measuring them has a test of its own."""
    from msgspec.structs import replace

    one = replace(CEILINGS, machine=machine_name(), threads=physical_cores())
    CeilingBook(Store().root).keep((one,))


def test_a_roofline_says_of_each_layer_what_bounds_it(cli: Cli, model: Path, known_machine: None) -> None:
    run = built(cli, model)
    answer = cli("roofline", run)
    assert answer.code == 0, answer.err
    assert "memory bound" in answer.out and "attain" in answer.out and "ESTIMATE" not in answer.out
    document = cli("roofline", run, "--json").document
    assert document["run"] == run and document["ceilings"]["threads"] == physical_cores()
    assert {layer["bound"] for layer in document["layers"]} <= {"memory bound", "compute bound"}
    assert sum(layer["work"]["flops"] for layer in document["layers"]) > 0


def test_a_gpu_that_is_not_here_is_an_estimate(cli: Cli, model: Path, known_machine: None) -> None:
    run = built(cli, model)
    answer = cli("roofline", run, "--gpu", "L4")
    assert "ESTIMATE: L4: memory 300 GB/s" in answer.out and "were every layer at its roof" in answer.out
    assert "attain " not in answer.out, "times of this processor are not the GPU's"
    assert cli("roofline", run, "--gpu", "L4", "--json").document["is_estimate"]


def test_a_run_without_counted_layers_is_a_users_error(cli: Cli, model: Path) -> None:
    answer = cli("run", model, "--backend", "null", "--no-time", "--evaluate", "none", "--json")
    graph = Store().folder(answer.document["id"]) / "graph.json"
    graph.unlink()
    answer = cli("roofline", answer.document["id"])
    assert answer.code == 1 and "Build it again" in answer.err


def test_memory_over_batch_and_precision_is_a_table(cli: Cli, model: Path) -> None:
    words = ("memory", model, *ORT, "--dim", "batch=1,4", "--precisions", "fp32")
    answer = cli(*words)
    assert answer.code == 0, answer.err
    one, four = cli(*words, "--json").document
    assert one["dims"] == {"batch": 1} and four["plan"]["ends"] == 4 * one["plan"]["ends"]
    assert four["plan"]["peak"] > one["plan"]["peak"] and one["memory"]["weights"] == four["memory"]["weights"]
    assert len(Store().runs()) == 2  # what is known is not built again


def test_memory_of_a_file_that_was_written_anew_is_measured_anew(cli: Cli, model: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(model.read_bytes())
    words = ("memory", path, *ORT, "--json")
    (before,) = cli(*words).document
    proto = onnx.load(path)
    weights = proto.graph.initializer[0]
    proto.graph.initializer.append(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(weights) * 2, weights.name))
    del proto.graph.initializer[0]
    onnx.save(proto, path)
    (after,) = cli(*words).document
    assert before["run"] != after["run"] and len(Store().runs()) == 2


def test_a_change_of_shape_is_measured(cli: Cli, model: Path) -> None:
    words = ("replan", model, *ORT, "--threads", "1", "--seconds", "0.1")
    answer = cli(*words, "--dim", "batch=1,4", "--json")
    assert answer.code == 0, answer.err
    assert len(answer.document["changes"]) == 2 and answer.document["rounds"] >= 8
    answer = cli(*words, "--dim", "batch=1")
    assert answer.code == 1 and "two shapes" in answer.err
