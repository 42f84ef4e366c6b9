"""From arguments to an exit code. Nothing leaves here but 0, 1 or 2 and sentences for people."""

from __future__ import annotations

import io
import os
import platform
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import import_module
from keyword import iskeyword

from workbench import __version__
from workbench.cli.arguments import COMMANDS, make_parser
from workbench.cli.output import Output
from workbench.core.errors import Cancelled, WorkbenchError, disk_error, one_line
from workbench.core.places import data_home

OpenWindow = Callable[[str, str], int]
"""open_window(model, screenshot) -> exit code; both may be empty."""
Command = Callable[[Namespace, Output], int]


def main(argv: Sequence[str], open_window: OpenWindow) -> int:
    """Carries out `argv` (without the program's name): 0 done, 1 something failed, 2 wrong use.

    Without a known command the window is opened, with a model where one is named.
    """
    _open_streams()
    if (window := _for_window(argv)) is not None:
        return _guarded(lambda: open_window(*window), Output(as_json=False))
    arguments = _parse(argv)
    if isinstance(arguments, int):
        return arguments
    name = f"{arguments.command}_" if iskeyword(arguments.command) else arguments.command
    module = import_module(f"workbench.cli.{name}")
    command: Command = module.execute
    output = Output(as_json=arguments.json)

    def work() -> int:
        _check_names(argv)
        return command(arguments, output)

    return _guarded(work, output)


def _open_streams() -> None:
    """A stream that the caller closed leads nowhere; a character that a terminal's encoding lacks is shown escaped."""
    for name in ("stdin", "stdout", "stderr"):  # in this order each gets its own descriptor back
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _check_names(argv: Sequence[str]) -> None:
    """Raises WorkbenchError for a name in bytes that are no UTF-8: no document could hold it."""
    for word in argv:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise WorkbenchError(f"The name {one_line(ascii(word), 200)} is not UTF-8.", "Rename the file.") from None


def _for_window(argv: Sequence[str]) -> tuple[str, str] | None:
    """Model and screenshot where the window is meant, else None: `[MODEL] [--screenshot PNG]`.

    That is nothing, or a first word that is no command and no option. `workbench ./run` opens a file named run.
    """
    words, screenshot = list(argv), ""
    if len(words) >= 2 and words[-2] == "--screenshot":
        words, screenshot = words[:-2], words[-1]
    if len(words) > 1 or (words and (words[0] in COMMANDS or words[0].startswith("-"))):
        return None
    return (words[0] if words else ""), screenshot


def _parse(argv: Sequence[str]) -> Namespace | int:
    try:
        return make_parser().parse_args(list(argv))
    except SystemExit as end:  # argparse has said what is wrong, or printed the help
        return end.code if isinstance(end.code, int) else 2


def _guarded(work: Callable[[], int], output: Output) -> int:
    """The one border of the command line: user errors in a sentence, anything else in a sentence and a crash log."""
    try:
        return work()
    except WorkbenchError as error:
        output.gave_up(error.message, error.hint)
    except (Cancelled, KeyboardInterrupt):
        output.gave_up("Cancelled.")
    except BrokenPipeError:
        _close_stdout()
    except OSError as error:
        output.gave_up(disk_error(error).message, disk_error(error).hint)
        _drop_unwritten()
    except Exception as error:  # noqa: BLE001  the border itself
        output.gave_up(f"Internal error: {one_line(repr(error), 200)}", f"The details are in {_crash_log(error)}.")
    return 1


def _close_stdout() -> None:
    """Whoever read our output is gone (`| head`): nothing more to say, and no complaint at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _drop_unwritten() -> None:
    """What a full disk refused must not be tried, and complained of, once more at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        _close_stdout()


def _crash_log(error: Exception) -> str:
    """Writes versions and traceback, and says where."""
    folder = data_home() / "crashes"
    path = folder / datetime.now(UTC).strftime("%Y%m%d-%H%M%S.txt")
    head = f"workbench {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(head + "".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError as problem:
        return f"no file: {path} cannot be written ({problem.strerror})"
    return str(path)
