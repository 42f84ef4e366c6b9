"""Netron's page in QtWebEngine: an own URL scheme served from memory, everything else refused. Imported when opened.

Nothing is listened on and nothing leaves the machine: requests of the page end in `NetronFiles`, those of any other
scheme are blocked before they start.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QUrl, Signal
from PySide6.QtWebEngineCore import (
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineScript,
    QWebEngineSettings,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
    QWebEngineUrlRequestJob,
    QWebEngineUrlScheme,
    QWebEngineUrlSchemeHandler,
)
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget

from workbench.views.guard import guarded
from workbench.views.netron.files import NetronFiles

SCHEME = b"netron"
LOCAL_SCHEMES = ("netron", "data", "blob")
SAID = "WB:"
ID_LONGEST, IDS_MOST = 4096, 100_000


@cache
def register_scheme() -> None:
    """Before the first profile, once in a process. As root Chromium's sandbox does not start."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        os.environ["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
    scheme = QWebEngineUrlScheme(SCHEME)
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    flags = QWebEngineUrlScheme.Flag
    scheme.setFlags(flags.SecureScheme | flags.CorsEnabled | flags.FetchApiAllowed)
    QWebEngineUrlScheme.registerScheme(scheme)


class _Handler(QWebEngineUrlSchemeHandler):
    def __init__(self, files: NetronFiles, parent: QObject) -> None:
        super().__init__(parent)
        self._files = files

    @guarded
    def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
        url = job.requestUrl()
        answer = self._files.answer(url.host(), url.path()) if bytes(job.requestMethod().data()) == b"GET" else None
        if answer is None:
            job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)
            return
        mime, data = answer
        buffer = QBuffer(job)
        buffer.setData(QByteArray(data))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        job.reply(QByteArray(mime.encode()), buffer)


class _Gate(QWebEngineUrlRequestInterceptor):
    """Refuses whatever is not served from memory. `refused` keeps the last of it, for tests and the curious."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.refused: list[str] = []
        self.passed = 0

    @guarded
    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        if info.requestUrl().scheme() in LOCAL_SCHEMES:
            self.passed += 1
        else:
            self.refused = [*self.refused[-99:], info.requestUrl().toString()]
            info.block(True)


class NetronPage(QWebEnginePage):
    """Emits what the page says through its console; stays on its own address."""

    said = Signal(str, object)  # kind, value

    @guarded
    def javaScriptConsoleMessage(
        self, level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, line: int, source: str
    ) -> None:
        if message.startswith(SAID):
            news = json.loads(message.removeprefix(SAID))
            self.said.emit(str(news["kind"]), news["value"])

    @guarded
    def acceptNavigationRequest(
        self, url: QUrl | str, kind: QWebEnginePage.NavigationType, is_main_frame: bool
    ) -> bool:
        return QUrl(url).scheme() in LOCAL_SCHEMES


class NetronEngine(QObject):
    """One profile without memory for all graphs: no cookies, no cache, no file on disk. It must outlive its views."""

    def __init__(self, files: NetronFiles) -> None:
        register_scheme()
        super().__init__()
        self.files = files
        self.profile = QWebEngineProfile(self)  # without a name it is off the record
        self._handler = _Handler(files, self)
        self.gate = _Gate(self)
        self.profile.installUrlSchemeHandler(SCHEME, self._handler)
        self.profile.setUrlRequestInterceptor(self.gate)
        self.profile.scripts().insert(_hooks())

    def view(self, parent: QWidget) -> NetronView:
        return NetronView(self.profile, parent)


def _hooks() -> QWebEngineScript:
    script = QWebEngineScript()
    script.setName("workbench")
    script.setSourceCode((Path(__file__).parent / "hooks.js").read_text("utf-8"))
    script.setInjectionPoint(QWebEngineScript.InjectionPoint.DocumentCreation)
    script.setWorldId(QWebEngineScript.ScriptWorldId.MainWorld)
    script.setRunsOnSubFrames(False)
    return script


class NetronView(QWebEngineView):
    """One graph in Netron."""

    selected = Signal(object)  # ids that the user chose
    ready = Signal(object)  # how many nodes are shown

    def __init__(self, profile: QWebEngineProfile, parent: QWidget) -> None:
        super().__init__(parent)
        self.netron_page = NetronPage(profile, self)
        self.netron_page.said.connect(self._take)
        settings = self.netron_page.settings()
        for refused in (
            QWebEngineSettings.WebAttribute.LocalContentCanAccessFileUrls,
            QWebEngineSettings.WebAttribute.LocalContentCanAccessRemoteUrls,
            QWebEngineSettings.WebAttribute.JavascriptCanOpenWindows,
            QWebEngineSettings.WebAttribute.PluginsEnabled,
            QWebEngineSettings.WebAttribute.DnsPrefetchEnabled,
        ):
            settings.setAttribute(refused, False)
        self.setPage(self.netron_page)
        self.shown: tuple[str, ...] = ()  # ids that the page has selected for us

    def show_graph(self, name: str) -> None:
        self.load(QUrl(f"{SCHEME.decode()}://{name}/index.html"))

    def select(self, ids: tuple[str, ...]) -> None:
        self.netron_page.runJavaScript(f"window.__workbench_select__ && window.__workbench_select__({json.dumps(ids)})")

    def _take(self, kind: str, value: object) -> None:
        if kind == "ready":
            self.ready.emit(value)
        elif kind in ("selected", "shown") and isinstance(value, list):
            ids = tuple(entry for entry in value[:IDS_MOST] if isinstance(entry, str) and len(entry) <= ID_LONGEST)
            if kind == "shown":
                self.shown = ids
            else:
                self.selected.emit(ids)
