"""Files of other tools become runs like our own.

The TensorRT files in `data/` follow NVIDIA's formats: layers as in the developer guide, "Engine Inspector", and the
samples of trt-engine-explorer (10), with Myelin's layer types and `I/O Tensors` (11); profile and times as written by
`exportJSONProfile` and `exportJSONTrace` of samples/common/sampleReporting.cpp. The others are written here, by the
engines themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from workbench.backends.openvino.package import package
from workbench.core.graph import FateKind, LayerKind
from workbench.core.importing import ImportRequest
from workbench.core.precision import Precision
from workbench.core.run import Run, Status
from workbench.core.titles import run_title
from workbench.pipeline.documents import run_document
from workbench.pipeline.importing import import_run
from workbench.store import Store

DATA = Path(__file__).parent / "data"
Import = Callable[..., Run]


@pytest.fixture(scope="session")
def named_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conv + Relu, Conv + Add + Relu, pool, Flatten, Gemm: 8 nodes with the names that an exporter gives."""
    random = np.random.default_rng(3)
    node = helper.make_node
    nodes = [
        node("Conv", ["x", "w0"], ["a"], name="/stem/Conv", pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"], name="/stem/Relu"),
        node("Conv", ["b", "w1"], ["c"], name="/body/Conv", pads=[1, 1, 1, 1]),
        node("Add", ["c", "b"], ["d"], name="/body/Add"),
        node("Relu", ["d"], ["e"], name="/body/Relu"),
        node("GlobalAveragePool", ["e"], ["f"], name="/pool"),
        node("Flatten", ["f"], ["g"], name="/flat"),
        node("Gemm", ["g", "w2"], ["scores"], name="/head/Gemm", transB=1),
    ]
    weights = {"w0": (8, 3, 3, 3), "w1": (8, 8, 3, 3), "w2": (4, 8)}
    graph = helper.make_graph(
        nodes,
        "named",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 4])],
        [numpy_helper.from_array(random.normal(size=s).astype(np.float32), n) for n, s in weights.items()],
    )
    path = tmp_path_factory.mktemp("named") / "named.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.fixture
def imported() -> Import:
    """Imports into the store; a refusal is raised as AssertionError with its sentence."""

    def call(*files: Path, model: Path | None = None) -> Run:
        run_id, folder = Store().new_folder()
        request = ImportRequest(run_id, str(folder), tuple(map(str, files)), str(model or ""))
        result = import_run(request, lambda event: None, lambda: False)
        assert result.run is not None, result.error
        assert Store().load(run_id) == result.run
        return result.run

    return call


def refusal(tmp_path: Path, *texts: str) -> str:
    files = []
    for index, text in enumerate(texts):
        files.append(tmp_path / f"f{index}.json")
        files[-1].write_text(text, "utf-8")
    request = ImportRequest("20200101-000000-000000", str(tmp_path / "run"), tuple(map(str, files)))
    result = import_run(request, lambda event: None, lambda: False)
    assert result.run is None
    assert result.error is not None
    assert "Internal error" not in result.error.message
    assert not (tmp_path / "run" / "run.json").exists()
    return result.error.message


@pytest.mark.parametrize(("version", "layers"), [("10", 5), ("11", 6)])
def test_the_three_exports_of_trtexec_become_one_run(
    version: str, layers: int, named_model: Path, imported: Import
) -> None:
    files = [DATA / f"trt{version}_{what}.json" for what in ("layers", "profile", "times")]
    run = imported(*files, model=named_model)
    assert run.status is Status.DONE
    assert run.config.backend == f"TensorRT {version} (imported)"
    assert run.precision == Precision.FP16
    assert run.imported == tuple(file.name for file in files)
    assert run.build is not None
    assert (run.build.layers, run.build.source_nodes, run.build.mapped) == (layers, 8, 8)
    assert run.timing is not None
    assert run.timing.stats is not None
    assert run.timing.stats.iterations == 25
    assert run.timing.stats.median_ms == pytest.approx(0.047)
    assert len(run.timing.layers) == layers
    assert run.timing.layers_sum_ms == pytest.approx(sum(run.timing.layers.values()))
    assert run.timing.machine == {"device": "machine unknown"}
    assert any("does not name" in note for note in run.build.notes)
    assert len(Store().latencies(run.id)) == 25


@pytest.mark.parametrize("version", ["10", "11"])
def test_layers_lead_back_to_the_nodes_by_the_names_of_the_user(
    version: str, named_model: Path, imported: Import
) -> None:
    run = imported(DATA / f"trt{version}_layers.json", model=named_model)
    engine = Store().engine_graph(run.id)
    assert engine is not None
    by_title = {layer.title: layer for layer in engine.graph.layers if layer.title}
    assert by_title["Conv+Add+Relu"].sources == ("n2", "n3", "n4")
    assert by_title["Conv+Add+Relu"].sources_exact
    assert by_title["Conv+Relu"].precision is Precision.FP16
    assert engine.fates["n3"].kind is FateKind.FUSED
    assert engine.fates["n6"].kind is FateKind.ABSORBED, "Flatten is a change of view"
    assert engine.graph.layers[0].kind is LayerKind.REFORMAT
    assert (engine.graph.inputs, engine.graph.outputs) == (("x",), ("scores",))
    assert by_title["Conv+Relu"].tactic.startswith("sm")


def test_an_imported_int8_engine_claims_no_calibration(imported: Import, tmp_path: Path) -> None:
    tensor = {"Name": "x", "Dimensions": [1, 8], "Format/Datatype": "Int8"}
    layer = {"Name": "conv", "LayerType": "CaskConvolution", "Inputs": [tensor], "Outputs": [tensor | {"Name": "y"}]}
    (tmp_path / "layers.json").write_text(json.dumps({"Layers": [layer], "Bindings": ["x", "y"]}), "utf-8")
    run = imported(tmp_path / "layers.json")
    assert run.precision == Precision.INT8
    assert run_title(run) == "TensorRT 10 (imported) INT8"
    assert run_document(run)["calibration"] is None


def test_names_alone_lead_to_nodes_too(named_model: Path, imported: Import) -> None:
    run = imported(DATA / "trt10_names.json", model=named_model)
    engine = Store().engine_graph(run.id)
    assert engine is not None
    titles = [layer.title or layer.kind for layer in engine.graph.layers]
    assert titles == ["sync", "Conv+Relu", "Conv+Add", "Relu", "GlobalAveragePool+Gemm"]
    assert engine.fates["n6"].layers == ("l4",), "what stands between the ends of a ForeignNode is in it"
    assert engine.graph.layers[2].inputs == ("b",), "edges come from the nodes where the file has none"
    assert run.build is not None
    assert any("names of layers only" in note for note in run.build.notes)


def test_a_profile_alone_has_its_layers_by_name(named_model: Path, imported: Import) -> None:
    run = imported(DATA / "trt10_profile.json", model=named_model)
    assert run.build is not None
    assert run.timing is not None
    assert run.build.mapped_exact >= 7
    assert run.timing.layers["l2"] == pytest.approx(0.02)
    assert run.timing.layers_iterations == 742
    assert run.timing.stats is None
    assert "no latencies" in run.timing.reason


def test_latencies_alone_are_a_run_without_an_engine(imported: Import) -> None:
    run = imported(DATA / "trt10_times.json")
    assert run.build is None
    assert run.timing is not None
    assert run.timing.stats is not None
    assert any("0.061 ms" in warning for warning in run.timing.warnings), "with the copies"


def test_copies_are_spoken_of_only_where_they_were_measured(imported: Import, tmp_path: Path) -> None:
    times = tmp_path / "times.json"
    times.write_text('[{"computeMs": 0.5}, {"computeMs": 0.7}]', "utf-8")
    for file in (times, DATA / "trt11_times.json"):
        run = imported(file)
        assert run.timing is not None
        assert not any("copies" in warning for warning in run.timing.warnings)


def test_without_a_model_the_engine_is_there_and_says_that_nothing_is_linked(imported: Import) -> None:
    run = imported(DATA / "trt11_layers.json")
    assert run.build is not None
    assert (run.build.layers, run.build.source_nodes) == (6, 0)
    assert any("not given" in note for note in run.build.notes)


def test_the_engine_of_another_model_is_told(model_path: Path, imported: Import) -> None:
    run = imported(DATA / "trt11_layers.json", model=model_path)
    assert run.build is not None
    assert any("another model" in note for note in run.build.notes)
    assert run.build.mapped == 0, "nothing is guessed"
    engine = Store().engine_graph(run.id)
    assert engine is not None
    assert not any(layer.sources for layer in engine.graph.layers)


def test_entries_that_are_not_understood_are_kept_and_counted(
    named_model: Path, imported: Import, tmp_path: Path
) -> None:
    document = json.loads((DATA / "trt11_layers.json").read_text("utf-8"))
    document["Layers"][4:4] = [17, {"LayerType": "nameless"}, {"Name": "new", "LayerType": "kind of 2031"}]
    document["Layers"][1]["Inputs"] = "none"
    document["Layers"][2]["Outputs"][0]["Dimensions"] = [10**17, 10**17]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(document), "utf-8")
    run = imported(path, model=named_model)
    assert run.build is not None
    assert run.build.layers == 7
    assert any(note.startswith("2 entries") for note in run.build.notes)


def test_what_onnx_runtime_writes_is_read(named_model: Path, imported: Import, tmp_path: Path) -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(named_model, options, providers=["CPUExecutionProvider"])
    for _ in range(3):
        session.run(None, {"x": np.ones((1, 3, 8, 8), np.float32)})
    run = imported(Path(session.end_profiling()), model=named_model)
    assert run.config.backend == "ONNX Runtime (imported)"
    assert run.build is not None
    assert run.timing is not None
    assert run.timing.stats is not None
    assert run.build.mapped == 8
    assert run.timing.stats.iterations == 3
    assert 0 < sum(run.timing.layers.values()) <= run.timing.stats.mean_ms


def test_what_openvino_writes_is_read(named_model: Path, imported: Import, tmp_path: Path) -> None:
    openvino = package()  # the plain import would tell an analytics service
    settings = {"PERF_COUNT": True, "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = openvino.Core().compile_model(str(named_model), "CPU", settings)
    compiled.create_infer_request().infer({"x": np.ones((1, 3, 8, 8), np.float32)})
    openvino.serialize(compiled.get_runtime_model(), tmp_path / "executed.xml")
    run = imported(tmp_path / "executed.xml", model=named_model)
    engine = Store().engine_graph(run.id)
    assert engine is not None
    assert run.build is not None
    assert run.timing is not None
    assert (run.build.mapped, run.precision) == (8, Precision.FP32)
    assert any(layer.title == "Conv+Relu" for layer in engine.graph.layers)
    assert any(ms > 0 for ms in run.timing.layers.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("7", "single value"),
        ("{}", "no kind"),
        ("[]", "no kind"),
        ('{"Layers": 3}', "no list of layers"),
        ('{"Layers": []}', "no list of layers"),
        ('{"Layers": [1, null, [], {"Name": 4}]}', "No layer"),
        ('{"Layers": [' + "[" * 100_000 + "]" * 100_000 + "]}", "f0.json"),
        ('[{"count": 3}, {"name": "a", "averageMs": NaN}]', "is not JSON"),
        ('[{"count": 3}, {"name": "a", "averageMs": "1"}]', "averageMs"),
        ('[{"count": 3}, {"name": "a", "averageMs": -1}]', "averageMs"),
        ('[{"count": 3}, {"name": "a", "averageMs": 1e300}]', "averageMs"),
        ('[{"count": 0}, {"name": "a", "timeMs": 1}]', "how many iterations"),
        ('[{"count": 3}]', "no times of layers"),
        ('[{"latencyMs": 1, "computeMs": true}]', "computeMs"),
        ('[{"latencyMs": 0, "computeMs": 0}]', "zero"),
        ('[{"cat": "Session", "name": "model_run", "dur": 5}]', "no node"),
        ('[{"cat": "Node", "name": "a_kernel_time", "dur": null}]', "dur"),
        ("<net><layers><layer id='0' name='x' type='Input'/></layers></net>", "execution order"),
        ("<net><layers/></net>", "no layers"),
        ("<net>", "is not XML"),
        ('<!DOCTYPE n [<!ENTITY a "aaaa">]><net>&a;</net>', "document type"),
        ("<net><layers><layer id='0'/></layers><edges><edge from-layer='9' to-layer='0'/></edges></net>", "an edge"),
    ],
)
def test_a_file_that_does_not_hold_together_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_a_million_entries_are_refused(tmp_path: Path) -> None:
    assert "1,000,000 layers" in refusal(tmp_path, '{"Layers": [' + ",".join(['"a"'] * 1_000_000) + "]}")


def test_files_of_two_engines_are_not_one_run(tmp_path: Path) -> None:
    text = (DATA / "trt10_profile.json").read_text("utf-8")
    assert "f0.json and f1.json both hold times of layers" in refusal(tmp_path, text, text)


def test_bytes_that_are_no_text_and_pipes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xff\xfe\x00")
    request = ImportRequest("20200101-000000-000000", str(tmp_path / "run"), (str(path),))
    assert "UTF-8" in (import_run(request, lambda event: None, lambda: False).error or pytest.fail("no error")).message
    request = ImportRequest("20200101-000000-000000", str(tmp_path / "run"), (str(tmp_path),))
    assert "folder" in (import_run(request, lambda event: None, lambda: False).error or pytest.fail("no error")).message
