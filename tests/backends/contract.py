"""The contract of a backend as tests. A backend's test file subclasses `BackendContract`; nothing else is needed.

class TestNull(BackendContract):
    backend_id = "null"
    computes = False
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.backends import models, opening
from workbench.backends.base import Backend, Engine, load_backend
from workbench.core.dialect import How
from workbench.core.errors import WorkbenchError
from workbench.core.graph import FateKind, Layer, LayerKind
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.core.run import BuildConfig

Steps = list[tuple[str, int, int, str]]
Built = Callable[[str], tuple[Model, Engine, Steps]]
WITH_LAYERS = {FateKind.ALONE, FateKind.FUSED, FateKind.SPLIT}


class BackendContract:
    """What every backend promises. Set the class variables; override `config` where a build needs a target."""

    backend_id: ClassVar[str]
    computes: ClassVar[bool] = True  # outputs are right
    runs_here: ClassVar[bool] = True  # engines run on this machine
    model_names: ClassVar[tuple[str, ...]] = tuple(models.MODELS)
    refused: ClassVar[str] = ""  # name of a model it must refuse, naming the op
    least_sqnr_db: ClassVar[float] = 80.0

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls) -> Backend:
        return load_backend(cls.backend_id)

    @pytest.fixture(scope="class")
    @classmethod
    def built(cls, backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Built:
        """Each model is built once for the class; a second one of the same name is the same object."""
        done: dict[str, tuple[Model, Engine, Steps]] = {}

        def get(name: str) -> tuple[Model, Engine, Steps]:
            if name not in done:
                done[name] = cls.build(backend, name, tmp_path_factory.mktemp(f"{cls.backend_id}_{name}"))
            return done[name]

        return get

    @classmethod
    def config(cls, model: Model) -> BuildConfig:
        return BuildConfig(backend=cls.backend_id, shapes=dict(model.shapes), threads=1)

    @classmethod
    def build(cls, backend: Backend, name: str, folder: Path) -> tuple[Model, Engine, Steps]:
        model = opening.opened(name, folder)
        steps: Steps = []
        typed = opening.typed(model, folder)
        engine = backend.build(typed, cls.config(model), folder, lambda *step: steps.append(step))
        return model, engine, steps

    @pytest.fixture(params=list(models.MODELS))
    def name(self, request: pytest.FixtureRequest) -> str:
        if request.param not in self.model_names:
            pytest.skip(f"{self.backend_id} does not take {request.param}")
        return str(request.param)

    # what it can do ---------------------------------------------------------------------------------------------

    def test_capabilities_answer_for_every_precision_in_a_sentence(self, backend: Backend) -> None:
        can = backend.capabilities()
        assert can.available, can.reason
        assert can.version
        assert can.device
        assert set(can.precisions) == set(Precision)
        for text in (*can.precisions.values(), *can.remarks.values()):
            assert text == "" or (" " in text and text == text.strip()), text
        assert can.can_run == self.runs_here
        assert can.can_run or can.run_reason

    def test_the_dialect_says_how_for_every_precision_and_agrees_with_the_capabilities(self, backend: Backend) -> None:
        how = backend.dialect().how
        assert set(how) == set(Precision)
        for precision, reason in backend.capabilities().precisions.items():
            assert (how[precision] is How.NONE) == bool(reason), precision

    def test_it_accepts_what_it_builds(self, backend: Backend, name: str, tmp_path: Path) -> None:
        verdict = backend.verdict(opening.opened(name, tmp_path))
        assert verdict.accepted, verdict
        assert not verdict.nodes

    # the graph --------------------------------------------------------------------------------------------------

    def test_every_source_node_has_a_fate(self, built: Built, name: str) -> None:
        model, engine, _ = built(name)
        assert set(engine.fates) == {layer.id for layer in model.graph.walk()}
        unknown = [node for node, fate in engine.fates.items() if fate.kind is FateKind.UNKNOWN]
        assert not unknown
        ids = {layer.id for layer in engine.graph.walk()}
        for node, fate in engine.fates.items():
            assert set(fate.layers) <= ids, node
            if fate.kind in WITH_LAYERS:
                assert fate.layers, node

    def test_sources_and_fates_say_the_same(self, built: Built, name: str) -> None:
        model, engine, _ = built(name)
        known = {layer.id for layer in model.graph.walk()}
        for layer in engine.graph.walk():
            assert set(layer.sources) <= known
            for node in layer.sources:
                assert layer.id in engine.fates[node].layers
        by_id = {layer.id: layer for layer in engine.graph.walk()}
        for node, fate in engine.fates.items():
            is_inherited = "." in node
            for layer in fate.layers:
                assert is_inherited or node in by_id[layer].sources

    def test_layers_are_numbered_and_every_compute_layer_has_a_precision_and_sources(
        self, built: Built, name: str
    ) -> None:
        _, engine, _ = built(name)
        assert [layer.id for layer in engine.graph.layers] == [f"l{i}" for i in range(len(engine.graph.layers))]
        for layer in engine.graph.layers:
            assert layer.op
            assert isinstance(layer.kind, LayerKind)
            if layer.kind is LayerKind.COMPUTE:
                assert layer.sources, layer
                floats = [n for n in layer.outputs if "float" in engine.graph.tensors[n].dtype]
                assert isinstance(layer.precision, Precision) or not floats, layer

    def test_edges_connect_in_execution_order(self, built: Built, name: str) -> None:
        model, engine, _ = built(name)
        graph = engine.graph
        assert set(graph.inputs) == {spec.name for spec in model.inputs}
        assert set(graph.outputs) == {spec.name for spec in model.outputs}
        known = set(graph.inputs) | {n for n, tensor in graph.tensors.items() if tensor.constant}
        known |= {out for layer in graph.layers if layer.kind is LayerKind.CONSTANT for out in layer.outputs}
        made: set[str] = set()
        for layer in graph.layers:
            assert set(layer.inputs) <= known | made | self.unmade(model), layer
            made |= set(layer.outputs)
        assert set(graph.outputs) <= made
        used = {name for layer in graph.layers for name in (*layer.inputs, *layer.outputs)}
        assert used <= set(graph.tensors)

    def unmade(self, model: Model) -> set[str]:
        """Tensors that layers may read though no layer makes them: what was folded at build time."""
        return {name for layer in model.graph.layers for name in layer.outputs} if not self.computes else set()

    def test_tensors_have_shapes_types_and_bytes(self, built: Built, name: str) -> None:
        if not self.computes:
            pytest.skip("copies the tensors of the source graph")
        _, engine, _ = built(name)
        for tensor in engine.graph.tensors.values():
            assert tensor.dtype, tensor
            assert tensor.shape is not None, tensor
            if all(isinstance(dim, int) for dim in tensor.shape):
                assert tensor.size_bytes > 0, tensor

    def test_what_a_build_leaves_behind(self, built: Built, name: str) -> None:
        _, engine, steps = built(name)
        assert engine.size_bytes > 0
        assert engine.artefact is not None
        assert engine.artefact.is_file()
        assert all(value >= 0 for value in engine.memory.values())
        assert engine.memory
        assert engine.versions
        assert steps, "a build says what it does"
        assert all(0 <= done <= max(total, done) for _, done, total, _ in steps)

    def test_a_second_build_gives_the_same_graph(
        self,
        backend: Backend,
        built: Built,
        tmp_path: Path,
    ) -> None:
        first = built("residual")[1]
        second = self.build(backend, "residual", tmp_path)[1]
        assert [_essence(layer) for layer in first.graph.layers] == [_essence(layer) for layer in second.graph.layers]
        assert first.fates == second.fates

    def test_folded_dead_and_absorbed_nodes_have_their_fates(self, built: Built) -> None:
        if "folding" not in self.model_names:
            pytest.skip("not taken")
        _, engine, _ = built("folding")
        fates = {node: fate.kind for node, fate in engine.fates.items()}
        assert fates["n0"] is FateKind.FOLDED  # Constant
        assert fates["n9"] in {FateKind.REMOVED, FateKind.ALONE}  # nobody reads it, yet some engines run it
        assert fates["n2"] in WITH_LAYERS  # MatMul
        assert fates["n10"] in WITH_LAYERS  # Softmax
        assert fates["n7"] in {FateKind.ABSORBED, FateKind.ALONE}  # Identity

    def test_names_of_tensors_that_look_like_ids_mislead_nobody(self, built: Built) -> None:
        _, engine, _ = built("misleading")
        places = [[layer for layer in engine.fates[node].layers if _computes(engine, layer)] for node in ("n0", "n2")]
        assert [len(where) for where in places] == [1, 1]  # each Conv runs once
        assert places[0] != places[1]
        assert engine.fates["n3"].layers[0] not in places[0]  # the Sigmoid stands behind the second one

    # running ----------------------------------------------------------------------------------------------------

    def test_outputs_equal_the_reference(self, built: Built, name: str) -> None:
        if not (self.computes and self.runs_here):
            pytest.skip("does not compute here")
        model, engine, _ = built(name)
        with engine.runner() as runner:
            for seed in (1, 2):  # a second feed: nothing of the first may stay behind
                feed = opening.feed_of(model, seed)
                found = runner.infer(feed)
                expected = opening.reference(model, feed)
                assert set(found) == set(expected)
                for output, right in expected.items():
                    assert found[output].shape == right.shape
                    assert opening.sqnr_db(right, found[output]) > self.least_sqnr_db

    def test_outputs_stay_valid_after_the_next_inference(self, built: Built) -> None:
        if not (self.computes and self.runs_here):
            pytest.skip("does not compute here")
        model, engine, _ = built("residual")
        with engine.runner() as runner:
            first = runner.infer(opening.feed_of(model, 1))
            kept = {output: array.copy() for output, array in first.items()}
            runner.infer(opening.feed_of(model, 2))
            for output, array in kept.items():
                np.testing.assert_array_equal(first[output], array)

    def test_a_feed_that_does_not_fit_is_refused_with_the_inputs_name(self, built: Built) -> None:
        if not (self.computes and self.runs_here):
            pytest.skip("does not compute here")
        model, engine, _ = built("residual")
        good = opening.feed_of(model)["x"]
        with engine.runner() as runner:
            for feed in ({}, {"x": good[:, :1]}, {"x": good.astype(np.int32)}):
                with pytest.raises(WorkbenchError, match="'x'"):
                    runner.infer(feed)
            wide = runner.infer({"x": good.astype(np.float64)})
            np.testing.assert_array_equal(wide["y, out/0"], runner.infer({"x": good})["y, out/0"])

    def test_one_latency_is_positive_milliseconds(self, built: Built, name: str) -> None:
        if not self.runs_here:
            pytest.skip("does not run here")
        model, engine, _ = built(name)
        with engine.runner() as runner:
            feed = opening.feed_of(model)
            times = [runner.time(feed) for _ in range(5)]
        assert all(0 < ms < 60_000 for ms in times)

    def test_layer_times_name_layers(self, built: Built, name: str) -> None:
        if not self.runs_here:
            pytest.skip("does not run here")
        model, engine, _ = built(name)
        feed = opening.feed_of(model)
        with engine.runner(layers=True) as runner:
            for _ in range(20):
                runner.time(feed)
            times = runner.layer_times()
        assert times
        assert set(times) <= {layer.id for layer in engine.graph.walk()}
        assert all(ms >= 0 for ms in times.values())

    def test_where_it_cannot_run_the_runner_refuses_with_a_reason_and_a_hint(self, built: Built) -> None:
        if self.runs_here:
            pytest.skip("runs here")
        _, engine, _ = built("residual")
        with pytest.raises(WorkbenchError) as caught:
            engine.runner()
        assert caught.value.message
        assert caught.value.hint

    # refusing ---------------------------------------------------------------------------------------------------

    def test_a_refused_model_is_named_by_op_in_verdict_and_build(self, backend: Backend, tmp_path: Path) -> None:
        if not self.refused:
            pytest.skip("takes everything")
        model = opening.opened(self.refused, tmp_path)
        op = model.graph.layers[0].op
        verdict = backend.verdict(model)
        assert not verdict.accepted
        assert op in verdict.reason
        assert set(verdict.nodes) == {"n0"}
        with pytest.raises(WorkbenchError) as caught:
            self.build(backend, self.refused, tmp_path)
        assert op in caught.value.message
        assert caught.value.hint


def _computes(engine: Engine, layer: str) -> bool:
    return next(each for each in engine.graph.layers if each.id == layer).kind is LayerKind.COMPUTE


def _essence(layer: Layer) -> tuple[object, ...]:
    return (layer.id, layer.op, layer.kind, layer.precision, layer.sources, layer.sources_exact)
