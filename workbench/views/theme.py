"""Light and dark: a palette and one stylesheet, both made from the table of named colours."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from workbench.core.theme import DARK, LIGHT, THEMES, Theme
from workbench.resources import resource

_PROPERTY = "workbench_theme"


def current() -> Theme:
    """The theme in force."""
    app = QApplication.instance()
    return THEMES.get(app.property(_PROPERTY) if app else "", LIGHT)


def resolve(choice: str) -> Theme:
    """The theme a setting means: `system` follows the desktop where it tells."""
    if choice in THEMES:
        return THEMES[choice]
    return DARK if QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Recolours everything that is on screen. Costs half a second in a full window: not done twice."""
    if app.property(_PROPERTY) == theme.name and app.styleSheet():
        return
    app.setProperty(_PROPERTY, theme.name)
    app.setPalette(palette(theme))
    app.setStyleSheet(stylesheet(theme))


def palette(theme: Theme) -> QPalette:
    roles = {
        QPalette.ColorRole.Window: theme.background,
        QPalette.ColorRole.WindowText: theme.text,
        QPalette.ColorRole.Base: theme.panel,
        QPalette.ColorRole.AlternateBase: theme.canvas,
        QPalette.ColorRole.Text: theme.text,
        QPalette.ColorRole.Button: theme.panel,
        QPalette.ColorRole.ButtonText: theme.text,
        QPalette.ColorRole.BrightText: theme.bad,
        QPalette.ColorRole.PlaceholderText: theme.faint,
        QPalette.ColorRole.Highlight: theme.accent,
        QPalette.ColorRole.HighlightedText: theme.panel,
        QPalette.ColorRole.Link: theme.accent,
        QPalette.ColorRole.ToolTipBase: theme.panel,
        QPalette.ColorRole.ToolTipText: theme.text,
        QPalette.ColorRole.Light: theme.panel,
        QPalette.ColorRole.Midlight: theme.line,
        QPalette.ColorRole.Mid: theme.line,
        QPalette.ColorRole.Dark: theme.soft,
        QPalette.ColorRole.Shadow: theme.line,
    }
    made = QPalette()
    for role, color in roles.items():
        made.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(theme.faint))
    return made


def stylesheet(theme: Theme) -> str:
    """Hairlines instead of boxes; what is painted by hand reads `current()` instead."""
    return _SHEET.format_map(
        {
            "background": theme.background,
            "panel": theme.panel,
            "canvas": theme.canvas,
            "line": theme.line,
            "text": theme.text,
            "soft": theme.soft,
            "faint": theme.faint,
            "accent": theme.accent,
            "on_accent": theme.panel,
            "ground": theme.accent_ground,
            "bad": theme.bad,
            "down": (resource("icons") / "down.svg").as_posix(),
            "check": (resource("icons") / "check.svg").as_posix(),
            "partial": (resource("icons") / "partial.svg").as_posix(),
        }
    )


_SHEET = """
QMainWindow, QDialog {{ background: {panel}; }}
QWidget#panel, QScrollArea#panel, QWidget#topbar, QWidget#statusbar {{ background: {panel}; }}
QWidget#canvas {{ background: {canvas}; }}
QWidget#topbar {{ border-bottom: 1px solid {line}; }}
QWidget#statusbar {{ border-top: 1px solid {line}; }}
QScrollArea {{ border: 0; background: transparent; }}
QSplitter::handle {{ background: {line}; }}
QMainWindow::separator {{ background: {line}; width: 1px; height: 1px; }}
QDockWidget {{ color: {soft}; }}
QDockWidget::title {{ background: {panel}; padding: 8px 14px 6px 14px; text-align: left; }}
QToolTip {{ background: {panel}; color: {text}; border: 1px solid {line}; padding: 5px 7px; }}
QMenu {{ background: {panel}; border: 1px solid {line}; padding: 5px; }}
QMenu::item {{ padding: 5px 28px 5px 12px; border-radius: 4px; }}
QMenu::item:selected {{ background: {ground}; color: {text}; }}
QMenu::item:disabled {{ color: {soft}; }}
QMenu::icon:checked {{ border: 1px solid {accent}; border-radius: 5px; background: {ground}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 5px 8px; }}
QMenu::icon {{ padding-left: 8px; }}
QPushButton {{ border: 1px solid {line}; border-radius: 6px; padding: 5px 11px; background: {panel}; color: {text}; }}
QPushButton:hover {{ border-color: {faint}; }}
QPushButton:focus {{ border-color: {accent}; }}
QPushButton:pressed {{ background: {ground}; }}
QPushButton:disabled {{ color: {faint}; }}
QPushButton[kind="primary"] {{ background: {accent}; border-color: {accent}; color: {on_accent}; font-weight: 600; }}
QPushButton[kind="primary"]:hover {{ border-color: {text}; }}
QPushButton[kind="primary"]:disabled {{ background: {line}; border-color: {line}; color: {faint}; }}
QPushButton[kind="link"] {{ border: 0; padding: 1px 2px; background: transparent; color: {accent}; }}
QPushButton[kind="link"]:hover, QPushButton[kind="link"]:focus {{ text-decoration: underline; }}
QPushButton[kind="link"]:disabled {{ color: {faint}; }}
QPushButton[kind="ghost"] {{ border: 0; padding: 1px 4px; background: transparent; color: {faint}; }}
QPushButton[kind="ghost"]:hover, QPushButton[kind="ghost"]:focus {{ color: {text}; }}
QPushButton[kind="title"] {{ border: 0; padding: 5px 6px; background: transparent; font-weight: 600;
  font-size: 14px; }}
QPushButton[kind="title"]:hover, QPushButton[kind="title"]:focus {{ color: {accent}; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ border: 1px solid {line}; border-radius: 6px; padding: 3px 7px;
  background: {panel}; color: {text}; selection-background-color: {accent}; selection-color: {on_accent};
  min-height: 18px; }}
QSpinBox QLineEdit, QDoubleSpinBox QLineEdit {{ border: 0; padding: 0; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border-color: {accent}; }}
QLineEdit[wrong="true"] {{ border-color: {bad}; color: {bad}; }}
QLineEdit:disabled, QSpinBox:disabled, QComboBox:disabled {{ color: {faint}; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button,
QDoubleSpinBox::down-button {{ width: 0; border: 0; }}
QComboBox::drop-down {{ border: 0; width: 16px; }}
QComboBox QAbstractItemView {{ background: {panel}; border: 1px solid {line}; selection-background-color: {ground};
  selection-color: {text}; outline: 0; }}
QComboBox::down-arrow {{ image: url("{down}"); width: 10px; height: 10px; }}
QTableView, QTreeView, QListView, QPlainTextEdit {{ border: 0; background: {panel}; color: {text}; outline: 0;
  selection-background-color: {ground}; selection-color: {text}; }}
QPlainTextEdit#field {{ border: 1px solid {line}; border-radius: 6px; padding: 4px; }}
QHeaderView {{ background: {panel}; border: 0; }}
QHeaderView::section {{ background: {panel}; color: {soft}; border: 0; border-bottom: 1px solid {line};
  padding: 4px 8px; }}
QTableCornerButton::section {{ background: {panel}; border: 0; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: 28px; }}
QScrollBar::handle:horizontal {{ min-width: 28px; }}
QScrollBar::handle:hover {{ background: {faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QCheckBox {{ spacing: 7px; }}
QCheckBox::indicator, QTreeView::indicator, QTableView::indicator {{
  width: 14px; height: 14px; border: 1px solid {faint}; border-radius: 4px; background: {panel}; }}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {accent}; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked, QTableView::indicator:checked {{ background: {accent};
  border-color: {accent}; image: url("{check}"); }}
QTreeView::indicator:indeterminate {{ background: {faint}; border-color: {faint}; image: url("{partial}"); }}
QWidget#banner {{ border-bottom: 1px solid {line}; background: {panel}; }}
QWidget#card {{ border: 1px solid {line}; border-radius: 8px; background: {panel}; }}
QWidget#card:hover, QWidget#card:focus {{ border-color: {accent}; }}
QLabel#empty {{ color: {soft}; background: transparent; }}
QLabel#soft {{ color: {soft}; background: transparent; }}
QLabel#soft[tone="bad"] {{ color: {bad}; }}
"""
