"""The two typefaces that ship with the program, so that it looks the same everywhere."""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontDatabase

from workbench.resources import resource

TEXT_FAMILY = "Inter"
MONO_FAMILY = "JetBrains Mono"
TEXT_PX = 13


def load_fonts() -> None:
    """Registers the shipped faces with the application. Loading them twice costs nothing."""
    for path in sorted(resource("fonts").glob("*.ttf")):
        QFontDatabase.addApplicationFont(str(path))


def text_font(px: int = TEXT_PX, *, bold: bool = False, italic: bool = False) -> QFont:
    """Inter with tabular digits, so that figures stand below each other."""
    font = QFont([TEXT_FAMILY, "Noto Sans CJK SC", "Noto Sans"])
    font.setPixelSize(px)
    font.setItalic(italic)
    font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def mono_font(px: int = 12) -> QFont:
    """For names, shapes and kernels."""
    font = QFont([MONO_FAMILY, "Noto Sans Mono"])
    font.setPixelSize(px)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setFeature(QFont.Tag("calt"), 0)  # no ligatures in names
    return font


def head_font() -> QFont:
    """Section heads: small spaced capitals."""
    font = text_font(11, bold=True)
    font.setCapitalization(QFont.Capitalization.AllUppercase)
    font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0.7)
    return font
