"""Builds of TensorRT as jobs: a failed one spoils nothing, a cancelled one leaves nothing, the same is found again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.jobs.conftest import MakeRequest
from tests.session.models import save_small_model
from workbench.backends.base import load_backend
from workbench.core.events import AnyEvent, Progress
from workbench.core.run import Run, RunRequest, Status
from workbench.jobs import run_job
from workbench.pipeline.kept_engines import KeptEngines
from workbench.store import Store

pytestmark = pytest.mark.skipif(
    not load_backend("tensorrt_rtx").capabilities().targets, reason="TensorRT for RTX is not installed"
)


def ask(make_request: MakeRequest, model: Path, **options: str) -> RunRequest:
    """A build for sm89 in FP32, neither timed nor checked."""
    request = make_request()
    config = msgspec.structs.replace(request.config, backend="tensorrt_rtx", target="sm89", options=options)
    return msgspec.structs.replace(request, model_path=str(model), config=config, evaluation="none")


def done(request: RunRequest) -> Run:
    run = run_job(request, lambda batch: None, threading.Event())
    assert isinstance(run, Run)
    return run


def digest(run: Run, request: RunRequest) -> str:
    assert run.status is Status.DONE, run.error
    assert run.build is not None
    return hashlib.sha256((Path(request.folder) / run.build.artefact).read_bytes()).hexdigest()


def test_a_failed_build_followed_by_a_good_one_gives_the_engine_of_the_good_one_alone(
    make_request: MakeRequest, model_path: Path
) -> None:
    failed = done(ask(make_request, model_path, workspace_mib="0"))
    assert failed.status is Status.FAILED
    assert failed.error is not None
    assert failed.error.hint
    after = ask(make_request, model_path)
    alone = msgspec.structs.replace(ask(make_request, model_path), rebuild=True)
    after_it, by_itself = done(after), done(alone)
    assert by_itself.build is not None
    assert by_itself.build.reused is None
    assert digest(after_it, after) == digest(by_itself, alone)
    assert Store(Path(after.folder).parent).engine_graph(after.id) == Store(Path(alone.folder).parent).engine_graph(
        alone.id
    )


def test_the_same_build_is_found_again_whole_and_another_target_is_not(
    make_request: MakeRequest, model_path: Path
) -> None:
    first, second, third = (ask(make_request, model_path) for _ in range(3))
    third = msgspec.structs.replace(third, config=msgspec.structs.replace(third.config, target="sm86"))
    runs = [done(request) for request in (first, second, third)]
    builds = [run.build for run in runs if run.build is not None]
    assert [build.reused.run if build.reused else "" for build in builds] == ["", first.id, ""]
    assert digest(runs[0], first) == digest(runs[1], second)
    store = Store(Path(first.folder).parent)
    assert store.engine_graph(first.id) == store.engine_graph(second.id)
    assert builds[0].memory == builds[1].memory
    assert builds[0].notes == builds[1].notes[1:]


def test_a_build_cancelled_in_its_middle_leaves_no_process_no_engine_and_no_half_file(
    make_request: MakeRequest, tmp_path: Path
) -> None:
    """That no process is left is asked after every test of this room."""
    model = save_small_model(tmp_path / "long.onnx", blocks=3000)  # half a minute
    cancel, request = threading.Event(), ask(make_request, model)
    run = run_job(request, when(lambda event: event.inner[:1] == ("Building engine",), cancel), cancel)
    assert isinstance(run, Run)
    assert run.status is Status.CANCELLED
    assert run.build is None
    left = [path.name for path in Path(request.folder).rglob("*") if path.suffix in (".trt", ".part")]
    assert not left
    assert KeptEngines().usage() == (0, 0, 0)


def when(is_there: Callable[[Progress], bool], cancel: threading.Event) -> Callable[[list[AnyEvent]], None]:
    def listen(batch: list[AnyEvent]) -> None:
        if any(isinstance(event, Progress) and is_there(event) for event in batch):
            cancel.set()

    return listen
