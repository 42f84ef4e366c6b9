from __future__ import annotations

import pytest

from tests.pipeline.fusing import engine, fp32, int8, layer, source
from tests.session.engines import model
from workbench.core.graph import Fate, FateKind, Graph, LayerKind
from workbench.core.run import EngineGraph
from workbench.session.selection import Links
from workbench.session.telling import fate_badge, layer_answer, layer_badge, node_answer

LINKS, ENGINE = Links(model(), fp32()), fp32().graph


def became(fate: Fate) -> tuple[str, str]:
    """Badge and sentence of the first node with this fate."""
    links = Links(model(), EngineGraph(ENGINE, {"n0": fate}))
    return fate_badge(fate, links), node_answer(links.nodes["n0"], links)


def test_a_fused_node_names_its_layer_and_how_many_others() -> None:
    assert fate_badge(LINKS.fates["n0"], LINKS) == "→ Conv+BatchNormalization+Relu"
    assert node_answer(LINKS.nodes["n0"], LINKS) == "Fused into Conv+BatchNormalization+Relu, with 2 other nodes."


@pytest.mark.parametrize(
    ("fate", "badge", "words"),
    [
        (Fate(FateKind.ALONE, ("l3",)), "alone", "A layer of its own: Gemm"),
        (Fate(FateKind.SPLIT, ("l1", "l3")), "split → 2", "done by 2 layers"),
        (Fate(FateKind.FOLDED), "folded", "at build time"),
        (Fate(FateKind.ABSORBED, ("l3",)), "absorbed", "how Gemm reads or writes"),
        (Fate(FateKind.ABSORBED), "absorbed", "No kernel of its own"),
        (Fate(FateKind.REMOVED), "removed", "no output of the model needs it"),
        (Fate(FateKind.UNKNOWN), "unknown", "does not say"),
        (Fate(FateKind.FUSED), "fused", "does not say"),
    ],
)
def test_each_fate_has_a_badge_and_a_sentence(fate: Fate, badge: str, words: str) -> None:
    said = became(fate)
    assert said[0] == badge and words in said[1]


def test_what_is_inferred_is_seen_to_be() -> None:
    badge, sentence = became(Fate(FateKind.ALONE, ("l3",), exact=False))
    assert badge == "~alone" and sentence.endswith("Inferred: the engine does not name it.")


def test_without_an_engine_a_node_has_an_answer_too() -> None:
    links = Links(model(), None)
    assert "no engine yet" in node_answer(links.nodes["n0"], links)


def test_a_layer_names_its_nodes() -> None:
    assert layer_answer(LINKS.layers["l2"], LINKS, ENGINE) == "Runs Conv n3, Relu n4, Add n5."
    assert layer_badge(LINKS.layers["l2"], LINKS) == "3 nodes → 1"


def test_an_added_layer_says_what_it_does_and_between_whom_it_stands() -> None:
    said = layer_answer(LINKS.layers["l0"], LINKS, ENGINE)
    assert said.startswith("The compiler added this layer: it ") and said.endswith(
        "between the input x and Conv+BatchNormalization+Relu."
    )
    assert layer_badge(LINKS.layers["l0"], LINKS) == "added"


def test_a_conversion_for_a_node_says_for_which() -> None:
    links = Links(model(), int8())
    said = layer_answer(links.layers["l0"], links, int8().graph)
    assert "it quantizes FP32 to UINT8, for n0" in said and layer_badge(links.layers["l0"], links) == "added"


@pytest.mark.parametrize("kind", list(LayerKind))
def test_a_layer_of_any_kind_without_nodes_says_why_it_is_there(kind: LayerKind) -> None:
    lonely = engine(layer(0, "", "x", "y", kind=kind))
    links = Links(model(), lonely)
    said = layer_answer(links.layers["l0"], links, lonely.graph)
    assert said.endswith("between the input x and the output y.") and len(said) > 60


def test_neighbours_inside_a_body_are_found() -> None:
    body = Graph("b", (layer(1, "", "x", "q"), layer(2, "", "q", "r", kind=LayerKind.SYNC), layer(3, "", "r", "z")), {})
    whole = EngineGraph(Graph("g", (layer(0, "", "x", "y", title="If"),), {}, (), (), {"l0.then_branch": body}), {})
    links = Links(model(), whole)
    assert "between Reorder and Reorder" in layer_answer(links.layers["l2"], links, whole.graph)


def test_long_titles_do_not_make_long_badges() -> None:
    long = engine(layer(0, " ".join(n.id for n in source().layers), "x", "y", title="+".join(["Conv"] * 40)))
    links = Links(model(), long)
    assert len(fate_badge(links.fates["n0"], links)) < 36
