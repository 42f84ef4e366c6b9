"""Does the window that draws while a run is timed change the number that is reported?

python -m benchmarks.bench_drawing [MODEL.onnx] [--pairs N] [--seconds S]

One process measures all the time, as a run does: a live phase that tells its latencies, then the phase of which nobody
is told, whose median is reported. In turns (A B B A) the real window, filled with a run of the model (graphs, charts,
tables, clock, drawn without a screen), draws what the live phase tells, and lies still. Both phases are compared: what
drawing does to the live one is why it is not the one that is reported.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PySide6.QtCore import QEventLoop, QObject, Signal

from benchmarks.bench_honest import Case, prepared
from workbench.backends.base import load_backend
from workbench.core.events import Timed
from workbench.core.json import read_json
from workbench.core.model import TypedModel
from workbench.core.run import BuildConfig, TimingConfig
from workbench.measure.statistics import latency_stats, paired_speedup, verdict
from workbench.measure.timing import measure_latency
from workbench.pipeline.files import TYPED_FILE, TYPED_MODEL_FILE
from workbench.resources import sample_models

MODEL = "fashion/fashion_resnet.onnx"
WITHIN_S = 120.0


class Medians(msgspec.Struct, frozen=True):
    """Of one turn, in ms."""

    live: float
    reported: float


def measure(folder: Path) -> None:
    """The process that measures: a turn for each number of seconds on stdin, its batches and medians on stdout."""
    typed = msgspec.structs.replace(read_json(folder / TYPED_MODEL_FILE, TypedModel), path=str(folder / TYPED_FILE))
    with tempfile.TemporaryDirectory() as work:
        engine = load_backend("openvino").build(typed, BuildConfig(), Path(work), lambda *_: None)
        feeds = [dict(np.load(folder / "feed.npz").items())]
        with engine.runner() as runner:
            for line in sys.stdin:
                seconds, live = float(line), list[float]()

                def tell(batch: list[float], live: list[float] = live) -> None:
                    live += batch
                    _say(batch)

                turn = TimingConfig(0, 1, seconds, seconds, 3)
                reported = latency_stats(measure_latency(runner, feeds, turn, tell, lambda: False)).median_ms
                _say({"live": statistics.median(live), "reported": reported})


def _say(what: Any) -> None:
    print(json.dumps(what), flush=True)


class Measurer(QObject):
    """The process, and a thread that reads what it says: `told` batches, `ended` with the medians of a turn."""

    told = Signal(list)
    ended = Signal(object)

    def __init__(self, case: Case) -> None:
        super().__init__()
        command = [sys.executable, "-m", "benchmarks.bench_drawing", "--measure", str(case.folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def turn(self, seconds: float) -> Medians:
        """Waits in Qt's event loop, so that the window lives meanwhile."""
        found: list[Medians] = []
        loop = QEventLoop()
        slot = self.ended.connect(lambda medians: (found.append(medians), loop.quit()))
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        loop.exec()
        self.ended.disconnect(slot)
        return found[0]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if isinstance(said, dict):
                self.ended.emit(Medians(**said))
            else:
                self.told.emit(said)


class Window:
    """The real one, with a finished run of the model; `draws` while it takes batches as news of that run."""

    def __init__(self, model: Path) -> None:
        from workbench.session.live import LiveRun
        from workbench.session.session import Session
        from workbench.views.main_window import MainWindow
        from workbench.views.screenshot import wait_until

        self._live: Callable[[str], LiveRun] = LiveRun
        self.session = Session()
        self.session.settings.set("timing_seconds", 1.0)
        self.window = MainWindow(self.session, remembers=False)
        self.window.show()
        self.session.probe_backends()
        self.session.open(str(model))
        assert wait_until(lambda: self.session.model is not None and not self.session.is_probing, WITHIN_S)
        self.session.choose("openvino", backend="openvino", evaluation="random")
        assert wait_until(lambda: not self.session.samples.is_busy, WITHIN_S)
        started = self.session.build()
        assert started is not None
        assert wait_until(lambda: not self.session.is_busy, WITHIN_S)
        self.run = started.id
        self.draws, self.news = False, 0
        self.session.runs.ticked.connect(self._count)

    def _count(self, ids: frozenset[str]) -> None:
        self.news += self.run in ids

    def begin(self) -> None:
        """As when the job of the run is at work: its clock ticks too."""
        runs = self.session.runs
        runs.live[self.run], runs.jobs[self.run] = self._live(self.run), "run"
        runs._timer.start()  # what a job's start does, without the job
        self.draws = True

    def take(self, batch: list[float]) -> None:
        """Where batches of a job arrive."""
        if self.draws:
            self.session.runs._inbox.append([Timed(self.run, tuple(batch))])

    def end(self) -> None:
        self.draws = False
        self.session.runs._timer.stop()
        self.session.runs.jobs.pop(self.run)


def turns(measurer: Measurer, window: Window, pairs: int, seconds: float) -> tuple[list[Medians], list[Medians]]:
    """Drawn and still, pair by pair; the first pair is warm-up."""
    drawn: list[Medians] = []
    still: list[Medians] = []

    def one(is_drawn: bool) -> None:
        if is_drawn:
            window.begin()
        (drawn if is_drawn else still).append(measurer.turn(seconds))
        if is_drawn:
            window.end()

    for pair in range(-1, pairs):
        one(pair % 2 == 0)
        one(pair % 2 == 1)
    return drawn[1:], still[1:]


def compare(model: Path, pairs: int, seconds: float) -> None:
    """Prints both phases drawn against still."""
    from workbench.views.application import make_application

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as name:
        os.environ["WORKBENCH_HOME"] = name
        case = prepared(model, Path(name) / "model-0000")
        application = make_application()
        window, measurer = Window(model), Measurer(case)
        measurer.told.connect(window.take)
        drawn, still = turns(measurer, window, pairs, seconds)
        measurer.close()
        print(f"the window had news {window.news} times")
        window.window.close()
        application.processEvents()
    for phase in ("reported", "live"):
        a, b = ([getattr(one, phase) for one in medians] for medians in (drawn, still))
        found = paired_speedup(b, a)
        print(
            f"{phase} phase, {statistics.median(b):.4f} ms still: drawn is {verdict(found)}"
            f" ({1 / found.high:.3f} to {1 / found.low:.3f} of its time, {found.pairs} pairs)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=sample_models() / MODEL)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each phase")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure is not None:
        measure(arguments.measure)
    else:
        compare(arguments.model.absolute(), arguments.pairs, arguments.seconds)


if __name__ == "__main__":
    main()
