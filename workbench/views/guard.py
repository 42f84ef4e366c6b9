"""A guard for overrides of Qt's events: an exception inside one must reach the crash dialog, not the C++ caller."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def guarded(function: F) -> F:
    """Reports what escapes `function` to `sys.excepthook` and goes on. The one border where everything is caught.

    An exception that leaves `paintEvent` with an open painter ends the process, in every version of Qt.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception:  # noqa: BLE001  see above
            sys.excepthook(*sys.exc_info())
            return None

    return wrapper  # type: ignore[return-value]
