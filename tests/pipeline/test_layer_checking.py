"""Errors of layers: planted ones are found where they were planted, both kinds are those of the definition, and what
was found stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.pipeline.conftest import Listener, RequestOf, never
from workbench.core.errors import Cancelled
from workbench.core.events import AnyEvent, Changed, LayersChecked, LayersListed
from workbench.core.json import read_json
from workbench.core.layer_errors import LayerErrors, LayerFigures
from workbench.core.model import TypedModel
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan
from workbench.core.run import BuildConfig, Status
from workbench.data import open_samples
from workbench.measure.accuracy import ErrorSums
from workbench.model import open_model, private_copy
from workbench.pipeline import run
from workbench.pipeline.building import Built
from workbench.pipeline.files import LAYER_ERRORS_FILE
from workbench.pipeline.layer_checking import check_layers
from workbench.pipeline.record import Record
from workbench.precision.aside import WeightsAside

SAMPLES = Path(__file__).parents[2] / "sample_models"
INT8 = PrecisionPlan(Precision.INT8, calibration=Calibration(CalibrationMethod.MAX, samples=5))
Arrays = dict[str, NDArray[Any]]
Edit = Callable[[ModelProto], None]


def edited(model_path: Path, folder: Path, edit: Edit) -> TypedModel:
    """The private copy changed by hand, as a plan might have it."""
    model = open_model(model_path)
    proto = private_copy(model)
    edit(proto)
    del proto.graph.value_info[:]
    folder.mkdir(exist_ok=True)
    onnx.save(proto, folder / "typed.onnx")
    return TypedModel(model=model, path=str(folder / "typed.onnx"), shapes=dict(model.shapes))


def checked(request_of: RequestOf, samples_path: Path, edit: Edit, *, samples: int = 3) -> LayerErrors:
    request = request_of(evaluation=str(samples_path), layer_samples=samples)
    record = Record(request, Listener(), never)
    typed = edited(Path(request.model_path), Path(request.folder), edit)
    chosen = open_samples(request.evaluation, typed.model, request.recipe, typed.shapes)
    check_layers(record, Built(typed.model, typed.shapes, typed, None), chosen, {})  # type: ignore[arg-type]
    return read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors)


def by_tensor(errors: LayerErrors) -> dict[str, LayerFigures]:
    return {tensor.name: figures for tensor, figures in errors.known()}


def wrap(proto: ModelProto, tensor: str, *nodes: onnx.NodeProto) -> None:
    """Puts `nodes` behind the maker of `tensor`, which then makes `raw`; the last of them makes `tensor`."""
    for place, node in enumerate(proto.graph.node):
        if tensor in node.output:
            node.output[list(node.output).index(tensor)] = "raw"
            for offset, new in enumerate(nodes):
                new.name = f"{node.name}:planted_{offset}"
                proto.graph.node.insert(place + 1 + offset, new)
            return


def constant(proto: ModelProto, name: str, values: NDArray[Any]) -> str:
    proto.graph.initializer.append(numpy_helper.from_array(values, name))
    return name


def test_the_same_graph_has_no_error_anywhere(request_of: RequestOf, samples_path: Path) -> None:
    errors = checked(request_of, samples_path, lambda proto: None)
    assert [tensor.node for tensor in errors.tensors] == [f"n{i}" for i in range(8)]
    assert all(f.total.sqnr_db == f.introduced.sqnr_db == f.inherited.sqnr_db == 200 for _, f in errors.known())
    assert errors.samples == errors.asked == 3 and not errors.worst()
    assert errors.tensors[0].title == "<script>alert(1)</script>"


def test_a_weight_with_an_outlier_channel_is_the_one_layer_that_introduces(
    request_of: RequestOf, samples_path: Path
) -> None:
    """Quantized with one scale for all channels, the outlier takes the others' levels: planted into n2."""

    def edit(proto: ModelProto) -> None:
        weight = next(tensor for tensor in proto.graph.initializer if tensor.name == "w1")
        values = numpy_helper.to_array(weight).copy()
        scale = np.float32(100 * np.abs(values).max() / 127)  # as if a channel were 100 times larger
        weight.CopyFrom(numpy_helper.from_array(np.round(values / scale) * scale, "w1"))

    found = by_tensor(checked(request_of, samples_path, edit))
    assert found["c"].introduced.sqnr_db < 15
    assert found["c"].inherited.sqnr_db == 200 and found["c"].total == found["c"].introduced
    assert all(found[name].total.sqnr_db == 200 for name in "ab")
    assert all(found[name].introduced.sqnr_db == 200 for name in ("d", "e", "f", "g", "scores"))
    assert all(found[name].inherited == found[name].total for name in ("d", "e", "f", "g", "scores"))


def test_an_overflow_of_fp16_is_found_where_it_begins(request_of: RequestOf, samples_path: Path) -> None:
    def edit(proto: ModelProto) -> None:
        large = constant(proto, "large", np.float32(3e5))
        wrap(
            proto,
            "d",
            helper.make_node("Mul", ["raw", large], ["scaled"]),
            helper.make_node("Cast", ["scaled"], ["half"], to=TensorProto.FLOAT16),
            helper.make_node("Cast", ["half"], ["wide"], to=TensorProto.FLOAT),
            helper.make_node("Div", ["wide", large], ["d"]),
        )

    errors = checked(request_of, samples_path, edit)
    assert [tensor.node for tensor, _ in errors.broken()] == ["n3"]
    found = by_tensor(errors)
    assert found["d"].introduced.inf > 0 and found["d"].introduced.nan == 0
    assert found["d"].introduced.sqnr_db == -200 and found["d"].inherited.sqnr_db == 200
    assert found["e"].inherited.inf > 0 and not found["e"].introduced.is_broken
    assert errors.worst()[0][0].node == "n3"


def test_nan_is_counted_where_it_is_made_and_passed_on_as_inherited(request_of: RequestOf, samples_path: Path) -> None:
    def edit(proto: ModelProto) -> None:
        wrap(proto, "b", helper.make_node("Log", ["raw"], ["logs"]), helper.make_node("Exp", ["logs"], ["b"]))
        wrap2 = [node for node in proto.graph.node if "logs" in node.input]
        less = constant(proto, "less", np.float32(0.2))
        next(n for n in proto.graph.node if "raw" in n.input).input[0] = "moved"
        place = list(proto.graph.node).index(wrap2[0]) - 1
        proto.graph.node.insert(place, helper.make_node("Sub", ["raw", less], ["moved"], name="n1:planted_sub"))

    found = by_tensor(checked(request_of, samples_path, edit))
    assert found["b"].introduced.nan > 0 and found["b"].introduced.inf == 0
    assert found["a"].total.sqnr_db == 200
    assert found["c"].inherited.is_broken and not found["c"].introduced.is_broken


def test_both_kinds_are_those_of_the_definition(request_of: RequestOf, samples_path: Path) -> None:
    """Against computing node by node in onnx's own evaluator, on the typed graph of a real INT8 plan."""
    request = request_of(
        calibration=str(samples_path), evaluation=str(samples_path), layer_samples=3, config=null_int8()
    )
    assert run(request, Listener(), never).status is Status.DONE
    errors = read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors)
    source, typed = private_copy(open_model(request.model_path)), onnx.load(Path(request.folder) / "typed.onnx")
    names = [tensor.name for tensor in errors.tensors]
    sums = {name: (ErrorSums(), ErrorSums(), ErrorSums()) for name in names}
    for sample in np.load(samples_path)["x"][[0, 5, 11]]:  # the set has twelve
        feed = {"x": sample[None]}
        f_x = evaluated(source, feed, {})
        q_y = evaluated(typed, feed, {})
        q_x = evaluated(typed, feed, {name: f_x[name] for name in names})
        f_y = evaluated(source, feed, {name: q_y[name] for name in names})
        for name in names:
            for one, got in zip(sums[name], (q_y, q_x, f_y), strict=True):
                one.add(f_x[name], got[name])
    assert any(figures.introduced.sqnr_db < 60 for _, figures in errors.known())
    for tensor, figures in errors.known():
        for one, got in zip(sums[tensor.name], (figures.total, figures.introduced, figures.inherited), strict=True):
            expected = one.error()
            assert got.sqnr_db == pytest.approx(expected.sqnr_db, abs=0.3) or min(got.sqnr_db, expected.sqnr_db) > 100
            assert got.cosine == pytest.approx(expected.cosine, abs=1e-4)


def null_int8() -> BuildConfig:
    return BuildConfig(backend="null", threads=1, plan=INT8, options={"latency_ms": "0.1"})


def evaluated(model: ModelProto, feed: Arrays, given: Mapping[str, NDArray[Any]]) -> Arrays:
    """What every node makes, each reading `given` where it is in there, else what was made."""
    env: Arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer} | feed
    made: Arrays = {}
    for node in model.graph.node:
        reads = {name: given.get(name, env.get(name)) for name in node.input if name}
        graph = helper.make_graph(
            [node],
            "one",
            [onnx.ValueInfoProto(name=name) for name in reads],
            [onnx.ValueInfoProto(name=name) for name in node.output],
        )
        one = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
        results = ReferenceEvaluator(one).run(None, reads)
        made |= dict(zip(node.output, results, strict=True))
        env |= dict(zip(node.output, results, strict=True))
    return made


def test_names_come_first_then_figures_then_the_file_is_complete(request_of: RequestOf, samples_path: Path) -> None:
    listener = Listener()
    request = request_of(evaluation=str(samples_path), layer_samples=5, config=null_half())
    run(request, listener, never)
    told = [e for e in listener.events if isinstance(e, LayersListed | LayersChecked) or is_layers(e)]
    assert isinstance(told[0], LayersListed) and is_layers(told[-1])
    assert len(told) >= 3 and all(isinstance(event, LayersChecked) for event in told[1:-1])
    errors = read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors)
    assert errors.tensors == told[0].tensors and errors.samples == 5
    figures: list[LayerFigures | None] = [None] * len(errors.tensors)
    for event in listener.of(LayersChecked):
        figures[event.first : event.first + len(event.figures)] = event.figures
    assert tuple(figures) == errors.figures
    assert not list(Path(request.folder).glob("*.part"))


def null_half() -> BuildConfig:
    return BuildConfig(backend="null", threads=1, plan=PrecisionPlan(Precision.FP16), options={"latency_ms": "0.1"})


def is_layers(event: AnyEvent) -> bool:
    return isinstance(event, Changed) and event.part == "layers"


def test_cancelling_keeps_what_was_found(request_of: RequestOf, samples_path: Path) -> None:
    request = request_of(evaluation=str(samples_path), layer_samples=12)
    listener = Listener()
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += bool(listener.of(LayersListed))
        return asked > 2

    record = Record(request, listener, cancelled)
    typed = edited(Path(request.model_path), Path(request.folder), lambda proto: None)
    samples = open_samples(request.evaluation, typed.model, request.recipe, typed.shapes)
    with pytest.raises(Cancelled):
        check_layers(record, Built(typed.model, typed.shapes, typed, None), samples, {})  # type: ignore[arg-type]
    errors = read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors)
    assert errors.samples == 1 and errors.asked == 12
    assert len(list(errors.known())) == 8
    assert not list(Path(request.folder).glob("*.part"))


def test_a_full_disk_costs_the_layers_and_not_the_run(
    request_of: RequestOf, samples_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WeightsAside, "take", refuse)
    request = request_of(evaluation=str(samples_path), layer_samples=2, config=null_half())
    assert run(request, Listener(), never).status is Status.DONE
    errors = read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors)
    assert "No space left on device" in errors.reason and not list(errors.known())
    assert not list(Path(request.folder).glob("*.part"))


def test_nothing_is_checked_that_was_not_asked_for(request_of: RequestOf) -> None:
    request = request_of(evaluation="random")
    run(request, Listener(), never)
    assert not (Path(request.folder) / LAYER_ERRORS_FILE).exists()


@pytest.mark.parametrize("name", ["silero_vad", "tree"])
def test_models_with_bodies_integers_and_text_have_figures_or_a_reason(request_of: RequestOf, name: str) -> None:
    path = next((SAMPLES / name).glob("*.onnx"))
    request = request_of(model_path=str(path), evaluation="random", evaluation_limit=2, layer_samples=2)
    result = run(request, Listener(), never)
    assert result.status is Status.DONE, result.error
    errors = read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors)
    assert errors.reason == ""
    assert all(figures.total.sqnr_db == 200 for _, figures in errors.known())
    inside = sum(1 for _ in open_model(path).graph.walk()) > len(open_model(path).graph.layers)
    assert any("bodies of If" in note for note in errors.notes) == inside


def test_tensors_without_elements_and_integer_outputs_are_compared(
    request_of: RequestOf, tmp_path: Path, samples_path: Path
) -> None:
    make = helper.make_node
    nodes = [
        make("Relu", ["x"], ["a"]),
        make("Slice", ["a", "zero", "zero", "one"], ["empty"]),
        make("Concat", ["a", "empty"], ["b"], axis=1),
        make("ReduceMean", ["b"], ["c"], axes=[2, 3], keepdims=0),
        make("ArgMax", ["c"], ["best"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("best", TensorProto.INT64, [1, 1])],
        [numpy_helper.from_array(np.array([i]), name) for i, name in enumerate(("zero", "one"))],
    )
    path = tmp_path / "odd.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    request = request_of(model_path=str(path), evaluation=str(samples_path), layer_samples=2, config=null_half())
    assert run(request, Listener(), never).status is Status.DONE
    found = by_tensor(read_json(Path(request.folder) / LAYER_ERRORS_FILE, LayerErrors))
    assert found["empty"].total.sqnr_db == 200
    assert found["best"].total.agreement is not None and 0 <= found["best"].total.agreement <= 1
    assert found["a"].introduced.sqnr_db > 60


def test_what_onnx_runtime_refuses_is_a_reason_and_the_run_goes_on(request_of: RequestOf, samples_path: Path) -> None:
    def edit(proto: ModelProto) -> None:
        node = next(node for node in proto.graph.node if node.op_type == "GlobalAveragePool")
        node.domain, node.op_type = "nowhere", "NoSuchOperator"
        proto.opset_import.append(helper.make_opsetid("nowhere", 1))

    errors = checked(request_of, samples_path, edit)
    assert "ONNX Runtime cannot run this model" in errors.reason
