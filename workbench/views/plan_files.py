"""Opening, saving and copying the plan."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from workbench.core.errors import WorkbenchError
from workbench.session.plan_command import command_line
from workbench.session.session import Message, Session
from workbench.views.files import ask_for_file, ask_where_to_save
from workbench.views.widgets import menu_item

FILTERS = "Precision plan (*.toml);;All files (*)"


class PlanFiles:
    """What the menus of the panel and of the editor share. How it went is said in the banner."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        self._session = session
        self._parent = parent

    def fill(self, menu: QMenu) -> None:
        menu.addSeparator()
        menu_item(menu, "Open plan…", self.open)
        recent = menu.addMenu("Recent plans")
        paths = self._session.plan.saved.recent
        recent.setEnabled(bool(paths))
        for path in paths:
            menu_item(recent, Path(path).name, partial(self.load, path), remark=str(Path(path).parent))
        saved = self._session.plan.saved.path
        menu_item(menu, f"Save {saved.name}" if saved else "Save plan…", self.save)
        menu_item(menu, "Save plan as…", self.save_as)
        menu.addSeparator()
        menu_item(menu, "Copy as command", self.copy_command)
        menu_item(menu, "Copy as text", self.copy_text)

    def open(self) -> None:
        saved = self._session.plan.saved
        first = saved.path or (Path(saved.recent[0]) if saved.recent else self._beside_model())
        ask_for_file(self._parent, "Open a plan", FILTERS, self.load, str(first.parent))

    def load(self, path: str) -> None:
        def work() -> str:
            doubts = self._session.plan.load(Path(path))
            return f"The plan is that of {Path(path).name}. {doubts}".strip()

        self._do(work)

    def save(self) -> None:
        """To the file it came from; the first time one is asked for."""
        saved = self._session.plan.saved.path
        if saved is None:
            self.save_as()
        else:
            self.write(str(saved))

    def save_as(self) -> None:
        name = self._session.plan.saved.path or self._beside_model()
        ask_where_to_save(self._parent, "Save plan", str(name), FILTERS, self.write)

    def write(self, path: str) -> None:
        def work() -> str:
            self._session.plan.save(Path(path))
            return f"The plan is written to {path}."

        self._do(work)

    def _beside_model(self) -> Path:
        model = self._session.model
        return Path(model.path).with_suffix(".plan.toml") if model is not None else Path("plan.toml")

    def copy_command(self) -> None:
        """The exact line that builds what the window would build."""

        def work() -> str:
            line = command_line(self._session)
            QGuiApplication.clipboard().setText(line)
            return f"Copied: {line}"

        self._do(work)

    def copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self._session.plan.text)

    def _do(self, work: Callable[[], str]) -> None:
        try:
            said = work()
        except WorkbenchError as error:
            self._session.show_error(error)
        except OSError as error:
            self._session.show_error(WorkbenchError(f"This could not be written: {error}"))
        else:
            self._session.show(Message(said, is_error=False))
