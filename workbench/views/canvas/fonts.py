"""The faces of the canvas and their widths; the system's families where the shipped ones are not loaded."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF, QStaticText, QTransform

MEASURED = [chr(code) for code in (*range(32, 127), *range(160, 384))] + list("×·…–→▸▾")
SANS, MONO = "Inter", "JetBrains Mono"


@lru_cache(maxsize=16)
def face(size: int, mono: bool = False, weight: int = 400) -> QFont:
    """`size` in px at zoom 1. Unhinted, so that text keeps its width at every zoom."""
    font = QFont([MONO, "DejaVu Sans Mono", "monospace"] if mono else [SANS, "Noto Sans CJK SC", "sans-serif"])
    font.setStyleHint(QFont.StyleHint.Monospace if mono else QFont.StyleHint.SansSerif)
    font.setPixelSize(size)
    font.setWeight(QFont.Weight(weight))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return font


OP, NAME, SMALL = (13, False), (10, True), (10, False)


@lru_cache(maxsize=16)
def metrics(size: int, mono: bool) -> QFontMetricsF:
    return QFontMetricsF(face(size, mono))


class Ruler:
    """Widths of texts in px at zoom 1: names are monospaced and small, everything else is an op.

    Made where Qt's fonts may be asked, it measures in any thread: by the advance of each character, without kerning;
    what it does not know counts as wide as high.
    """

    def __init__(self) -> None:
        self._advances = [_advances(OP), _advances(NAME)]

    def __call__(self, text: str, mono: bool) -> float:
        advances, wide = self._advances[mono], (NAME if mono else OP)[0]
        return sum(advances.get(char, wide) for char in text)


def _advances(kind: tuple[int, bool]) -> dict[str, float]:
    found = metrics(*kind)
    return {char: float(found.horizontalAdvance(char)) for char in MEASURED}


@lru_cache(maxsize=1)
def ruler() -> Ruler:
    return Ruler()


@lru_cache(maxsize=20_000)
def static_text(text: str, kind: tuple[int, bool], width: float) -> tuple[QStaticText, float, float]:
    """Elided in the middle to `width`, laid out once: the text, its width and its height in px at zoom 1."""
    shown = metrics(*kind).elidedText(text, Qt.TextElideMode.ElideMiddle, width)
    prepared = QStaticText(shown)
    prepared.setTextFormat(Qt.TextFormat.PlainText)
    prepared.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
    prepared.prepare(QTransform(), face(*kind))
    size = prepared.size()
    return prepared, float(size.width()), float(size.height())


def forget_fonts() -> None:
    """Call when families were added to the application: widths change."""
    for cache in (face, metrics, ruler, static_text):
        cache.cache_clear()
