"""The job on the stage in two lines: what it does, since when, for how long still, in how much memory."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workbench.session.session import Session
from workbench.session.theatre import Scene
from workbench.views.controls import Bar
from workbench.views.widgets import Line, Words, button


class BuildHead(QWidget):
    """A title with the phase, a bar, and a button that ends the job."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._job = ""
        self.title = Line(px=13)
        self.facts = Line(px=12)
        self.bar = Bar()
        self.cancel = button("Cancel", "", "End this job at once: its process is killed, nothing of it is left")
        self.cancel.setFixedHeight(26)
        self.cancel.clicked.connect(lambda: session.runs.cancel(self._job))
        across = QHBoxLayout()
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(10)
        across.addWidget(self.title, 1)
        across.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(across)
        column.addWidget(self.bar)
        column.addWidget(self.facts)

    def show_scene(self, scene: Scene) -> None:
        self._job = scene.job
        is_open = scene.job in self._session.runs.jobs
        tone = "accent" if scene.is_running else ""
        self.title.set_words(Words(scene.title, scene.headline, tone=tone, bold=True))
        self.cancel.setVisible(is_open)
        self.bar.setVisible(scene.is_running)
        self.bar.set_share(scene.share)
        self.facts.set_words(Words(facts(scene), tone="soft", tip=_tip(scene)))


def facts(scene: Scene) -> str:
    """`4.2 s · build about 12 s, from 3 earlier builds of this model · 412 MiB`"""
    seconds = f"{scene.elapsed_s:.1f} s" if scene.elapsed_s else ""
    expected = f"build {scene.expected.words}" if scene.expected is not None else ""
    return " · ".join(filter(None, (seconds, expected, scene.memory)))


def _tip(scene: Scene) -> str:
    if scene.expected is None:
        return facts(scene)
    return f"{facts(scene)}\nESTIMATE: the median of earlier builds; calibration and timing are not in it."
