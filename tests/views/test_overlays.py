"""What is laid over the graphs: values by id from what is known, and the strip of chips that chooses."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from workbench.core.costs import Cost
from workbench.core.graph import Fate, FateKind, Graph, Layer, LayerKind, Tensor
from workbench.core.layer_errors import CheckedTensor, LayerErrors, LayerFigures, TensorError
from workbench.core.model import Model, TensorSpec
from workbench.core.precision import Precision
from workbench.core.run import EngineGraph
from workbench.core.theme import LIGHT
from workbench.session.selection import Links
from workbench.views.canvas.heat import Heat, Kinds
from workbench.views.overlay_bar import OverlayBar
from workbench.views.overlays import (
    ENGINE_OVERLAYS,
    NO_TIMES,
    SOURCE_OVERLAYS,
    Facts,
    TimeShares,
    asked_stripes,
    reasons,
)


def errors(introduced: dict[str, float]) -> LayerErrors:
    """All outputs checked; what is inherited is 50 dB everywhere."""
    figures = []
    for db in introduced.values():
        own, inherited = TensorError(1.0, db, 0.1), TensorError(1.0, 50.0, 0.1)
        figures.append(LayerFigures(8, own, own, inherited))
    tensors = tuple(CheckedTensor(f"t_{node}", node, (node,), "Conv") for node in introduced)
    return LayerErrors("lines", 8, 8, tensors, tuple(figures))


@pytest.fixture
def facts() -> Facts:
    """Conv and Relu fused into l0, a Reshape without a kernel, a Gemm split into l1 and l2."""
    nodes = tuple(Layer(f"n{i}", f"node_{i}", op) for i, op in enumerate(("Conv", "Relu", "Reshape", "Gemm")))
    layers = (
        Layer("l0", "", "Convolution", (), ("a",), Precision.INT8, ("n0", "n1")),
        Layer("l1", "", "Gemm", (), (), Precision.FP16, ("n3",)),
        Layer("l2", "", "Gemm", (), (), Precision.FP16, ("n3",)),
        Layer("l3", "", "Reorder", (), ("a",), None, (), kind=LayerKind.REFORMAT),
    )
    engine = EngineGraph(
        Graph("e", layers, {"a": Tensor("a", (2, 4), "float32", 32)}),
        {
            "n0": Fate(FateKind.FUSED, ("l0",)),
            "n1": Fate(FateKind.FUSED, ("l0",)),
            "n2": Fate(FateKind.ABSORBED),
            "n3": Fate(FateKind.SPLIT, ("l1", "l2")),
        },
    )
    model = Model("m", Graph("m", nodes), 17, 10, "", 0, 0, 0, "", (TensorSpec("x", "float32", (1,)),), (), {})
    links = Links(model, engine)
    return Facts(
        links,
        LIGHT,
        engine,
        asked={"n0": Precision.INT8},
        layer_ms={"l0": 2.0, "l1": 1.0, "l2": 1.0},
        shares=TimeShares(links),
        costs={"n0": Cost(1000, 27), "n1": Cost(10), "n3": Cost(600, 40)},
        errors=errors({"n0": 20.0, "n1": 35.0}),
    )


def source(key: str, facts: Facts) -> Heat | Kinds | None:
    make = SOURCE_OVERLAYS[key].source
    assert make is not None
    return make(facts)


def engine(key: str, facts: Facts) -> Heat | Kinds | None:
    make = ENGINE_OVERLAYS[key].engine
    assert make is not None
    return make(facts)


def values(overlay: Heat | Kinds | None) -> dict[str, object]:
    assert overlay is not None
    return dict(overlay.values)


def test_times_of_a_layer_are_shared_among_its_nodes(facts: Facts) -> None:
    assert values(source("time", facts)) == {"n0": 1.0, "n1": 1.0, "n3": 2.0}
    assert values(engine("time", facts)) == facts.layer_ms


def test_labels_tell_the_share_before_or_behind_the_time(facts: Facts) -> None:
    time, share = engine("time", facts), engine("share", facts)
    assert isinstance(time, Heat) and time.words(1.0) == "1.00 ms · 25.0 %"
    assert isinstance(share, Heat) and share.words(1.0) == "25.0 % · 1.00 ms"


def test_costs_of_a_layer_are_those_of_its_nodes(facts: Facts) -> None:
    assert values(source("flops", facts)) == {"n0": 1000.0, "n1": 10.0, "n3": 600.0}
    assert values(engine("flops", facts)) == {"l0": 1010.0, "l1": 300.0, "l2": 300.0}
    assert values(engine("parameters", facts)) == {"l0": 27.0, "l1": 20.0, "l2": 20.0}
    assert values(engine("memory", facts)) == {"l0": 32.0, "l1": 0.0, "l2": 0.0, "l3": 32.0}


def test_the_worst_error_of_its_nodes_is_a_layers_error(facts: Facts) -> None:
    assert values(engine("introduced", facts)) == {"l0": 20.0}
    assert values(engine("inherited", facts)) == {"l0": 50.0}


def test_every_kind_has_a_colour(facts: Facts) -> None:
    fates = source("fate", facts)
    assert isinstance(fates, Kinds) and fates.values["n2"] == "absorbed"
    assert set(fates.values.values()) <= set(fates.colors)
    assert values(engine("precision", facts)) == {"l0": "INT8", "l1": "FP16", "l2": "FP16"}
    assert asked_stripes(facts) == {"n0": LIGHT.precision[Precision.INT8]}


def test_what_has_no_values_says_why(facts: Facts) -> None:
    empty = Facts(Links(None, None), LIGHT, costs_problem="It cannot be counted.")
    assert all(source(key, empty) is None for key in SOURCE_OVERLAYS)
    said = reasons(SOURCE_OVERLAYS.values(), empty, is_engine=False)
    assert said["time"] == NO_TIMES and said["flops"] == "It cannot be counted."
    assert said["fate"] and said["introduced"]
    assert not reasons(ENGINE_OVERLAYS.values(), facts, is_engine=True)["memory"]


def test_chips_give_way_to_the_menu_where_there_is_no_room(qtbot: QtBot) -> None:
    bar = OverlayBar(SOURCE_OVERLAYS, "precision")
    qtbot.addWidget(bar)
    bar.show()
    for width in (600, 300, 150, 110):
        bar.resize(width, 24)
        QApplication.processEvents()
        shown = [chip for chip in bar.chips.values() if chip.isVisible()]
        parts = [*shown, bar.more]
        assert all(part.width() >= part.sizeHint().width() for part in parts)
        assert parts[-1].geometry().right() < width
        assert all(a.geometry().right() < b.geometry().left() for a, b in pairwise(parts))
    assert not shown and bar.more.text() == "precision ▾"


def test_the_menu_offers_all_and_greys_out_with_a_reason(qtbot: QtBot, facts: Facts) -> None:
    bar = OverlayBar(ENGINE_OVERLAYS, ["not", "a", "name"])
    qtbot.addWidget(bar)
    bar.show()
    assert bar.current == "time"
    unknown = Facts(facts.links, LIGHT, costs_problem="It cannot be counted.")
    bar.set_reasons(reasons(ENGINE_OVERLAYS.values(), unknown, is_engine=True))
    QTest.keyClick(bar.more, Qt.Key.Key_Space)
    assert bar.menu.isVisible() and len(bar.menu.actions()) == len(ENGINE_OVERLAYS)
    flops = next(action for action in bar.menu.actions() if action.text().startswith("FLOPs"))
    precision = next(action for action in bar.menu.actions() if action.text() == "precision")
    assert not flops.isEnabled()
    bar.menu.setActiveAction(precision)
    with qtbot.waitSignal(bar.chosen) as heard:
        QTest.keyClick(bar.menu, Qt.Key.Key_Return)
    assert heard.args == ["precision"] and bar.current == "precision"
