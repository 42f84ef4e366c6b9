"""The settings dialog, made from the table of settings."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDoubleSpinBox, QFormLayout, QHBoxLayout, QSpinBox, QWidget

from workbench.session.settings import SETTINGS, Setting, Settings
from workbench.views.widgets import Line, Words, inset, tip

EDITOR_WIDTH = 120


class SettingsDialog(QDialog):
    """Every change counts at once; nothing to confirm."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(900)
        self._settings = settings
        self.editors: dict[str, QWidget] = {}
        form = QFormLayout(self)
        form.setContentsMargins(20, 18, 20, 18)
        form.setVerticalSpacing(10)
        form.setHorizontalSpacing(16)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for setting in SETTINGS:
            if setting.title:
                editor = self.editors[setting.id] = self._editor(setting)
                editor.setToolTip(tip(setting.summary))
                editor.setAccessibleName(setting.title)
                editor.setFixedWidth(EDITOR_WIDTH)
                row = QHBoxLayout()
                row.setSpacing(16)
                row.addWidget(editor)
                row.addWidget(Line(Words(setting.summary, tone="soft"), px=12), 1)
                form.addRow(Line(Words(setting.title)), row)

    def _editor(self, setting: Setting) -> QWidget:
        value = self._settings.get(setting.id)
        if setting.choices:
            return self._choice(setting, value)
        if isinstance(setting.default, bool):
            box = QCheckBox()
            box.setChecked(value)
            box.toggled.connect(lambda on: self._settings.set(setting.id, on))
            return box
        spin = QSpinBox() if isinstance(setting.default, int) else QDoubleSpinBox()
        kind = type(setting.default)
        if isinstance(spin, QDoubleSpinBox):
            spin.setDecimals(1)
            spin.setSuffix(" s")
        spin.setRange(kind(setting.low), kind(min(setting.high, 2_000_000)))
        spin.setValue(value)
        inset(spin)
        spin.valueChanged.connect(lambda number: self._settings.set(setting.id, number))
        return spin

    def _choice(self, setting: Setting, value: str) -> QComboBox:
        combo = QComboBox()
        for key, words in setting.choices.items():
            combo.addItem(words, key)
        combo.setCurrentIndex(combo.findData(value))
        combo.activated.connect(lambda _index: self._settings.set(setting.id, combo.currentData()))
        return combo
