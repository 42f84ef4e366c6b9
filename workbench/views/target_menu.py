"""Several targets at once: a menu that stays open while they are ticked."""

from __future__ import annotations

from PySide6.QtGui import QAction, QMouseEvent
from PySide6.QtWidgets import QMenu

from workbench.core.dialect import How
from workbench.core.precision import Precision
from workbench.session.questions import BackendInfo
from workbench.session.session import Session
from workbench.views.guard import guarded

USUAL = (Precision.FP32, Precision.BF16, Precision.FP16, Precision.INT8)


class TickMenu(QMenu):
    """A click ticks an entry and leaves the menu as it is; a click beside it, or Escape, closes it."""

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        action = self.actionAt(event.position().toPoint())
        if action is not None and action.isEnabled() and action.isCheckable():
            action.trigger()
        else:
            super().mouseReleaseEvent(event)


def fill_several(menu: QMenu, session: Session) -> None:
    """Adds `Several targets` to the menu of targets."""
    several = TickMenu("Several targets", menu)
    several.setToolTipsVisible(True)
    info = session.backends.get(session.choices.backend)
    chosen = session.chosen_targets.chosen
    for name, words in (info.targets if info else {}).items():
        item = several.addAction(f"{words} · {name}")
        item.setCheckable(True)
        item.setChecked(name in chosen)
        item.triggered.connect(lambda _on=False, n=name, i=item: _toggle(session, n, i))
    several.addSeparator()
    apart = several.addAction("An engine for each")
    apart.setCheckable(True)
    apart.setChecked(session.choices.apart)
    apart.setToolTip("Off: one engine that runs on all of them")
    apart.triggered.connect(session.chosen_targets.set_apart)
    menu.addSeparator()
    menu.addMenu(several)


def _toggle(session: Session, target: str, item: QAction) -> None:
    session.chosen_targets.toggle(target)
    item.setChecked(target in session.chosen_targets.chosen)  # the last one stays


def offered(info: BackendInfo | None) -> tuple[Precision, ...]:
    """Precisions for the menu: the usual ones, and of a backend that builds for GPUs all that it can write."""
    if info is None or not info.targets or info.dialect is None:
        return USUAL
    return tuple(p for p in Precision if p is Precision.FP32 or info.dialect.how.get(p, How.NONE) is not How.NONE)
