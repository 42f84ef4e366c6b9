"""TensorRT runs as commands on the clipboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from workbench.core.json import write_json
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.run import BuildConfig, RunRequest, Status
from workbench.pipeline import new_run
from workbench.pipeline.files import REQUEST_FILE
from workbench.session.session import Session


@pytest.fixture
def built(opened: Session) -> Session:
    """The session with a TensorRT run as the current one, as it stands after a build."""
    run_id, folder = opened.runs.store.new_folder()
    assert opened.model is not None
    config = BuildConfig("tensorrt_rtx", PrecisionPlan(default=Precision.FP16), target="sm89")
    request = RunRequest(run_id, str(folder), opened.model.path, config)
    run = new_run(request, opened.model)
    write_json(Path(folder) / REQUEST_FILE, request)
    opened.runs.store.save(run)
    opened.runs.adopt(run)
    opened.set_current(run_id)
    assert run.status is Status.WAITING
    return opened


@pytest.mark.parametrize("form", ["trtexec11", "trtexec10", "polygraphy", "python"])
def test_the_current_run_goes_to_the_clipboard(built: Session, form: str) -> None:
    assert built.build_commands.are_possible
    getattr(built.build_commands, f"copy_{form}")()
    assert "workbench export" in QGuiApplication.clipboard().text()
    assert built.message is not None
    assert not built.message.is_error


def test_without_a_tensorrt_run_there_is_nothing_to_copy(opened: Session) -> None:
    assert not opened.build_commands.are_possible
