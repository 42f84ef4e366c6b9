"""Options of the chosen backend: those that do something here, what they are set to, and what they did in numbers."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QDialog, QGridLayout, QHBoxLayout, QScrollArea, QSpinBox, QVBoxLayout, QWidget

from workbench.core.options import Option
from workbench.session.actions import action
from workbench.session.session import Session
from workbench.views.widgets import Line, Words, button, connect_all, empty_label, soft_label, tip

SIZE = (720, 480)
EDITOR_WIDTH = 150
NONE = "This backend has no options that do something on this machine."
HINT = "Only options that do something here are listed. Try builds once with the default and once with the other value."
UNKNOWN = "not tried on this model"


class OptionRow(QWidget):
    """One option: title, editor, what it does, and its effect on the open model."""

    def __init__(self, session: Session, option: Option) -> None:
        super().__init__()
        self._options = session.options
        self.option = option
        self.editor = self._number() if option.is_number else self._choice()
        self.editor.setAccessibleName(option.title)
        self.editor.setToolTip(tip(option.text))
        self.editor.setFixedWidth(EDITOR_WIDTH)
        self.try_out = button("Try", "", "Builds with the default and with the other value, to see what it does")
        self.try_out.setAutoDefault(False)
        self.try_out.clicked.connect(lambda: self._options.try_out(option))
        self.effect = Line(px=12)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 1)
        grid.addWidget(Line(Words(option.title, bold=True)), 0, 0)
        grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.try_out, 0, 2)
        grid.addWidget(soft_label(option.text), 1, 0, 1, 3)
        grid.addWidget(self.effect, 2, 0, 1, 3)

    def _number(self) -> QWidget:
        field = QSpinBox()
        field.setRange(-1, self.option.most)
        field.setSpecialValueText("engine's choice")
        field.setSuffix(f" {self.option.unit}" if self.option.unit else "")
        field.setKeyboardTracking(False)
        field.valueChanged.connect(lambda value: self._options.set(self.option, "" if value < 0 else str(value)))
        return field

    def _choice(self) -> QWidget:
        combo = QComboBox()
        for value in self.option.values:
            words = value.replace("_", " ")
            combo.addItem(f"{words} (default)" if value == self.option.default else words, value)
        combo.activated.connect(lambda _index: self._options.set(self.option, combo.currentData()))
        return combo

    def refresh(self) -> None:
        value, effect = self._options.value(self.option), self._options.effect(self.option)
        self.editor.blockSignals(True)
        if isinstance(self.editor, QSpinBox):
            self.editor.setValue(int(value) if value.isdecimal() else -1)
        elif isinstance(self.editor, QComboBox):
            self.editor.setCurrentIndex(max(self.editor.findData(value), 0))
        self.editor.blockSignals(False)
        text = effect.sentence(self.option) if effect is not None else UNKNOWN
        self.effect.set_words(Words(text, tone="faint" if effect is None else "accent", tip=text))


class OptionsWindow(QDialog):
    """Never modal, and nothing to confirm: every edit counts at once and can be undone."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setWindowTitle("Backend options")
        self.resize(*SIZE)
        self.setMinimumSize(520, 280)
        self.rows: list[OptionRow] = []
        self.title = Line()
        self.undo, self.redo = button("Undo"), button("Redo")
        self.undo.clicked.connect(session.undo.undo)
        self.redo.clicked.connect(session.undo.redo)
        self.empty, self.hint = empty_label(NONE), soft_label(HINT)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 12, 0)
        head.addWidget(self.title, 1)
        for each in (self.undo, self.redo):
            each.setAutoDefault(False)
            head.addWidget(each)
        inner = QWidget()
        inner.setObjectName("panel")
        self._rows = QVBoxLayout(inner)
        self._rows.setContentsMargins(0, 0, 12, 0)
        self._rows.setSpacing(14)
        self._rows.addWidget(self.hint)
        self._rows.addWidget(self.empty)
        self._rows.addStretch(1)
        area = QScrollArea()
        area.setObjectName("panel")
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 4, 12)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(area, 1)
        for name, run in (("undo", session.undo.undo), ("redo", session.undo.redo)):
            for keys in action(name).shortcut.split(";"):
                QShortcut(QKeySequence(keys), self).activated.connect(run)
        connect_all((session.options.changed, session.undo.indexChanged), self.refresh)
        self.refresh()

    def refresh(self, _news: object = None) -> None:
        session, known = self._session, self._session.options.known
        if [row.option for row in self.rows] != list(known):
            self._make(known)
        for row in self.rows:
            row.refresh()
        info = session.backends.get(session.choices.backend)
        self.title.set_words(Words(info.title if info else "", info.version if info else "", bold=True))
        self.empty.setVisible(not known)
        self.hint.setVisible(bool(known))
        self.undo.setEnabled(session.can_undo)
        self.redo.setEnabled(session.can_redo)
        if session.model is None:
            self.close()

    def _make(self, known: tuple[Option, ...]) -> None:
        for row in self.rows:
            row.hide()
            self._rows.removeWidget(row)
            row.deleteLater()
        self.rows = [OptionRow(self._session, option) for option in known]
        for index, row in enumerate(self.rows):
            self._rows.insertWidget(1 + index, row)


class OptionsEditor:
    """`show` is the action's: one window, made when it is asked for first."""

    def __init__(self, session: Session, window: QWidget) -> None:
        self._session, self._window = session, window
        self.window: OptionsWindow | None = None

    def show(self) -> None:
        if self.window is None:
            self.window = OptionsWindow(self._session, self._window)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
