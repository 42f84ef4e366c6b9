"""Ask: one question to a child process, answered by a signal. The window stays alive; a kill is a cancel."""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec
from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.json import decode, encode
from workbench.session.questions import Answer

KILL_WAIT_MS = 3000


class Ask(QObject):
    """Runs one verb of `ask_child` at a time; a new question replaces the one under way."""

    answered = Signal(object)
    failed = Signal(object)  # WorkbenchError

    def __init__(self, verb: str, kind: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._verb = verb
        self._kind = kind
        self._process: QProcess | None = None

    @property
    def is_busy(self) -> bool:
        return self._process is not None

    def ask(self, question: object = None) -> None:
        self.cancel()
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONSAFEPATH", "1")
        process.setProcessEnvironment(environment)
        process.finished.connect(lambda code, _status: self._finish(process, code))
        self._process = process
        process.start(sys.executable, ["-m", "workbench.session.ask_child", self._verb, str(os.getpid())])
        process.write(encode(question))
        process.closeWriteChannel()

    def cancel(self) -> None:
        """Ends the child, if there is one; no signal comes for it any more."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.waitForFinished(KILL_WAIT_MS)
        process.deleteLater()

    def _finish(self, process: QProcess, code: int) -> None:
        if process is not self._process:
            return
        self._process = None
        data = bytes(process.readAllStandardOutput().data())
        noise = bytes(process.readAllStandardError().data()).decode("utf-8", "replace")
        process.deleteLater()
        try:
            value = self._value(data, code, noise)
        except WorkbenchError as error:
            self.failed.emit(error)
        else:
            self.answered.emit(value)

    def _value(self, data: bytes, code: int, noise: str) -> Any:
        if code != 0 or not data:
            last = one_line(noise.strip().splitlines()[-1], 300) if noise.strip() else "no reason given"
            raise WorkbenchError(f"The process that was asked ended unexpectedly ({last}).", "Its file may be damaged.")
        answer = decode(data, Answer)
        if answer.message:
            raise WorkbenchError(answer.message, answer.hint)
        try:
            return msgspec.json.decode(answer.value, type=self._kind)
        except msgspec.MsgspecError as error:
            raise WorkbenchError(f"The answer could not be read: {error}") from error
