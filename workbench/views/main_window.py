"""The window: bar, banner, welcome page or graphs with panels, charts and runs, status. Actions end here."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QInputDialog,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from workbench.core.titles import run_title
from workbench.session.baseline import BASELINE_LABEL
from workbench.session.search import GraphSearch
from workbench.session.session import Message, Session
from workbench.views import theme
from workbench.views.banner import Banner
from workbench.views.bottom import Bottom
from workbench.views.conditions import Conditions
from workbench.views.crash import versions
from workbench.views.drops import DropHint, dropped_model
from workbench.views.editor_window import OneWindow
from workbench.views.files import ask_for_file, ask_where_to_save
from workbench.views.guard import guarded
from workbench.views.imports import RunImport, dropped_files
from workbench.views.inspector import Inspector
from workbench.views.layouts import dock, splitter
from workbench.views.menus import fill_menu, make_actions, panels_menu, runs_menu, tint_actions, update_actions
from workbench.views.migrate_dialog import MigrationCheck
from workbench.views.model_panel import ModelPanel
from workbench.views.netron import NetronDock
from workbench.views.options_window import OptionsWindow
from workbench.views.palette import Palette
from workbench.views.panes import Panes
from workbench.views.plan_panel import PlanPanel
from workbench.views.profile_window import ProfileWindow
from workbench.views.samples_panel import SamplesPanel
from workbench.views.saving import saved
from workbench.views.search import Searching
from workbench.views.settings_dialog import SettingsDialog
from workbench.views.shortcuts import Shortcuts
from workbench.views.statusbar import StatusBar, window_words
from workbench.views.text_dialog import TextDialog
from workbench.views.toolbar import TopBar
from workbench.views.typed_export import TypedExport
from workbench.views.welcome import Opening, Welcome
from workbench.views.widgets import connect_all

DRAW_MS = 100  # charts draw at 10 Hz: more would disturb what is measured
LEFT, RIGHT, BOTTOM = 268, 272, 368
PAGES = "pages"  # of the cells at the bottom, among the sizes that are remembered


class MainWindow(QMainWindow):
    """Owns the views; all that is remembered or changed goes through the session."""

    def __init__(self, session: Session, *, remembers: bool = True) -> None:
        super().__init__()
        self.session = session
        self._remembers = remembers
        self.setWindowTitle("Workbench")
        self.setAcceptDrops(True)
        self.resize(1600, 1000)
        self.setMinimumSize(1080, 640)
        self.actions_by_id = make_actions(self, session)
        self._main_menu = QMenu(self)
        fill_menu(self._main_menu, self.actions_by_id)
        self._runs_menu = runs_menu(self, self.actions_by_id)
        self._told: frozenset[str] = frozenset()
        self._draw_timer = QTimer(self)
        self._draw_timer.setInterval(DRAW_MS)
        self._draw_timer.timeout.connect(self._draw_live)
        self._build()
        self._connect()
        if remembers:
            self._restore()
        self.apply_theme()
        self._refresh()

    def _build(self) -> None:
        session = self.session
        self.top = TopBar(session, self.actions_by_id, self._main_menu)
        self.banner = Banner(session)
        self.welcome = Welcome(session)
        self.opening = Opening(session)
        self.panes = Panes(session)
        self.model_panel, self.plan_panel, self.samples_panel = (
            ModelPanel(session),
            PlanPanel(session),
            SamplesPanel(session),
        )
        self.plan_panel.attach(self.panes)
        self.left = dock("Model, plan and samples", [self.model_panel, self.plan_panel, self.samples_panel])
        self.inspector = Inspector(session)
        self.right = dock("Inspector", [self.inspector])
        self.bottom = Bottom(session, self._runs_menu)
        panels = self.bottom.panel_actions()
        panels_menu(self._main_menu.addMenu("Panels"), panels)
        self.actions_by_id |= {key: action for cell in panels for key, action in cell.items()}
        self.middle = splitter(
            Qt.Orientation.Horizontal, [self.left, self.panes, self.right], [LEFT, 1060, RIGHT], [0, 1, 0]
        )
        self.workspace = splitter(Qt.Orientation.Vertical, [self.middle, self.bottom], [556, BOTTOM], [3, 2])
        self.pages = QStackedWidget()
        for page in (self.welcome, self.opening, self.workspace):
            self.pages.addWidget(page)
        self.status = StatusBar(session, self.actions_by_id)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.top, self.banner, self.pages, self.status):
            column.addWidget(part, 1 if part is self.pages else 0)
        self.setCentralWidget(whole)
        self.netron = NetronDock(session, self)
        self.searching = Searching(GraphSearch(session), self.panes, self.top.search, self)
        self.palette_view = Palette(self, session, self.actions_by_id, self.searching.search)
        self.drop_hint = DropHint(self)
        self.typed_export = TypedExport(session, self)
        self.run_import = RunImport(session, self)
        self.migration = MigrationCheck(session, self)
        self.profiles = OneWindow(partial(ProfileWindow, session, self))
        self.options = OneWindow(partial(OptionsWindow, session, self))
        self.model_panel.profiles_asked.connect(self.profiles.show)
        self.conditions = Conditions(session, self)

    def _connect(self) -> None:
        session = self.session
        document = (session.model_changed, session.choices_changed, session.selection_changed, session.opening_changed)
        runs = (session.current_changed, session.compared_changed, session.runs.busy_changed, session.runs.changed)
        connect_all((*document, *runs, session.undo.indexChanged), self._refresh)
        session.settings.changed.connect(self._setting_changed)
        session.runs.ticked.connect(self._tell)
        session.runs.busy_changed.connect(self._busy)
        self.welcome.open_asked.connect(self.open_dialog)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self.apply_theme)

    def _refresh(self, _news: object = None) -> None:
        session = self.session
        update_actions(self.actions_by_id, session)
        page = self.opening if session.is_opening else self.workspace if session.has_model else self.welcome
        if self.pages.currentWidget() is not page:
            self.pages.setCurrentWidget(page)
            (self.panes.source.canvas if page is self.workspace else page).setFocus()
        self._show_title()

    def _show_title(self) -> None:
        self.setWindowTitle(" – ".join([*window_words(self.session), "Workbench"]))

    # live drawing

    def _busy(self, busy: bool) -> None:
        if busy:
            self._draw_timer.start()
        else:
            self._draw_timer.stop()
            self._draw_live()

    def _tell(self, ids: frozenset[str]) -> None:
        self._told |= ids

    def _draw_live(self) -> None:
        told, self._told = self._told, frozenset()
        self._show_title()
        self.status.refresh()
        self.bottom.build.refresh()
        self.panes.stage.refresh()
        if told & {*self.session.compared, self.session.current.id if self.session.current else ""}:
            self.bottom.refresh()

    # look

    def apply_theme(self, _scheme: object = None) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        chosen = theme.resolve(self.session.settings.get("theme"))
        theme.apply_theme(app, chosen)
        tint_actions(self.actions_by_id)
        self.top.tint()
        self.panes.set_theme(chosen)
        self.bottom.set_theme(chosen)
        self.netron.set_theme(chosen)
        self.status.refresh()
        self.inspector.refresh()

    def _setting_changed(self, key: str) -> None:
        if key == "theme":
            self.apply_theme()
        self._refresh()

    def toggle_theme(self) -> None:
        self.session.settings.set("theme", "light" if theme.current().name == "dark" else "dark")

    def toggle_left(self) -> None:
        self.left.setVisible(not self.left.isVisible())

    def toggle_right(self) -> None:
        self.right.setVisible(not self.right.isVisible())

    def toggle_bottom(self) -> None:
        self.bottom.setVisible(not self.bottom.isVisible())

    # files

    def open_dialog(self) -> None:
        recent = self.session.settings.get("recent")
        folder = str(Path(recent[0]).parent) if recent else ""
        ask_for_file(self, "Open a model", "ONNX models (*.onnx);;All files (*)", self.session.open, folder)

    def close_model(self) -> None:
        self.session.close_model()

    def export_report(self) -> None:
        ask_where_to_save(self, "Export report", "report.html", "HTML page (*.html)", self._export_report)

    def _export_report(self, path: str) -> None:
        saved(self.session, lambda: self.session.export_report(path), f"The report is written to {path}.")

    # edits and runs

    def undo(self) -> None:
        self.session.undo.undo()

    def redo(self) -> None:
        self.session.undo.redo()

    def build(self) -> None:
        self.session.build()

    def cancel(self) -> None:
        self.session.cancel()

    def use_choices(self) -> None:
        run = self.session.current
        if run is not None:
            self.session.choose_all(self.session.choices.like(run), f"Choices of {self.session.runs.titles.of(run)}")

    def make_baseline(self) -> None:
        chosen, runs = self.session.current, self.session.runs
        if chosen is not None:
            for run in list(runs):
                if run.label == BASELINE_LABEL and run.model_sha256 == chosen.model_sha256:
                    runs.rename(run.id, "")
            runs.rename(chosen.id, BASELINE_LABEL)

    def rename_run(self) -> None:
        run = self.session.current
        if run is None:
            return
        dialog = QInputDialog(self)
        dialog.setWindowTitle("Rename run")
        dialog.setLabelText("Name of this run; empty: what it was built with")
        dialog.setTextValue(run_title(run))
        dialog.textValueSelected.connect(lambda text: self.session.runs.rename(run.id, text.strip()))
        self._show_dialog(dialog)

    def delete_runs(self) -> None:
        """Asks in the banner; files are gone for good after that."""
        ids = [run_id for run_id in self.session.compared if run_id not in self.session.runs.jobs]
        if not ids:
            return
        count = f"{len(ids)} runs" if len(ids) > 1 else "this run"
        actions = (("Delete", lambda: self.session.runs.delete(ids)),)
        self.session.show(
            Message(f"Delete {count} with all files? This cannot be undone.", is_error=False, actions=actions)
        )

    def copy_runs(self) -> None:
        QGuiApplication.clipboard().setText(self.bottom.runs.table.runs.tsv())

    # graphs

    def clear_selection(self) -> None:
        self.session.select_nodes([])

    # dialogs

    def show_palette(self) -> None:
        self.palette_view.popup()

    def show_settings(self) -> None:
        self._show_dialog(SettingsDialog(self.session.settings, self))

    def show_versions(self) -> None:
        lines = [versions(), ""]
        for name, info in self.session.backends.items():
            state = info.device if info.available else f"{info.reason} {info.hint}"
            lines.append(f"{name} {info.version}: {state}".strip())
        head, hint = "What runs here", "To be sent with a question or a report of a fault."
        self._show_dialog(TextDialog("Versions and machine", head, hint, "\n".join(lines), self))

    def show_shortcuts(self) -> None:
        self._show_dialog(Shortcuts(self))

    def _show_dialog(self, dialog: QWidget) -> None:
        """Never modal: what runs goes on, and the window answers."""
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowModality(Qt.WindowModality.NonModal)
        dialog.show()

    # Qt

    @guarded
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if path := dropped_model(event.mimeData()):
            event.acceptProposedAction()
            self.drop_hint.offer(path)
        elif files := dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self.drop_hint.offer(files[0], "import")

    @guarded
    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_hint.hide()

    @guarded
    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_hint.hide()
        if path := dropped_model(event.mimeData()):
            event.acceptProposedAction()
            self.session.open(path)
        elif files := dropped_files(event.mimeData()):
            event.acceptProposedAction()
            self.run_import.imports.take(files)

    @guarded
    def closeEvent(self, event: QCloseEvent) -> None:
        if self._remembers:
            self._remember()
        self._draw_timer.stop()
        self.session.close()
        super().closeEvent(event)

    def _remember(self) -> None:
        settings = self.session.settings
        settings.set("geometry", bytes(self.saveGeometry().toBase64().data()).decode())
        sizes = {name: part.sizes() for name, part in self._splitters().items()}
        settings.set("window_state", {**sizes, PAGES: self.bottom.shown_titles()})

    def _splitters(self) -> dict[str, QSplitter]:
        return {"middle": self.middle, "workspace": self.workspace, "panes": self.panes.splitter, "bottom": self.bottom}

    def _restore(self) -> None:
        settings = self.session.settings
        if text := settings.get("geometry"):
            self.restoreGeometry(QByteArray.fromBase64(text.encode()))
        for name, sizes in settings.get("window_state").items():
            splitter = self._splitters().get(name)
            known = sizes if isinstance(sizes, list) else []
            if name == PAGES:
                self.bottom.show_titles(known)
            elif splitter is not None and len(known) == splitter.count() and all(isinstance(n, int) for n in known):
                splitter.setSizes(known if any(known) else splitter.sizes())
