"""The command line: the same program without a window. `main(argv, open_window)` is the door's other half."""

from workbench.cli.main import main

__all__ = ["main"]
