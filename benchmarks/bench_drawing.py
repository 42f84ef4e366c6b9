"""Does the window that draws while a run is timed change the number that is reported?

python -m benchmarks.bench_drawing [MODEL.onnx] [--pairs N] [--seconds S]

The same run, each in a fresh child process: started by the real window (drawn without a screen: graphs, live charts,
tables, status), and by nothing but the job queue, in pairs (A B B A). The number is what the run reports. It comes from
a phase in which nobody is told anything and nothing is drawn, so that no difference may be seen. A process of its own
each is what makes the pairs scatter: where it lies in memory it is faster or slower for good.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
from pathlib import Path

import msgspec

from workbench.core.json import read_json
from workbench.core.run import Run, RunRequest, Status
from workbench.jobs import run_job
from workbench.measure.statistics import paired_speedup, verdict
from workbench.pipeline.files import REQUEST_FILE
from workbench.resources import sample_models

MODEL = "fashion/fashion_resnet.onnx"
WITHIN_S = 120.0


def reported(run: Run | None) -> float:
    assert run is not None and run.status is Status.DONE, run.error if run is not None else "no run"
    assert run.timing is not None and run.timing.stats is not None, run.timing
    return run.timing.stats.median_ms


class Drawn:
    """The window with its charts in sight."""

    def __init__(self, model: Path, seconds: float) -> None:
        from workbench.session.session import Session
        from workbench.views.application import make_application
        from workbench.views.main_window import MainWindow
        from workbench.views.screenshot import wait_until

        self._application, self._wait = make_application(), wait_until
        self.session = Session()
        self.session.settings.set("timing_seconds", seconds)
        self.window = MainWindow(self.session, remembers=False)
        self.window.show()
        self.session.probe_backends()
        self.session.open(str(model))
        assert self._wait(lambda: self.session.model is not None and not self.session.is_probing, WITHIN_S)
        self.session.choose("openvino", backend="openvino", evaluation="random")
        assert self._wait(lambda: not self.session.samples.is_busy, WITHIN_S)
        self.folder = self.session.runs.store.root

    def run(self) -> float:
        started = self.session.build()
        assert started is not None
        assert self._wait(lambda: not self.session.is_busy, WITHIN_S)
        return reported(self.session.runs.get(started.id))

    def request(self) -> RunRequest:
        """What the window asks with."""
        newest = next(iter(self.session.runs))
        return read_json(self.session.runs.store.folder(newest.id) / REQUEST_FILE, RunRequest)

    def close(self) -> None:
        self.window.close()


def undrawn(request: RunRequest, folder: Path) -> float:
    """The same request without a window."""
    alone = msgspec.structs.replace(request, id=folder.name, folder=str(folder))
    found = run_job(alone, lambda batch: None, threading.Event())
    assert isinstance(found, Run)
    return reported(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=sample_models() / MODEL)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=1.0, help="of the phase that is reported")
    arguments = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as name:
        os.environ["WORKBENCH_HOME"] = name
        window = Drawn(arguments.model.absolute(), arguments.seconds)
        window.run()  # the first one builds what the file system keeps
        request, with_window, without = window.request(), [], []
        for pair in range(arguments.pairs):
            folder = Path(name) / f"alone-{pair:04d}"
            if pair % 2 == 0:
                with_window.append(window.run())
                without.append(undrawn(request, folder))
            else:
                without.append(undrawn(request, folder))
                with_window.append(window.run())
            print(f"  drawn {with_window[-1]:.4f} ms, alone {without[-1]:.4f} ms", flush=True)
        window.close()
    found = paired_speedup(without, with_window)
    print(f"drawn against alone: {verdict(found)} ({1 / found.high:.3f} to {1 / found.low:.3f} of its time)")


if __name__ == "__main__":
    main()
