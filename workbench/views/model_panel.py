"""The model: its file, its figures, its inputs with shapes that can be edited, its warnings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLineEdit, QVBoxLayout, QWidget

from workbench.core.model import Model, Shape, TensorSpec
from workbench.core.words import plural
from workbench.session.session import Session
from workbench.session.words import bytes_words, count_words, shape_words
from workbench.views.fonts import mono_font
from workbench.views.keyvalues import KeyValues
from workbench.views.toolbar import short_path
from workbench.views.widgets import Head, Line, Words, soft_label, tab_before, tip

WARNINGS_SHOWN = 4
_COUNT = re.compile(r"[1-9][0-9]{0,9}")
TIP = "One shape of each input, or ranges: min, opt and max of each free dimension"


class ModelPanel(QWidget):
    """Shapes of inputs with free dimensions are fields; an edit is one undoable choice."""

    profiles_asked = Signal()  # to see the editor of optimization profiles

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.fields: dict[str, QLineEdit] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(Head("Model"))
        self._facts = KeyValues()
        column.addWidget(self._facts)
        self._inputs = QFormLayout()
        self._inputs.setHorizontalSpacing(8)
        self._inputs.setVerticalSpacing(4)
        column.addLayout(self._inputs)
        self.profiles = Line(clickable=True)
        self.profiles.clicked.connect(self.profiles_asked)
        column.addWidget(self.profiles)
        self.problem = soft_label()
        self.problem.setProperty("tone", "bad")
        self.problem.hide()
        column.addWidget(self.problem)
        self._warnings = soft_label()
        column.addWidget(self._warnings)
        session.model_changed.connect(self._show)
        session.profiles.changed.connect(self._show_shapes)
        self._show()

    def _show(self, _model: object = None) -> None:
        model = self._session.model
        while self._inputs.rowCount():
            self._inputs.removeRow(0)
        self.fields = {}
        if model is None:
            self._facts.set_rows([])
            self._warnings.hide()
            return
        extra = model.all_nodes - model.top_level_nodes
        path = short_path(model.path)
        rows = [
            ("file", Words(path.rpartition("/")[2], tip=model.path)),
            ("nodes", Words(f"{model.top_level_nodes:,}", f"+ {extra:,} in bodies" if extra else "")),
            ("weights", _weights(model)),
            ("opset", Words(str(model.opset), model.producer)),
        ]
        rows += [
            (_title("input", spec, model.inputs), self._spec(spec)) for spec in model.inputs if not spec.is_dynamic
        ]
        rows += [(_title("output", spec, model.outputs), self._spec(spec)) for spec in model.outputs]
        self._facts.set_rows(rows)
        for spec in model.inputs:
            if spec.is_dynamic:
                self._add_field(spec)
        tab_before(self.profiles, self.fields.values())
        shown = list(model.warnings[:WARNINGS_SHOWN])
        if len(model.warnings) > WARNINGS_SHOWN:
            shown.append(f"… and {len(model.warnings) - WARNINGS_SHOWN} more")
        self._warnings.setVisible(bool(shown))
        self._warnings.setText("\n".join(f"⚠ {text}" for text in shown))
        self._show_shapes()

    def _spec(self, spec: TensorSpec) -> Words:
        return Words(
            shape_words(spec.shape),
            "" if spec.dtype == "float32" else spec.dtype,
            mono=True,
            tip=f"{spec.name} {shape_words(spec.shape)} {spec.dtype}",
        )

    def _add_field(self, spec: TensorSpec) -> None:
        field = QLineEdit()
        field.setFont(mono_font())
        declared = shape_words(spec.shape)
        field.setToolTip(tip(f"{spec.name} is declared as {declared}; the numbers here are what is built for"))
        field.setAccessibleName(f"Shape of {spec.name}")
        field.editingFinished.connect(lambda: self._edit(spec, field))
        self.fields[spec.name] = field
        model = self._session.model
        label = Line(Words(_title("input", spec, model.inputs if model else ()), tone="soft", tip=spec.name))
        label.setFixedWidth(self._facts.key_width)
        self._inputs.addRow(label, field)

    def _show_shapes(self, _choices: object = None) -> None:
        self.problem.hide()
        built_for, problem = self._session.profiles.words, self._session.profiles.problem
        self.profiles.set_words(
            Words(f"Built for {built_for}…", tone="bad" if problem else "accent", tip=problem or TIP)
        )
        self.profiles.setVisible(bool(self.fields))
        for name, field in self.fields.items():
            field.setText(shape_words(self._session.choices.shapes.get(name)))
            _mark(field, wrong=False)

    def _edit(self, spec: TensorSpec, field: QLineEdit) -> None:
        shape = parse_shape(field.text(), spec)
        _mark(field, wrong=shape is None)
        self.problem.setVisible(shape is None)
        if shape is None:
            self.problem.setText(f"{spec.name} needs {plural(len(spec.shape), 'number')}: {shape_words(spec.shape)}")
            return
        shapes = {**self._session.choices.shapes, spec.name: shape}
        self._session.choose(f"Shape of {spec.name}", shapes=shapes)
        field.clearFocus()  # or Ctrl+Z would stay with the field


def _weights(model: Model) -> Words:
    if not model.parameters:
        return Words("none", tone="faint")
    size, count = bytes_words(model.weights_bytes), count_words(model.parameters)
    return Words(size, count, tip=f"{model.parameters:,} values in {model.weights_bytes:,} bytes")


def _title(kind: str, spec: TensorSpec, among: Sequence[TensorSpec]) -> str:
    """`input x`; one whose name says no more, or an only one with a long name, is just `input`."""
    is_enough = spec.name == kind or (len(among) == 1 and len(spec.name) > 8)
    return kind if is_enough else f"{kind} {spec.name}"


def parse_shape(text: str, spec: TensorSpec) -> Shape | None:
    """`1x3x224x224`, `1×3×224×224` or `1, 3, 224, 224`; None where it does not fit what the model declares."""
    parts = [part for part in re.split(r"[x×,\s]+", text.strip().strip("[]()")) if part]
    if len(parts) != len(spec.shape) or not all(_COUNT.fullmatch(part) for part in parts):
        return None
    shape = tuple(int(part) for part in parts)
    fits = all(
        not isinstance(declared, int) or declared == dim for declared, dim in zip(spec.shape, shape, strict=True)
    )
    return shape if fits else None


def _mark(field: QLineEdit, *, wrong: bool) -> None:
    if bool(field.property("wrong")) != wrong:
        field.setProperty("wrong", wrong)
        field.style().unpolish(field)
        field.style().polish(field)
