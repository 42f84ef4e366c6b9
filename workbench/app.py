"""The door: `workbench` with a command is the command line, without one the window."""

from __future__ import annotations

import sys


def open_window(model: str = "", screenshot: str = "") -> int:
    """The window, with `model` open. With `screenshot` it is drawn, saved to that PNG and closed again."""
    from workbench.views.application import open_window as open_it

    return open_it(model, screenshot)


def main() -> None:
    from workbench.cli import main as command_line

    sys.exit(command_line(sys.argv[1:], open_window))


if __name__ == "__main__":
    main()
