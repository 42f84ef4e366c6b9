from __future__ import annotations

import pytest

from tests.pipeline.fusing import engine, fp32, int8, layer
from workbench.core.alignment import AlignedGroup, Change
from workbench.core.graph import Graph, LayerKind
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.pipeline.alignment import align
from workbench.pipeline.fusion_text import alignment_summary, alignment_table

MS_A = {"l0": 0.1, "l1": 1.0, "l2": 2.0, "l3": 0.5}
MS_B = {"l0": 0.2, "l1": 0.4, "l2": 0.6, "l3": 0.3, "l4": 0.5}


def group_of(groups: tuple[AlignedGroup, ...], layer_of_a: str) -> AlignedGroup:
    return next(group for group in groups if layer_of_a in group.a)


def test_every_layer_of_both_is_in_exactly_one_group() -> None:
    alignment = align(fp32(), int8())
    assert sorted(key for group in alignment.groups for key in group.a) == ["l0", "l1", "l2", "l3"]
    assert sorted(key for group in alignment.groups for key in group.b) == ["l0", "l1", "l2", "l3", "l4"]


def test_layers_are_aligned_through_their_nodes() -> None:
    groups = align(fp32(), int8()).groups
    conv, split, gemm = (group_of(groups, key) for key in ("l1", "l2", "l3"))
    assert conv.change is Change.SAME and conv.is_precision_changed and conv.is_tactic_changed
    assert split.change is Change.SPLIT and split.b == ("l2", "l3")
    assert split.words == "split into 2; FP32 → FP32/INT8"
    assert gemm.change is Change.SAME and gemm.words == "the same" and not gemm.is_precision_changed


def test_the_other_way_round_a_split_is_a_merge() -> None:
    groups = align(int8(), fp32()).groups
    assert group_of(groups, "l2").change is Change.MERGED
    assert group_of(groups, "l2").words.startswith("merged from 2")


def test_an_engine_aligned_with_itself_is_the_same() -> None:
    groups = align(int8(), int8()).groups
    assert {group.change for group in groups} == {Change.SAME} and {group.words for group in groups} == {"the same"}


def test_conversions_go_with_the_layer_they_serve() -> None:
    conv = group_of(align(fp32(), int8()).groups, "l1")
    assert conv.a == ("l0", "l1") and conv.b == ("l0", "l1") and conv.converting == (1, 1)
    none = engine(layer(1, "n0 n1 n2", "x", "c", title="Conv"), layer(3, "n3 n4 n5 n6 n7", "c", "y", title="Gemm"))
    fewer = group_of(align(fp32(), none).groups, "l1")
    assert "1 conversion less in B" in fewer.words


def test_times_are_summed_by_group_and_subtracted() -> None:
    alignment = align(fp32(), int8(), MS_A, MS_B)
    split = group_of(alignment.groups, "l2")
    assert (split.ms_a, split.ms_b) == pytest.approx((2.0, 0.9)) and split.difference_ms == pytest.approx(-1.1)
    whole = sum(group.difference_ms or 0.0 for group in alignment.groups)
    assert whole == pytest.approx(sum(MS_B.values()) - sum(MS_A.values()))


def test_an_engine_that_was_not_timed_gives_no_difference() -> None:
    alignment = align(fp32(), int8(), MS_A, {})
    assert alignment.total_b_ms is None
    assert all(group.difference_ms is None and group.ms_b is None for group in alignment.groups)


def test_a_view_ties_nobody_together() -> None:
    """n6 is absorbed into both of its neighbours, as a Concat in place is: they stay two groups."""
    absorbing = engine(
        layer(0, "n0 n1 n2 n3 n4 n5 n6", "x", "f", title="Conv"), layer(1, "n6 n7", "f", "y", title="Gemm")
    )
    assert len(align(absorbing, absorbing).groups) == 2


def test_a_layer_of_one_side_says_what_became_of_its_nodes_on_the_other() -> None:
    kept = engine(*fp32().graph.layers, layer(4, "n8", "q", "r", title="Cos"))
    (only,) = [group for group in align(kept, fp32()).groups if group.change is Change.ONLY_A]
    assert only.title == "Cos" and only.words.startswith("only in A")
    other = engine(layer(0, "n7", "f", "y", title="Gemm"))
    groups = align(fp32(), other).groups
    assert "there folded" in group_of(groups, "l2").words


def test_a_loose_conversion_says_what_it_does() -> None:
    loose = engine(layer(0, "", "x", "y", kind=LayerKind.REFORMAT), dtypes={"y": "int8"})
    (only,) = align(loose, EngineGraph(Graph("e"), {})).groups
    assert only.change is Change.ONLY_A and only.words == "only in A: quantizes FP32 to INT8"


def test_layers_cut_elsewhere_are_one_regrouped_group() -> None:
    a = engine(layer(0, "n0 n1", "x", "b", title="Conv"), layer(1, "n2 n3", "b", "d", title="Relu"))
    b = engine(layer(0, "n0", "x", "a", title="Conv"), layer(1, "n1 n2", "a", "c"), layer(2, "n3", "c", "d"))
    (group,) = align(a, b).groups
    assert group.change is Change.REGROUPED and group.words.startswith("2 layers regrouped into 3")


def test_layers_that_a_split_node_joins_are_the_same_where_they_are_cut_the_same() -> None:
    """An engine may spread one node over two layers: that is no difference where both engines do."""
    twice = engine(layer(0, "n0 n1", "x", "b", title="Conv"), layer(1, "n1 n2", "b", "c", title="Relu"))
    (group,) = align(twice, twice).groups
    assert group.change is Change.SAME and group.words == "the same" and len(group.a) == 2


def test_the_summary_counts_what_changed() -> None:
    said = alignment_summary(align(fp32(), int8(), MS_A, MS_B))
    assert said.startswith("3 groups: 2 same, 1 split; precision changed in 2; kernel in 2; layers 3.600 ms → 2.000 ms")


def test_the_table_leaves_out_times_nobody_has() -> None:
    timed, bare = (alignment_table(align(fp32(), int8(), *ms), "A", "B") for ms in ((MS_A, MS_B), ({}, {})))
    assert "time A" in timed and "time A" not in bare
    assert "FP32 → INT8" in bare


def test_precisions_stand_in_a_fixed_order() -> None:
    group = group_of(align(fp32(), int8()).groups, "l2")
    assert group.precisions_b == (Precision.FP32, Precision.INT8)
