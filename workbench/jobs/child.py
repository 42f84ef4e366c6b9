"""The child process of one job: reads its request on stdin, runs it, says events on a pipe, and dies with its parent.

Started as `python -m workbench.jobs.child <parent pid>`. Standard output and error (ours and the engines') go to the
log; messages go to a private copy of the pipe that was standard output, one JSON line each.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading
from typing import BinaryIO

from workbench.core.events import AnyEvent
from workbench.core.json import decode_request, encode
from workbench.core.requests import AnyRequest
from workbench.jobs.kinds import carry_out

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Never returns: ends by `os._exit`, so that no static destructor of an engine gets to run."""
    die_with_parent(int(sys.argv[1]))
    line = sys.stdin.buffer.readline()
    threading.Thread(target=_exit_at_end_of_input, name="parent-watch", daemon=True).start()
    pipe = _take_stdout()
    request = decode_request(line)
    os.chdir(request.folder)
    _serve(request, pipe)
    sys.stdout.flush()
    sys.stderr.flush()
    pipe.flush()
    os._exit(0)


def _serve(request: AnyRequest, pipe: BinaryIO) -> None:
    def emit(event: AnyEvent) -> None:
        pipe.write(encode(event) + b"\n")
        pipe.flush()

    carry_out(request, emit, _never)


def _never() -> bool:
    """Cancelling kills this process; nothing needs to ask."""
    return False


def die_with_parent(parent: int) -> None:
    """Three ropes: the kernel's death signal, a check that it was not too late, and the end of stdin."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
        _be_first_to_go()
    faulthandler.enable()


def _be_first_to_go() -> None:
    """No core files, and the kernel's first choice when memory runs out."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123  a kernel file
            file.write("800")
    except OSError:
        pass  # not allowed in some containers, and only a wish


def _exit_at_end_of_input() -> None:
    while os.read(0, 1):  # not through sys.stdin: its lock, held here, would turn an error's exit into an abort
        pass
    os._exit(1)


def _take_stdout() -> BinaryIO:
    """Keeps the message pipe for ourselves and points descriptor 1 at the log (descriptor 2)."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


if __name__ == "__main__":
    main()
