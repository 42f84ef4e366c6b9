"""The door: `workbench` with a command is the command line, without one the window."""

from __future__ import annotations

import os
import sys

from workbench.core.errors import WorkbenchError

_SHOWN_BY = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def open_window(model: str = "", screenshot: str = "") -> int:
    """The window, with `model` open. With `screenshot` it is drawn, saved to that PNG and closed again.

    Raises WorkbenchError where there is no display: Qt would end the process with a core dump.
    """
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _SHOWN_BY):
        if not screenshot:
            raise WorkbenchError(
                "There is no display here to open the window on.",
                "Without one give a command, such as `workbench run MODEL`; `workbench --help` lists them.",
            )
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from workbench.views.application import open_window as open_it

    return open_it(model, screenshot)


def main() -> None:
    from workbench.cli import main as command_line

    sys.exit(command_line(sys.argv[1:], open_window))


if __name__ == "__main__":
    main()
