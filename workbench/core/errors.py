"""The one error type a user may meet: what went wrong, and how to repair it."""

from __future__ import annotations

import re

_RUNTIME_CODES = re.compile(
    r"\[ONNXRuntimeError\] : \d+ : \w+ : |Load model from .+? failed: ?|This is an invalid model\. "
    r"|Error in execution: |Non-zero status code returned while running "
    r"|/onnxruntime_src/\S+ .*?\)(?: const)?(?:::<lambda\(\)>)? (?=[A-Z\[])"  # a place in its source, and a signature
)
_RUNTIME_NODE = re.compile(r"(\w+) node\. Name:'([^']*)' Status Message: ")


class WorkbenchError(Exception):
    """A problem of the user's files, choices or machine. Anything else that escapes is a bug.

    `message` says what and why in one sentence; `hint` says what the user can do about it.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = one_line(message)
        self.hint = one_line(hint)

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def disk_error(error: OSError) -> WorkbenchError:
    """What the system refuses of a file, in words: the disk is full, read-only, not ours."""
    where = f": {error.filename}" if error.filename else ""
    return WorkbenchError(f"{error.strerror or error}{where}.", "Check the disk and the rights of the folder.")


class Cancelled(Exception):  # noqa: N818  a verdict, not an error
    """The user asked to stop; raised at the next safe place."""


def one_line(text: str, limit: int = 600) -> str:
    """`text` in one printable line: control and direction-changing characters become spaces, long text is cut."""
    clean = "".join(ch if ch.isprintable() else " " for ch in text)
    clean = " ".join(clean.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def runtime_reason(error: Exception | str, limit: int = 300) -> str:
    """What ONNX Runtime says, without its codes, and the node it speaks of as `Gather n5: ...`."""
    plain = _RUNTIME_CODES.sub("", one_line(str(error), 4 * limit))
    return one_line(_RUNTIME_NODE.sub(lambda found: f"{found[1]} {found[2]}".strip() + ": ", plain), limit).rstrip(".")
