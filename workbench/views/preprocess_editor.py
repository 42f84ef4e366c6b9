"""How pictures become tensors, as a small form. Each field edited is one undoable choice, kept with the model."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any

import msgspec
from PySide6.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from workbench.core.recipe import Color, Fit, Layout, Preprocess
from workbench.session.session import Session
from workbench.views.widgets import Head, button, soft_label

SIDE_MOST = 1 << 14  # pixels of a picture
CHOICES: dict[str, type[StrEnum]] = {"layout": Layout, "color": Color, "fit": Fit}
NUMBERS = {
    "size": "Width × height in pixels",
    "scale": "Multiplies pixel values 0 to 255",
    "mean": "Subtracted after scaling; one number, or one per channel",
    "std": "Divided by, after the mean; one number, or one per channel",
}


class PreprocessEditor(QWidget):
    """Shown as text until the user asks to edit: most models come with the right one."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.fields: dict[str, QLineEdit] = {}
        self.combos: dict[str, QComboBox] = {}
        self.edit = button("edit", "link", "How pictures become the model's input")
        self.edit.setCheckable(True)
        self.edit.toggled.connect(self._toggle)
        head = QHBoxLayout()
        head.addWidget(Head("Preprocessing"), 1)
        head.addWidget(self.edit)
        self.summary = soft_label()
        self.form = QWidget()
        rows = QFormLayout(self.form)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setVerticalSpacing(4)
        for name, words in NUMBERS.items():
            field = self.fields[name] = QLineEdit()
            field.setToolTip(words)
            field.setAccessibleName(name)
            field.editingFinished.connect(lambda n=name: self._edit_number(n))
            rows.addRow(soft_label(name), field)
        for name, kind in CHOICES.items():
            combo = self.combos[name] = QComboBox()
            combo.addItems([member.value for member in kind])
            combo.setAccessibleName(name)
            combo.activated.connect(lambda _i, n=name: self._edit_choice(n))
            rows.addRow(soft_label(name), combo)
        self.form.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.summary)
        column.addWidget(self.form)
        session.choices_changed.connect(self._show)
        session.model_changed.connect(self._show)
        self._show()

    def _toggle(self, on: bool) -> None:
        self.form.setVisible(on)
        self.edit.setText("done" if on else "edit")

    def _show(self, _news: object = None) -> None:
        self.edit.setEnabled(self._session.has_model)
        now = self._session.choices.recipe.preprocess
        self.summary.setText(words(now) if now else "Pictures are not used by this model's sample sets.")
        shown = now or Preprocess()
        texts = {
            "size": f"{shown.width} × {shown.height}",
            "scale": f"{shown.scale:.8g}",
            "mean": numbers(shown.mean),
            "std": numbers(shown.std),
        }
        for name, text in texts.items():
            self.fields[name].setText(text)
        for name, combo in self.combos.items():
            combo.setCurrentText(getattr(shown, name).value)

    def _edit_number(self, name: str) -> None:
        fields = parse(name, self.fields[name].text())
        if fields is None:
            self._show()  # what cannot be read is put back
        else:
            self._change(name, fields)
            self.fields[name].clearFocus()  # or Ctrl+Z would stay with the field

    def _edit_choice(self, name: str) -> None:
        self._change(name, {name: CHOICES[name](self.combos[name].currentText())})

    def _change(self, name: str, fields: dict[str, Any]) -> None:
        recipe = self._session.choices.recipe
        before = recipe.preprocess or Preprocess()
        after = msgspec.structs.replace(before, **fields)
        if after != before:
            self._session.choose(f"Preprocessing {name}", recipe=msgspec.structs.replace(recipe, preprocess=after))


def parse(name: str, text: str) -> dict[str, Any] | None:
    """The fields a text stands for, or None where it cannot be read."""
    try:
        values = tuple(float(part) for part in text.replace("×", " ").replace("x", " ").replace(",", " ").split())
    except ValueError:
        return None
    if not all(map(math.isfinite, values)):
        return None
    if name == "size":
        ok = len(values) == 2 and all(1 <= value <= SIDE_MOST and value == int(value) for value in values)
        return {"width": int(values[0]), "height": int(values[1])} if ok else None
    if name == "scale":
        return {"scale": values[0]} if len(values) == 1 else None
    if not values or (name == "std" and 0.0 in values):
        return None
    return {name: values}


def numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in values)


def words(pre: Preprocess) -> str:
    """The recipe in two lines."""
    size = f"{pre.width}×{pre.height} {pre.color.value}, {pre.fit.value.replace('_', ' ')}, {pre.layout.value}"
    return f"{size}\n(pixel × {pre.scale:.4g} − {numbers(pre.mean)}) / {numbers(pre.std)}"
