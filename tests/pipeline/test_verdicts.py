"""What backends say of odd models before a build, and that every fix offered really helps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.backends.models import make, value
from tests.pipeline.odd import NODE, branching, customs, doubles, indices, longs
from workbench.backends.tensorrt_rtx.module import find_module
from workbench.core.model import Model
from workbench.core.precision import PrecisionPlan
from workbench.core.recipe import InputSpec, Recipe
from workbench.core.verdict import Verdict
from workbench.model import open_model
from workbench.model.deciding import deciding_values
from workbench.pipeline.verdicts import verdict_on, with_fixed
from workbench.precision import parse_plan, plan_text

needs_tensorrt = pytest.mark.skipif(not find_module(), reason="TensorRT is not installed")


def saved(proto: onnx.ModelProto, folder: Path) -> Model:
    onnx.save_model(proto, folder / "odd.onnx")
    return open_model(folder / "odd.onnx")


def verdict(backend: str, model: Model, recipe: Recipe | None = None, *, clean: bool = False) -> Verdict:
    return verdict_on(backend, model, recipe or Recipe(), model.shapes, clean=clean)


@needs_tensorrt
def test_all_refused_nodes_are_named_and_what_is_taken_between_them(tmp_path: Path) -> None:
    found = verdict("tensorrt_rtx", saved(customs(), tmp_path))
    assert not found.accepted and set(found.nodes) == {"n0", "n2", "n4"}
    assert sorted(node for run in found.subgraphs for node in run) == ["n1", "n3"] and found.missed == ()
    assert found.remedies[0].nodes == ("n0", "n2", "n4") and found.remedies[0].edit is None


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_other_backends_name_what_they_refuse_too(backend: str, tmp_path: Path) -> None:
    found = verdict(backend, saved(customs(), tmp_path))
    assert not found.accepted and "n0" in found.nodes and found.of("n0").startswith("refused: ")
    assert found.of("n1") == ""


@needs_tensorrt
def test_constants_that_can_be_computed_are_offered_to_be_and_then_all_is_taken(tmp_path: Path) -> None:
    model = saved(indices(constant=True), tmp_path)
    found = verdict("tensorrt_rtx", model)
    assert list(found.nodes) == ["n2"]
    (remedy,) = found.remedies
    assert remedy.edit is not None and remedy.edit.clean
    cleaned = verdict("tensorrt_rtx", model, clean=True)
    assert cleaned.accepted and cleaned.reason.startswith("With the clean-up of the plan. Otherwise: ")


@needs_tensorrt
def test_what_hangs_on_values_has_advice_in_words_only(tmp_path: Path) -> None:
    found = verdict("tensorrt_rtx", saved(indices(constant=False), tmp_path))
    (remedy,) = found.remedies
    assert remedy.edit is None and remedy.nodes == ("n1",) and "TopK" in remedy.text


@needs_tensorrt
def test_an_input_that_decides_a_branch_is_offered_to_be_fixed_at_the_value_that_helps(tmp_path: Path) -> None:
    model = saved(branching(), tmp_path)
    assert deciding_values(model) == [("c", 1.0), ("c", 0.0)]
    found = verdict("tensorrt_rtx", model)
    assert list(found.nodes) == ["n1.then_branch.n0"] and "n1" in found.missed
    edits = [remedy.edit for remedy in found.remedies if remedy.edit is not None]
    assert [edit.fixed for edit in edits] == [{"c": 0.0}]
    fixed = verdict("tensorrt_rtx", model, with_fixed(Recipe(), edits[0].fixed))
    assert fixed.accepted and fixed.reason.startswith("With c = False, as the recipe has it.")


@needs_tensorrt
def test_types_that_no_tensor_of_tensorrt_has_are_named_with_their_tensors(tmp_path: Path) -> None:
    short = make(
        [NODE("Add", ["x", "x"], ["y"])],
        [value("x", [4], TensorProto.INT16)],
        [value("y", [4], TensorProto.INT16)],
    )
    found = verdict("tensorrt_rtx", saved(short, tmp_path))
    assert found.nodes == {"n0": "it does not take int16"} and "int16 (x)" in found.reason
    assert [remedy.text for remedy in found.remedies] == ["Export it with int32 instead."]


@needs_tensorrt
def test_sequences_and_the_newest_types_are_named_too(tmp_path: Path) -> None:
    items = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, None)
    taken = make([NODE("SequenceAt", ["x", "i"], ["y"])], [items, value("i", [], TensorProto.INT64)], [value("y", [4])])
    found = verdict("tensorrt_rtx", saved(taken, tmp_path))
    assert found.reason == "TensorRT takes no sequence (x)."
    assert [(remedy.text[:26], remedy.nodes) for remedy in found.remedies] == [("Sequences are no tensors: ", ("n0",))]
    like = make([NODE("Cast", ["x"], ["y"], to=1)], [value("x", [4], TensorProto.UINT4)], [value("y", [4])])
    assert verdict("tensorrt_rtx", saved(like, tmp_path)).nodes == {"n0": "it does not take uint4"}


@needs_tensorrt
def test_an_input_whose_values_decide_shapes_is_named_before_a_build_would_fail(tmp_path: Path) -> None:
    first = make(
        [NODE("TopK", ["x", "k"], ["v", "i"])],
        [value("x", [4, 100]), value("k", [1], TensorProto.INT64)],
        [
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [4, "n"]),
            helper.make_tensor_value_info("i", TensorProto.INT64, [4, "n"]),
        ],
    )
    found = verdict("tensorrt_rtx", saved(first, tmp_path))
    assert not found.accepted
    assert "the values of its input 'k' decide shapes" in found.reason
    assert [remedy.text for remedy in found.remedies] == ["Make that input a constant of the model (an initializer)."]


@needs_tensorrt
def test_what_only_a_build_would_refuse_is_known_before(tmp_path: Path) -> None:
    boxes = make(
        [NODE("NonMaxSuppression", ["b", "s"], ["y"])],
        [value("b", [1, 10, 4]), value("s", [1, 2, 10])],
        [helper.make_tensor_value_info("y", TensorProto.INT64, ["n", 3])],
    )
    assert "no runners" in verdict("tensorrt_rtx", saved(boxes, tmp_path)).nodes["n0"]


@pytest.mark.parametrize(
    ("backend", "becomes"),
    [
        pytest.param("tensorrt_rtx", [("float64", "float32", ("n0", "n1"))], marks=needs_tensorrt),
        ("openvino", [("float64", "float32", ("n0", "n1"))]),
        ("onnxruntime", []),
    ],
)
def test_doubles_that_become_floats_are_told(
    backend: str, becomes: list[tuple[str, str, tuple[str, ...]]], tmp_path: Path
) -> None:
    found = verdict(backend, saved(doubles(), tmp_path))
    assert found.accepted
    assert [(change.was, change.becomes, change.nodes) for change in found.silent] == becomes
    assert found.of("n1") == ("float64 becomes float32" if becomes else "")


def test_openvinos_int64_wraps_around_as_its_verdict_says(tmp_path: Path) -> None:
    from workbench.backends.openvino.package import core

    model = saved(longs(), tmp_path)
    (change,) = verdict("openvino", model).silent
    assert (change.was, change.becomes, change.tensors) == ("int64", "int32", 2) and "wrap" in change.text
    compiled = core().compile_model(core().read_model(model.path), "CPU")
    (answer,) = compiled(np.int64([1, 2, 3, 4])).values()
    assert answer.tolist() != [3_000_000_000, 6_000_000_000, 9_000_000_000, 12_000_000_000]


@needs_tensorrt
def test_shapes_that_a_model_cannot_work_with_lead_back_to_those_of_the_file(tmp_path: Path) -> None:
    """The Reshape holds a batch of one."""
    nodes = [NODE("Reshape", ["x", "to"], ["f"]), NODE("MatMul", ["f", "w"], ["y"])]
    constants = [
        numpy_helper.from_array(np.int64([1, 12]), "to"),
        numpy_helper.from_array(np.ones((12, 2), np.float32), "w"),
    ]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])]
    model = saved(make(nodes, inputs, outputs, constants), tmp_path)
    found = verdict_on("tensorrt_rtx", model, Recipe(), {"x": (2, 3, 4)})
    assert list(found.nodes) == ["n0"]
    assert [remedy.edit.shapes for remedy in found.remedies if remedy.edit is not None] == [{"x": (1, 3, 4)}]
    free = verdict_on("openvino", model, Recipe(), {"x": (2, 3, 4)})
    assert free.accepted and free.reason.startswith("Not with the input shapes as they are")


def test_a_file_that_has_gone_is_a_verdict_too(tmp_path: Path) -> None:
    model = saved(doubles(), tmp_path)
    Path(model.path).unlink()
    found = verdict("openvino", model)
    assert not found.accepted and found.reason


def test_fixing_an_input_keeps_what_the_recipe_says_of_it_besides() -> None:
    recipe = with_fixed(Recipe(inputs={"sr": InputSpec(low=1.0)}), {"sr": 16000.0})
    assert recipe.inputs["sr"] == InputSpec(low=1.0, const=16000.0)


def test_the_clean_up_is_a_field_of_the_plan_file() -> None:
    plan = PrecisionPlan(clean=True)
    assert "clean = true" in plan_text(plan) and parse_plan(plan_text(plan)) == plan
