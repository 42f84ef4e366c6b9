from __future__ import annotations

import msgspec
import pytest

from tests.pipeline.fusing import BYTES, engine, fp32, int8, layer, node, source
from workbench.core.graph import Fate, FateKind, Graph, LayerKind, Tensor
from workbench.core.ledger import Stop
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.pipeline.fusion_text import ledger_summary, ledger_table
from workbench.pipeline.ledger import fusion_ledger, saved_bytes

TIMES = {"l0": 0.1, "l1": 0.4, "l2": 0.3, "l3": 0.2}


def test_every_layer_is_a_row_with_its_time_and_share() -> None:
    ledger = fusion_ledger(source(), fp32(), TIMES)
    assert [row.layer for row in ledger.rows] == ["l0", "l1", "l2", "l3"]
    assert [row.share for row in ledger.rows] == pytest.approx([0.1, 0.4, 0.3, 0.2])
    assert ledger.rows[1].pattern == "Conv+BatchNormalization+Relu" and ledger.rows[1].sources == ("n0", "n1", "n2")
    untimed = fusion_ledger(source(), fp32())
    assert untimed.total_ms is None and all(row.ms is None and row.share is None for row in untimed.rows)


def test_tensors_that_stay_in_a_kernel_are_saved_twice_their_size() -> None:
    saved, unsized = saved_bytes(source(), fp32())
    # l1: a and b; l2: d and e, while c is read by two nodes of l2 but made in l1; l3: what Flatten gives is free anyway
    assert saved == {"l1": 2 * 2 * BYTES, "l2": 2 * 2 * BYTES} and unsized == 0


def test_saved_bytes_are_those_of_the_precision_that_ran() -> None:
    saved, _ = saved_bytes(source(), int8())
    assert saved == {"l1": 2 * 2 * BYTES // 4, "l2": 2 * BYTES // 4}


def test_what_has_no_size_is_counted_and_said() -> None:
    bare = msgspec.structs.replace(fp32(), sizes={})
    ledger = fusion_ledger(source(), bare)
    assert ledger.saved_bytes == 0 and ledger.unsized == 4
    some = msgspec.structs.replace(fp32(), sizes={"n0": (BYTES,)})
    assert "at least" in ledger_summary(fusion_ledger(source(), some))


def test_outputs_and_results_of_split_nodes_are_not_saved() -> None:
    graph = Graph("g", (node(0, "Conv", "x", "a"), node(1, "Relu", "a", "y")), {}, ("x",), ("a", "y"))
    whole = engine(layer(0, "n0 n1", "x", "a y", title="Conv+Relu"))
    assert saved_bytes(graph, whole) == ({}, 0)
    split = engine(layer(0, "n0", "x", "a", title="Conv"), layer(1, "n0 n1", "a", "y", title="Conv+Relu"))
    assert saved_bytes(msgspec.structs.replace(graph, outputs=("y",)), split) == ({}, 0)


def test_a_tensor_that_a_body_reads_leaves_the_kernel() -> None:
    body = Graph("body", (node(9, "Neg", "a", "z"),), {}, (), ("z",))
    nodes = (node(0, "Conv", "x", "a"), node(1, "Relu", "a", "c"), node(2, "If", "c", "y"))
    graph = Graph("g", nodes, {}, ("x",), ("y",), {"n2.then_branch": body})
    built = engine(layer(0, "n0 n1", "x", "a c", title="Conv+Relu"), layer(1, "n2", "c", "y", title="If"))
    assert saved_bytes(graph, built)[0] == {}


def test_what_is_computed_from_weights_alone_is_not_saved() -> None:
    """Engines name nodes that only prepare weights: those are computed once, whatever is fused."""
    nodes = (node(0, "Transpose", "w", "t"), node(1, "Cast", "t", "u"), node(2, "MatMul", "x u", "y"))
    graph = Graph("g", nodes, {"w": Tensor("w", (250,), "float32", constant=True)}, ("x",), ("y",))
    assert saved_bytes(graph, engine(layer(0, "n0 n1 n2", "x", "y", title="MatMul")))[0] == {}


def test_layers_that_run_no_node_are_added_and_say_what_they_do() -> None:
    ledger = fusion_ledger(source(), fp32())
    assert ledger.added == 1 and ledger.rows[0].is_added and ledger.rows[0].does
    quantizer = fusion_ledger(source(), int8()).rows[0]
    assert quantizer.is_added and quantizer.does == "quantizes FP32 to UINT8"


def test_a_conversion_of_the_model_itself_is_not_added() -> None:
    graph = Graph("g", (node(0, "Cast", "x", "a"), node(1, "Relu", "a", "y")), {}, ("x",), ("y",))
    built = engine(
        layer(0, "n0", "x", "a", kind=LayerKind.REFORMAT), layer(1, "n1", "a", "y", title="Relu"), dtypes={"x": "int8"}
    )
    assert fusion_ledger(graph, built).added == 0


def test_what_ends_fusion_is_said_where_the_graphs_show_it() -> None:
    stops = {row.layer: row.stop for row in fusion_ledger(source(), int8()).rows}
    assert stops == {
        "l0": Stop.NONE,  # it converts: nothing was to be fused with it
        "l1": Stop.READERS,
        "l2": Stop.PRECISION,
        "l3": Stop.UNKNOWN,
        "l4": Stop.OUTPUT,
    }
    whys = {row.layer: row.why for row in fusion_ledger(source(), int8()).rows}
    assert whys["l1"] == "2 layers read what it writes" and whys["l4"] == "it writes the output y"
    assert "FP32" in whys["l2"] and "INT8" in whys["l2"]


def test_an_op_that_this_engine_never_takes_in_is_named_with_its_count() -> None:
    graph = Graph("g", tuple(node(i, "Conv", f"t{i}", f"t{i + 1}") for i in range(3)), {}, ("t0",), ("t3",))
    layers = [layer(i, f"n{i}", f"t{i}", f"t{i + 1}", title="Conv") for i in range(3)]
    built = EngineGraph(
        Graph("e", tuple(layers), {}, ("t0",), ("t3",)), {f"n{i}": Fate(FateKind.ALONE) for i in range(3)}
    )
    first, *_ = fusion_ledger(graph, built).rows
    assert first.stop is Stop.NEVER and first.why.startswith("none of the 3 layers that begin with Conv")


def test_a_conversion_behind_a_layer_ends_its_fusion() -> None:
    built = engine(
        layer(0, "n0 n1 n2", "x", "c", title="Conv"),
        layer(1, "n3", "c", "c1", kind=LayerKind.REFORMAT),
        layer(2, "n3 n4 n5 n6 n7", "c1", "y", title="Conv"),
        dtypes={"c1": "int8"},
    )
    row = fusion_ledger(source(), built).rows[0]
    assert row.stop is Stop.CONVERSION and row.why == "the next layer quantizes FP32 to INT8"


def test_patterns_add_up_to_the_rows() -> None:
    ledger = fusion_ledger(source(), fp32(), TIMES)
    assert sum(row.count for row in ledger.patterns) == ledger.layers == 4
    assert sum(row.ms or 0 for row in ledger.patterns) == pytest.approx(ledger.total_ms)
    assert sum(row.saved_bytes for row in ledger.patterns) == ledger.saved_bytes == 8 * BYTES


def test_the_summary_is_one_sentence_with_an_estimate() -> None:
    said = ledger_summary(fusion_ledger(source(), fp32()))
    assert said == "8 nodes → 4 layers; 7 fused, 1 absorbed; 1 reformat layer added; 8 KiB saved ESTIMATE"


def test_the_text_of_the_ledger_has_a_line_for_each_layer() -> None:
    text = ledger_table(fusion_ledger(source(), int8(), {"l1": 1.0}))
    lines = text.splitlines()
    assert sum(line.startswith(("l0", "l1", "l2", "l3", "l4")) for line in lines) == 5
    assert "Conv+BatchNormalization" in text and Precision.INT8.label in text


def test_an_engine_without_layers_has_an_empty_ledger() -> None:
    ledger = fusion_ledger(source(), EngineGraph(Graph("e"), {}))
    assert ledger.rows == () and ledger.nodes == 8 and ledger_table(ledger)
