"""Links lead both ways, whichever of the two sides names them: the fate of a node, or the sources of a layer."""

from __future__ import annotations

from tests.pipeline.fusing import layer
from tests.session.engines import model
from workbench.core.graph import Fate, FateKind, Graph
from workbench.core.run import EngineGraph
from workbench.session.selection import Links, Side


def links() -> Links:
    """n0 and l0 by both; l1 by its sources alone; n3 by its fate alone; l9 and n99 are nowhere."""
    layers = (layer(0, "n0", "x", "a"), layer(1, "n1 n2 n99", "a", "c"), layer(2, "", "c", "d"))
    fates = {
        "n0": Fate(FateKind.ALONE, ("l0",)),
        "n1": Fate(FateKind.FUSED),
        "n3": Fate(FateKind.SPLIT, ("l1", "l2", "l9")),
    }
    return Links(model(), EngineGraph(Graph("engine", layers, {}, ("x",), ("d",)), fates))


def test_what_only_a_fate_says_leads_both_ways() -> None:
    assert links().layers_of(["n3"]) == {"l1", "l2"}
    assert links().nodes_of(["l2"]) == {"n3"}


def test_what_only_the_sources_say_leads_both_ways() -> None:
    assert links().layers_of(["n1"]) == links().layers_of(["n2"]) == {"l1"}
    assert links().nodes_of(["l1"]) == {"n1", "n2", "n3"}


def test_a_selection_holds_known_ids_only_and_knows_where_it_was_made() -> None:
    chosen = links().by_layers(["l0", "l9"])
    assert (chosen.layers, chosen.nodes, chosen.chosen) == ({"l0"}, {"n0"}, Side.ENGINE)
    assert links().by_nodes(["n99"]).layers == frozenset()
