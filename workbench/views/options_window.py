"""Options of the chosen backend: those that do something here, what they are set to, and what they did in numbers."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QGridLayout, QSpinBox, QWidget

from workbench.core.options import Option
from workbench.session.session import Session
from workbench.views.editor_window import EditorWindow
from workbench.views.widgets import Line, Words, button, connect_all, empty_label, soft_label, tip

SIZE = (720, 480)
EDITOR_WIDTH = 150
NONE = "This backend has no options that do something on this machine."
LOOKING = "Looking at this machine…"
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


class OptionsWindow(EditorWindow):
    """A row an option, of the backend that is chosen."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, "Backend options", parent, spacing=14)
        self.resize(*SIZE)
        self.setMinimumSize(520, 280)
        self.rows: list[OptionRow] = []
        self.empty, self.hint = empty_label(NONE), soft_label(HINT)
        self._rows.addWidget(self.hint)
        self._rows.addWidget(self.empty)
        self._rows.addStretch(1)
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
        self.empty.setText(NONE if session.backends else LOOKING)
        self.empty.setVisible(not known)
        self.hint.setVisible(bool(known))
        self._follow()

    def _make(self, known: tuple[Option, ...]) -> None:
        before, self.rows = self.rows, [OptionRow(self._session, option) for option in known]
        self._replace(before, self.rows)
