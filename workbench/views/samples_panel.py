"""The sample sets: which are chosen, what is in them, and how pictures become tensors."""

from __future__ import annotations

from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from workbench.core.errors import WorkbenchError
from workbench.core.recipe import Task, TaskKind
from workbench.core.words import plural
from workbench.session.choices import samples_words
from workbench.session.questions import SamplesInfo
from workbench.session.session import Session
from workbench.views.controls import DropButton
from workbench.views.guard import guarded
from workbench.views.preprocess_editor import PreprocessEditor
from workbench.views.sample_menu import choose_samples, fill_sample_menu
from workbench.views.widgets import Head, Line, Words, soft_label

EMPTY = {
    "calibration": "INT8 needs samples to find ranges. Choose a set, or drop a folder or .npz here.",
    "evaluation": "With labelled samples the task's accuracy is checked; without any, only outputs on noise.",
}


class SampleSetPanel(QWidget):
    """One role: the chosen set, its figures, and a place to drop another."""

    def __init__(self, session: Session, role: str) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self._session = session
        self._role = role
        self.choose = DropButton(lambda menu: self._fill(menu), role, f"Choose the {role} set", 130)
        self.choose.set_words(Words("choose", tone="soft"))
        self.choose.setFixedHeight(24)
        self.line = Line()
        self.details = soft_label()
        head = QHBoxLayout()
        head.addWidget(Head(role), 1)
        head.addWidget(self.choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.line)
        column.addWidget(self.details)
        for signal in (session.choices_changed, session.samples_changed, session.model_changed):
            signal.connect(self._show)
        self._show()

    def _fill(self, menu: QMenu) -> None:
        fill_sample_menu(menu, self._session, self._role, self)

    def _show(self, _news: object = None) -> None:
        source = getattr(self._session.choices, self._role)
        self.choose.setEnabled(self._session.has_model)
        if not source:
            self.line.set_words(Words("none chosen", tone="soft"))
            self.details.setText(EMPTY[self._role])
            return
        info = self._session.preview(source)
        if isinstance(info, SamplesInfo):
            self.line.set_words(Words(samples_words(source), f"{info.size:,} samples", tip=source))
            self.details.setText(details(info, self._session.choices.recipe.task))
        elif isinstance(info, WorkbenchError):
            self.line.set_words(Words(samples_words(source), tone="bad", tip=source))
            self.details.setText(f"{info.message} {info.hint}".strip())
        else:
            self.line.set_words(Words(samples_words(source), "reading…", tip=source))
            self.details.setText("")

    @guarded
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        if self._session.has_model and len(paths) == 1 and not paths[0].endswith(".onnx"):
            event.acceptProposedAction()

    @guarded
    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        choose_samples(self._session, self._role, event.mimeData().urls()[0].toLocalFile())


def details(info: SamplesInfo, task: Task | None) -> str:
    """Labels, the first sample's tensors and warnings, a line each."""
    lines = []
    if info.is_random:
        lines.append("RANDOM values: errors say something, accuracy says nothing.")
    if info.classes:
        lines.append(labels_words(info, task))
    lines += info.first[:3]
    lines += [f"⚠ {text}" for text in info.warnings[:3]]
    return "\n".join(lines)


def labels_words(info: SamplesInfo, task: Task | None) -> str:
    """`10 classes: T-shirt/top, Trouser, Pullover …`; of texts one as an example. Class numbers become their names."""
    if task is not None and task.kind is TaskKind.TEXT_LINES:
        return f"labelled with text, such as “{info.labels[0]}”"
    names = [_class_name(label, task) for label in info.labels]
    return f"{plural(info.classes, 'class')}: {', '.join(names[:3])}{' …' if info.classes > 3 else ''}"


def _class_name(label: str, task: Task | None) -> str:
    names = task.labels if task is not None else ()
    return names[int(label)] if label.isdecimal() and int(label) < len(names) else label


class SamplesPanel(QWidget):
    """Calibration, evaluation and preprocessing below each other."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        self.calibration = SampleSetPanel(session, "calibration")
        self.evaluation = SampleSetPanel(session, "evaluation")
        self.preprocess = PreprocessEditor(session)
        column.addWidget(self.calibration)
        column.addWidget(self.evaluation)
        column.addWidget(self.preprocess)
