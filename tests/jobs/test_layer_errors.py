"""A run that is ended while its layers are checked keeps what was found: its process is killed, not asked."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from tests.jobs.conftest import MakeRequest
from workbench.core.events import AnyEvent, LayersChecked
from workbench.core.json import read_json
from workbench.core.layer_errors import LayerErrors
from workbench.core.run import Run, Status
from workbench.jobs import run_job
from workbench.pipeline.samples import NONE

ENDLESS = 100_000
"""Samples: checking them takes far longer than it takes anybody to hear of the first."""


def test_what_was_found_before_the_end_is_on_disk_and_nothing_half_written(make_request: MakeRequest) -> None:
    request = msgspec.structs.replace(make_request(), evaluation=NONE, evaluation_limit=ENDLESS, layer_samples=ENDLESS)
    cancel = threading.Event()

    def on_batch(batch: list[AnyEvent]) -> None:
        if any(isinstance(event, LayersChecked) for event in batch):
            cancel.set()

    result = run_job(request, on_batch, cancel)
    assert isinstance(result, Run) and result.status is Status.CANCELLED
    errors = read_json(Path(request.folder) / "layer_errors.json", LayerErrors)
    assert list(errors.known()) and errors.samples < errors.asked == ENDLESS
    assert not list(Path(request.folder).rglob("*.part"))
