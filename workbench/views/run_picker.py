"""The head of an engine's pane: which run it is, and a menu of all that could stand there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QSizePolicy

from workbench.core.run import EngineGraph, Run
from workbench.core.titles import Titles
from workbench.core.words import plural
from workbench.session.baseline import stats_of
from workbench.session.words import milliseconds, verbal_status
from workbench.views.controls import DropButton
from workbench.views.guard import guarded
from workbench.views.theme import current
from workbench.views.widgets import Words, menu_item, paint_words, swatch_icon, words_width

NO_ENGINE = (
    "No engine yet.\nChoose a backend and a precision above, then Build (Ctrl+B):\nthe graph after fusion appears here."
)
BUILDING = "The engine is being built.\nIts graph appears here as soon as it is on disk."
NO_ENGINE_OF_RUN = "This run has no engine graph."
ARROW = 16  # pixels at the right
HEIGHT = 22  # as the chips beside it: both panes have their heads in one line


class RunPicker(DropButton):
    """A title that opens a menu. `runs` are offered, newest first; `chosen` is told the id of one."""

    def __init__(
        self,
        name: str,
        runs: Callable[[], Sequence[Run]],
        titles: Callable[[], Titles],
        chosen: Callable[[str], object],
    ) -> None:
        super().__init__(self._fill_runs, f"Run of {name}", "Another run of this model", 400)
        self._runs, self._titles = runs, titles
        self._chosen = chosen
        self._shown = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_run(self, run: Run | None, words: Words) -> None:
        self._shown = run.id if run is not None else ""
        self.setEnabled(bool(self._runs()))
        self.set_words(words)

    def _fill_runs(self, menu: QMenu) -> None:
        titles = self._titles()
        for run in self._runs():
            stats = stats_of(run)
            remark = milliseconds(stats.median_ms) if stats is not None else ""
            chosen = partial(self._chosen, run.id)
            item = menu_item(menu, titles.of(run), chosen, on=run.id == self._shown, remark=remark)
            item.setIcon(swatch_icon(run.config.plan.default))

    def sizeHint(self) -> QSize:
        return QSize(min(self._max, words_width(self.words()) + ARROW + 6), HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(84, HEIGHT)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        """A title as in the other pane; a frame only where it is about to be pressed."""
        theme = current()
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.isEnabled() and (self.underMouse() or self.hasFocus() or self.isDown()):
                painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.line), 1))
                painter.setBrush(QColor(theme.panel))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            words = self.words()
            room = self.rect().adjusted(4, 0, -ARROW - 2, 0)
            paint_words(painter, room, words)
            if self.isEnabled():
                x = min(room.x() + words_width(words) + 10.0, self.width() - ARROW / 2)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(theme.faint))
                y = self.height() / 2 - 1.5
                painter.drawPolygon([QPointF(x - 3.5, y), QPointF(x + 3.5, y), QPointF(x, y + 4.5)])


def engine_words(name: str, title: str, engine: EngineGraph | None) -> Words:
    """`Engine INT8 MSE · 100 layers`; without a run only the name."""
    if not title:
        return Words(name, bold=True)
    count = f" · {plural(len(engine.graph.layers), 'layer')}" if engine is not None else ""
    return Words(name, f"{title}{count}", bold=True)


def why_no_engine(run: Run | None, *, is_of_model: bool) -> str:
    """What stands in the place of an engine's graph: what would fill it, or why it stays empty."""
    if run is None:
        return NO_ENGINE
    if not is_of_model:
        return f"This run is of another model, {run.model_name}.\nOpen that model to see its graphs."
    if not run.status.is_final:
        return BUILDING
    if run.error is None:
        return f"{NO_ENGINE_OF_RUN}\nIt was {verbal_status(run) or 'made without one'}."
    return f"{NO_ENGINE_OF_RUN}\n{run.error.message}\n{run.error.hint}".strip()
