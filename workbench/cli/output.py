"""What the command line says: documents and tables on stdout, everything else on stderr."""

from __future__ import annotations

import sys
import time
from typing import Any

import msgspec

from workbench.core.errors import one_line
from workbench.core.events import AnyEvent, LogLine, Progress

LINE_SECONDS = 10.0
"""Without a terminal, progress is a plain line at most this often."""


class Output:
    """With `as_json`, stdout has one document and nothing else; without, text for people."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._is_said = False
        self._status = Status()

    def document(self, document: Any) -> None:
        """The one JSON document, in UTF-8 whatever the terminal's encoding is."""
        if self.as_json:
            self._is_said = True
            sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
            sys.stdout.flush()

    def text(self, text: str = "") -> None:
        """For people; nothing where a document was asked for."""
        if not self.as_json:
            self._status.clear()
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """A line on stderr."""
        self._status.clear()
        sys.stderr.write(f"{one_line(text)}\n")
        sys.stderr.flush()

    def failed(self, message: str, hint: str = "") -> None:
        """One sentence and a hint on stderr."""
        self.note(f"workbench: {message} {hint}".rstrip())

    def gave_up(self, message: str, hint: str = "") -> None:
        """Like `failed`, where no result came: then the document is the error."""
        if not self._is_said:
            self.document({"error": {"message": message, "hint": hint}})
        self.failed(message, hint)

    def events(self, title: str, batch: list[AnyEvent]) -> None:
        """The newest progress of a batch as the status, warnings of the log as lines."""
        for event in batch:
            if isinstance(event, LogLine) and event.level == "warning":
                self.note(f"{title}: {event.text}")
        newest = next((event for event in reversed(batch) if isinstance(event, Progress)), None)
        if newest is not None:
            self._status.show(title, newest)

    def clear_status(self) -> None:
        """Takes the status line away."""
        self._status.clear()


class Status:
    """One line that is written over on a terminal; elsewhere plain lines, one a phase and then one each 10 s."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._shown = False
        self._phase = ""
        self._last = 0.0

    def show(self, title: str, progress: Progress) -> None:
        share = f"{100 * progress.done // progress.total:3d} %" if progress.total else "     "
        line = f"{one_line(title, 40)}  {progress.phase:<11}{share}  {one_line(progress.text, 60)}".rstrip()
        if self._is_terminal:
            sys.stderr.write(f"\r\x1b[K{line}")
            self._shown = True
        elif self._is_due(f"{title}{progress.phase}"):
            sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def _is_due(self, phase: str) -> bool:
        now = time.monotonic()
        if phase == self._phase and now - self._last < LINE_SECONDS:
            return False
        self._phase, self._last = phase, now
        return True

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False
