"""Saving or copying a picture of a graph: whole or as it is seen, in which form and how sharp."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSizeF
from PySide6.QtWidgets import QComboBox, QDialog, QFormLayout, QHBoxLayout, QLabel, QWidget

from workbench.session.session import Message, Session
from workbench.views.canvas import GraphCanvas
from workbench.views.canvas.export import drawing_remark, image_remark, image_size, page_size
from workbench.views.files import ask_where_to_save
from workbench.views.saving import saved
from workbench.views.widgets import Line, Words, button, soft_label

PARTS = {"whole": "The whole graph", "view": "What is seen now"}
FORMS = {"svg": "SVG drawing", "png": "PNG picture", "pdf": "PDF page"}
SHARPNESS = {"1": "1×, as on the screen", "2": "2×", "4": "4×, for print"}
WIDTH = 420


class PictureDialog(QDialog):
    """Stays beside the graph; what is chosen is remembered. `name` is offered for the file, without a suffix."""

    def __init__(self, canvas: GraphCanvas, session: Session, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Save picture")
        self.setFixedWidth(WIDTH)
        self._canvas, self._session, self._name = canvas, session, name
        self.part, self.form, self.sharpness = self._choice("part", PARTS), self._choice("form", FORMS), QComboBox()
        self.sharpness = self._choice("sharpness", SHARPNESS, "2")
        self.extent = Line(px=12)
        self.remark = soft_label("")
        self.copy = button("Copy picture", "", "The picture into the clipboard")
        self.save = button("Save…", "primary")
        self.save.setDefault(True)
        self.copy.clicked.connect(self._copy)
        self.save.clicked.connect(self._save)
        self._lay_out()
        canvas.marks_changed.connect(self._tell)
        self._tell()

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(20, 18, 20, 16)
        form.setVerticalSpacing(8)
        form.setHorizontalSpacing(16)
        form.addRow(QLabel("Part"), self.part)
        form.addRow(QLabel("Form"), self.form)
        form.addRow(QLabel("Sharpness"), self.sharpness)
        form.addRow(QLabel("Size"), self.extent)
        form.addRow(self.remark)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addStretch(1)
        row.addWidget(self.copy)
        row.addWidget(self.save)
        form.addRow(row)

    def _choice(self, key: str, words: dict[str, str], default: str = "") -> QComboBox:
        combo = QComboBox()
        for value, text in words.items():
            combo.addItem(text, value)
        known = self._session.settings.get("picture").get(key, default)
        combo.setCurrentIndex(max(combo.findData(known), 0))
        combo.setAccessibleName(key.capitalize())
        combo.activated.connect(self._changed)
        return combo

    def _changed(self, _index: int = 0) -> None:
        boxes = {"part": self.part, "form": self.form, "sharpness": self.sharpness}
        self._session.settings.set("picture", {key: str(box.currentData()) for key, box in boxes.items()})
        self._tell()

    @property
    def is_whole(self) -> bool:
        return bool(self.part.currentData() == "whole")

    @property
    def times(self) -> float:
        return float(self.sharpness.currentData())

    def _tell(self) -> None:
        """How large it becomes, and what a limit takes away."""
        frame, is_png = self._canvas.export_frame(self.is_whole), self.form.currentData() == "png"
        self.sharpness.setEnabled(is_png)
        size = image_size(frame, self.times) if is_png else QSizeF(*page_size(frame)).toSize()
        self.extent.set_words(
            Words(f"{size.width():,} × {size.height():,}", "pixels" if is_png else "units, any sharpness")
        )
        remark = image_remark(frame, self.times) if is_png else drawing_remark(frame)
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark))
        self.adjustSize()

    def _copy(self) -> None:
        remark = self._canvas.copy_picture(self.is_whole, self.times)
        self._session.show(Message("The picture is in the clipboard.", remark, is_error=False))

    def _save(self) -> None:
        form = str(self.form.currentData())
        filters = f"{FORMS[form]} (*.{form})"
        ask_where_to_save(self, "Save picture", f"{self._name}.{form}", filters, self.write)

    def write(self, path: str) -> None:
        """To this file, in the form of its suffix; the banner says how it went."""
        remarks: list[str] = []

        def export() -> None:
            remarks.append(self._canvas.export(Path(path), self.is_whole, self.times))

        if saved(self._session, export, f"The picture is written to {path}."):
            if remarks[0]:
                self._session.show(Message(f"The picture is written to {path}.", remarks[0], is_error=False))
            self.close()
