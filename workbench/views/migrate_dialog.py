"""Paste a trtexec 10 command: what is gone in TensorRT 11, and what does the same."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from workbench.session.migrations import Migrations
from workbench.session.session import Session
from workbench.views.fonts import mono_font
from workbench.views.widgets import button, soft_label

EXAMPLE = "trtexec --onnx=model.onnx --int8 --fp16 --calib=model.cache --saveEngine=model.plan"
LINE_HEIGHT = 84


class MigrateDialog(QDialog):
    """Never modal. The answer follows the typing."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._migrations = Migrations(session)
        self.setWindowTitle("Migration check")
        self.resize(860, 620)
        self.line = QPlainTextEdit()
        self.line.setPlaceholderText(EXAMPLE)
        self.line.setFont(mono_font(12))
        self.line.setFixedHeight(LINE_HEIGHT)
        self.line.setTabChangesFocus(True)
        self.line.setAccessibleName("trtexec command")
        self.answer = QPlainTextEdit()
        self.answer.setReadOnly(True)
        self.answer.setFont(mono_font(12))
        self.answer.setAccessibleName("What is gone and what does the same")
        for part in (self.line, self.answer):
            part.setObjectName("field")
        self.use = button("Use this plan")
        self.copy = button("Copy", "primary")
        self._build()
        self.line.textChanged.connect(self._changed)
        self.use.clicked.connect(lambda: self._migrations.use_plan(self.line.toPlainText()))
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.answer.toPlainText()))
        session.model_changed.connect(self._changed)
        self._changed()

    def _build(self) -> None:
        close = button("Close")
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addStretch(1)
        for knob in (self.use, self.copy, close):
            row.addWidget(knob)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        hint = "TensorRT 11 took --fp16, --int8, --best, calibrators and layer precisions away."
        for each in (QLabel("Paste a trtexec 10 command"), soft_label(hint), self.line, self.answer):
            column.addWidget(each)
        column.addLayout(row)

    def _changed(self, _news: object = None) -> None:
        text, is_good = self._migrations.report(self.line.toPlainText())
        self.answer.setPlainText(text)
        self.copy.setEnabled(is_good)
        self.use.setEnabled(is_good and self._session.has_model)


class MigrationCheck:
    """`ask` is the action's."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self._session = session
        self._window = window

    def ask(self) -> MigrateDialog:
        dialog = MigrateDialog(self._session, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowModality(Qt.WindowModality.NonModal)
        dialog.show()
        return dialog
