"""What a build asks for: layers are checked where there is something to see; code runs where it was allowed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from pytestqt.qtbot import QtBot

from tests.session.conftest import TIMEOUT_MS, build_and_wait
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.recipe import Task, TaskKind
from workbench.session.session import Session

CODE = "def score(outputs, reference, label, inputs):\n    return 3.5\n"


def test_layers_are_checked_after_a_build_below_fp32_and_arrive_live(opened: Session, qtbot: QtBot) -> None:
    seen: list[int] = []
    run = build_and_wait(opened, qtbot)
    assert opened.runs.layer_errors(run.id) is None
    opened.choose("FP16", plan=PrecisionPlan(Precision.FP16))
    opened.settings.set("layer_samples", 3)
    opened.runs.ticked.connect(lambda ids: seen.extend(_known(opened, one) for one in ids))
    run = build_and_wait(opened, qtbot)
    errors = opened.runs.layer_errors(run.id)
    assert errors is not None and errors.samples == errors.asked == 3
    assert len(list(errors.known())) == len(errors.tensors) == max(seen)
    again = Session()
    try:
        assert again.runs.layer_errors(run.id) == errors
    finally:
        again.close()


def _known(session: Session, run_id: str) -> int:
    live = session.runs.live.get(run_id)
    return len(list(live.layer_errors.known())) if live and live.layer_errors else 0


def test_code_of_a_task_is_asked_for_once_and_again_when_it_changed(
    opened: Session, qtbot: QtBot, tmp_path: Path
) -> None:
    code, samples = tmp_path / "my_metric.py", tmp_path / "samples.npz"
    code.write_text(CODE)
    assert opened.model is not None
    shapes = {spec.name: opened.choices.shapes[spec.name] for spec in opened.model.inputs}
    np.savez(samples, **{name: np.zeros((4, *shape[1:]), np.float32) for name, shape in shapes.items()})
    task = Task(TaskKind.FUNCTION, function=f"{code}:score")
    opened.choose("Recipe", recipe=msgspec.structs.replace(opened.choices.recipe, task=task), evaluation=str(samples))

    run = build_and_wait(opened, qtbot)
    assert run.accuracy is not None and run.accuracy.task is None
    assert any("was not allowed to run" in text for text in run.accuracy.warnings)
    assert opened.message is not None and "my_metric.py" in opened.message.text
    with qtbot.waitSignal(opened.runs.finished, timeout=TIMEOUT_MS) as caught:
        opened.message.actions[0][1]()
    accuracy = caught.args[0].accuracy
    assert accuracy.task is not None and accuracy.task.value == 3.5
    qtbot.waitUntil(lambda: not opened.is_busy, timeout=TIMEOUT_MS)

    code.write_text(CODE.replace("3.5", "4.5"))
    run = build_and_wait(opened, qtbot)
    assert run.accuracy is not None and run.accuracy.task is None and opened.message is not None
