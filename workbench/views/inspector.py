"""The inspector: what is selected, in words: kernel, precision asked and run, time and share, shapes, sources, fate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from PySide6.QtWidgets import QVBoxLayout, QWidget

from workbench.core.graph import Graph, Layer
from workbench.core.precision import Precision
from workbench.core.run import Run, Status
from workbench.core.tuning import options_words
from workbench.core.words import plural
from workbench.session.choices import plan_words
from workbench.session.selection import Side
from workbench.session.session import Session
from workbench.session.telling import layer_answer, node_answer
from workbench.session.theatre import build_words
from workbench.session.words import bytes_words, fate_words, milliseconds, node_label, shape_words
from workbench.views.inspector_rows import cost_rows, error_rows
from workbench.views.keyvalues import KeyValues
from workbench.views.widgets import Head, Line, Words, connect_all, soft_label, title_label

LINKS_SHOWN = 40
ATTRIBUTES_SHOWN = 24


class Inspector(QWidget):
    """Made anew at each selection from sections; small enough for that to be cheap."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._shown: list[Words] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        news = (session.selection_changed, session.engine_changed, session.choices_changed, session.current_changed)
        connect_all((*news, session.costs.changed), self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        self._clear()
        session, selection = self._session, self._session.selection
        layers = [session.links.layers[key] for key in selection.layers]
        nodes = [session.links.nodes[key] for key in selection.nodes]
        first = [session.pair.links.layers[key] for key in selection.first]
        if selection.chosen is Side.FIRST and len(first) == 1:
            self._layer(first[0], is_first=True)
        elif selection.chosen is Side.ENGINE and len(layers) == 1:
            self._layer(layers[0])
        elif selection.chosen is Side.SOURCE and len(nodes) == 1:
            self._node(nodes[0])
        elif selection:
            self._several(nodes, layers)
        elif session.current is not None:
            self._run(session.current)
        else:
            self._section("Selection")
            self._text("Click a node or a layer: its kernel, precision, time, shapes and origin appear here.")
        self._column.addStretch(1)

    def texts(self) -> list[str]:
        """Everything shown, for tests and for copying."""
        return [f"{words.main} {words.soft}".strip() for words in self._shown]

    # what it may show

    def _layer(self, layer: Layer, *, is_first: bool = False) -> None:
        """Of the current engine, or of the first of two."""
        session = self._session
        self._section("Layer" if not session.pair.is_on else "Layer of A" if is_first else "Layer of B")
        self._title(layer.heading, layer.name or layer.id)
        links, engine = (session.pair.links, session.pair.engine) if is_first else (session.links, session.engine)
        self._rows(
            [
                *([("type", Words(layer.op))] if layer.op != layer.heading else []),
                (
                    "kernel",
                    Words(layer.tactic or "not told", mono=bool(layer.tactic), tone="" if layer.tactic else "faint"),
                ),
                ("ran in", _precision(layer)),
                *([] if is_first else [("asked", self._asked(layer.sources))]),
                ("time", self._time([layer], session.pair.layer_ms if is_first else self._layer_ms())),
                *([] if is_first else error_rows(session, layer.sources)),
                *cost_rows(session, layer.sources),
                *_shapes(layer, engine.graph if engine else None),
                ("kind", Words(layer.kind.value)),
            ]
        )
        self._differences(layer, is_first=is_first)
        nodes = [links.nodes[key] for key in layer.sources if key in links.nodes]
        if not nodes or layer.id in links.added:
            self._section("Why it is there")
            self._text(layer_answer(layer, links, engine.graph if engine else Graph("")))
        if nodes:
            inferred = "" if layer.sources_exact else " (inferred)"
            words = f"Fused from {len(nodes)} nodes" if len(nodes) > 1 else "Made from"
            self._section(f"{'Serves' if layer.id in links.added else words}{inferred}")
        self._links(nodes, session.select_nodes)
        self._attributes(layer)

    def _node(self, node: Layer) -> None:
        session = self._session
        self._section("Node")
        self._title(node.op, node_label(node))
        fate = session.links.fates.get(node.id)
        layers = [session.links.layers[key] for key in session.links.layers_of([node.id])]
        others = len(session.links.nodes_of([layer.id for layer in layers])) - 1 if layers else 0
        self._rows(
            [
                ("fate", Words(fate_words(fate, others), tone="soft" if fate is None else "")),
                *self._plan_of(node.id),
                ("ran in", _ran(layers)),
                ("time", self._time(layers, self._layer_ms())),
                *error_rows(session, [node.id]),
                *cost_rows(session, [node.id]),
                *_shapes(node, session.model.graph if session.model else None),
                ("id", Words(node.id, mono=True, tone="soft")),
            ]
        )
        self._section("What became of it")
        self._text(node_answer(node, session.links))
        if layers:
            self._section("Became layer" if len(layers) == 1 else f"Went to {len(layers)} layers")
            self._links(layers, session.select_layers)
        self._attributes(node)

    def _several(self, nodes: list[Layer], layers: list[Layer]) -> None:
        self._section("Selection")
        self._title(f"{plural(len(nodes), 'node')}, {plural(len(layers), 'layer')}", "")
        ops = Counter(item.op for item in (nodes or layers))
        self._rows(
            [
                ("ops", Words(", ".join(f"{op} ×{count}" if count > 1 else op for op, count in ops.most_common(6)))),
                ("asked", self._asked([node.id for node in nodes])),
                ("ran in", _ran(layers)),
                ("time", self._time(layers, self._layer_ms())),
                *error_rows(self._session, [node.id for node in nodes]),
                *cost_rows(self._session, [node.id for node in nodes]),
            ]
        )
        if nodes:
            self._section("Nodes")
            self._links(nodes, self._session.select_nodes)
        if layers:
            self._section("Layers")
            self._links(layers, self._session.select_layers)

    def _run(self, run: Run) -> None:
        self._section("Run")
        self._title(self._session.runs.titles.of(run), "")
        build = run.build
        rows = [("plan", Words(plan_words(run.config.plan), swatch=run.config.plan.default))]
        if run.config.tuned:
            found = build.tuned if build is not None else {}
            rows.append(("tuned", Words(options_words(found), tip=f"tuned: {options_words(found)}")))
        if build is not None:
            ran = ", ".join(f"{count} {_label(name)}" for name, count in build.precisions.items())
            rows += [
                ("layers", Words(f"{build.layers:,}", f"from {build.source_nodes:,} nodes")),
                ("mapped", Words(f"{build.mapped:,}", f"of {build.source_nodes:,}, {build.mapped_exact:,} exactly")),
                ("ran in", Words(ran or "not told")),
            ]
            if run.imported:
                rows.append(("read from", Words(", ".join(run.imported), tip="\n".join(run.imported))))
            else:
                rows.append(("engine", Words(bytes_words(build.size_bytes), build_words(build))))
            rows += [(name, Words(bytes_words(size))) for name, size in build.memory.items()]
        if run.timing is not None and run.timing.layers:
            whole = run.timing.stats.median_ms if run.timing.stats else 0.0
            rows.append(("layer sum", Words(milliseconds(run.timing.layers_sum_ms), f"whole {milliseconds(whole)}")))
        self._rows(rows)
        if run.status is Status.FAILED and run.error is not None:
            self._section("Why it failed")
            self._text(run.error.message)
            self._text(run.error.hint)
        notes = [*(build.notes if build else ()), *(run.timing.warnings if run.timing else ())]
        notes += run.accuracy.warnings if run.accuracy else ()
        if notes:
            self._section("What to know")
            for note in notes:
                self._text(note)

    # parts

    def _asked(self, nodes: Iterable[str]) -> Words:
        session = self._session
        wanted = session.asked_of_run
        known = [node for node in nodes if node in wanted]
        asked = Counter(wanted[node] for node in known)
        if not asked:
            return Words("nothing", tone="faint")
        if len(asked) > 1:
            return Words(", ".join(f"{count} {precision.label}" for precision, count in asked.most_common()))
        precision = next(iter(asked))
        plan = session.current.config.plan if session.current else session.choices.plan
        reasons = Counter(session.plan.reason(node, plan) for node in known)
        if len(reasons) > 1:
            return Words(precision.label, f"by {len(reasons)} rules", swatch=precision)
        return _by(precision, next(iter(reasons)))

    def _plan_of(self, node: str) -> list[tuple[str, Words]]:
        """What was asked of a node and why; what the next build asks, where that is another; what is against it."""
        session = self._session
        plan = session.current.config.plan if session.current else session.choices.plan
        rows = [("asked", self._asked([node])), *_why(session.plan.reason(node, plan))]
        if session.asked.get(node) is not session.asked_of_run.get(node):
            reason = session.plan.reason(node)
            rows += [("next build", _by(session.asked[node], reason)), *_why(reason)]
        if limit := session.plan.limits.get(node):
            rows.append(("but", Words(limit, tone="bad")))
        return rows

    def _layer_ms(self) -> Mapping[str, float]:
        run = self._session.current
        return self._session.runs.layer_ms(run.id) if run else {}

    def _differences(self, layer: Layer, *, is_first: bool) -> None:
        """Where two engines stand side by side: what does the same work in the other, and what is different."""
        alignment = self._session.pair.alignment
        groups = alignment.groups if alignment is not None else ()
        group = next((group for group in groups if layer.id in (group.a if is_first else group.b)), None)
        if group is None:  # or another engine is on its way into the pane
            return
        rows = [("layers", Words(f"{len(group.a)} in A → {len(group.b)} in B"))]
        rows += [
            (name, Words(milliseconds(ms))) for name, ms in (("A", group.ms_a), ("B", group.ms_b)) if ms is not None
        ]
        if group.difference_ms is not None:
            sign = "−" if group.difference_ms < 0 else "+"
            tone = "good" if group.difference_ms < 0 else "bad" if group.difference_ms > 0 else ""
            rows.append(("B − A", Words(f"{sign}{milliseconds(abs(group.difference_ms))}", tone=tone)))
        self._section("A against B")
        self._rows(rows)
        self._text(f"{group.words[:1].upper()}{group.words[1:]}.")

    def _time(self, layers: list[Layer], times: Mapping[str, float]) -> Words:
        known = [times[layer.id] for layer in layers if layer.id in times]
        if not known:
            return Words("not measured", tone="faint")
        total = sum(times.values()) or 1.0
        return Words(
            milliseconds(sum(known)),
            f"{100 * sum(known) / total:.1f} %",
            tip=f"{sum(known):.4f} ms of {total:.4f} ms in all layers",
        )

    def _section(self, text: str) -> None:
        if self._column.count():
            self._column.addSpacing(12)
        self._column.addWidget(Head(text))

    def _title(self, op: str, name: str) -> None:
        self._shown.append(Words(op, bold=True))
        self._column.addWidget(title_label(op))
        if name:
            self._line(Line(Words(name, mono=True, tone="soft")))

    def _line(self, line: Line) -> None:
        self._shown.append(line.words)
        self._column.addWidget(line)

    def _rows(self, rows: list[tuple[str, Words]]) -> None:
        table = KeyValues(58)
        self._column.addWidget(table)  # first: what is shown without a parent is a window of its own
        table.set_rows(rows)
        self._shown += [part for key, words in rows for part in (Words(key), words)]

    def _text(self, text: str) -> None:
        if text:
            self._shown.append(Words(text))
            self._column.addWidget(soft_label(text))

    def _links(self, items: list[Layer], select: object) -> None:
        for item in items[:LINKS_SHOWN]:
            line = Line(Words(node_label(item), item.op, mono=True), clickable=True)
            line.clicked.connect(lambda key=item.id: select([key]))  # type: ignore[operator]
            self._line(line)
        if len(items) > LINKS_SHOWN:
            self._text(f"… and {len(items) - LINKS_SHOWN} more")

    def _attributes(self, layer: Layer) -> None:
        if not layer.attributes:
            return
        self._section("Attributes")
        rows = list(layer.attributes.items())[:ATTRIBUTES_SHOWN]
        self._rows([(key, Words(value, mono=True)) for key, value in rows])

    def _clear(self) -> None:
        self._shown.clear()
        while (item := self._column.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()


def _precision(layer: Layer) -> Words:
    if layer.precision is None:
        return Words("not told", tone="faint")
    return Words(layer.precision.label, swatch=layer.precision)


def _by(precision: Precision, reason: str) -> Words:
    """`FP16 by rule 2`, with what the rule selects as the tooltip."""
    short = reason.partition(":")[0]
    return Words(precision.label, f"by {short}", swatch=precision, tip=f"{precision.label} by {reason}")


def _why(reason: str) -> list[tuple[str, Words]]:
    """What the rule selects that decided; nothing where it was the default."""
    words = reason.partition(": ")[2]
    return [("why", Words(words, tone="soft", tip=reason))] if words else []


def _label(name: str) -> str:
    """`INT4 weights`; what is no precision of ours, such as `int32`, in capitals."""
    return Precision(name).label if name in set(Precision) else name.upper()


def _ran(layers: list[Layer]) -> Words:
    ran = Counter(layer.precision for layer in layers if layer.precision is not None)
    if len(ran) == 1:
        return _precision(layers[0])
    return Words(", ".join(f"{count} {precision.label}" for precision, count in ran.most_common()) or "—")


def _shapes(layer: Layer, graph: Graph | None) -> list[tuple[str, Words]]:
    """The layer's first inputs and outputs that are no constants."""
    tensors = graph.tensors if graph else {}
    rows = []
    for title, names, most in (("input", layer.inputs, 3), ("output", layer.outputs, 3)):
        known = [tensors[name] for name in names if name in tensors and not tensors[name].constant]
        for tensor in known[:most]:
            dtype = "" if tensor.dtype == "float32" else tensor.dtype
            rows.append((title, Words(shape_words(tensor.shape), dtype, mono=True, tip=tensor.name)))
    return rows
