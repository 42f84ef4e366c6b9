"""Whether TensorRT takes a model, by its parser alone: nothing is compiled, so a later build here is not touched."""

from __future__ import annotations

from pathlib import Path

from workbench.backends.base import Verdict
from workbench.backends.tensorrt_rtx.module import load_module
from workbench.backends.tensorrt_rtx.noise import stdout_caught
from workbench.backends.tensorrt_rtx.parse import parse
from workbench.backends.tensorrt_rtx.watch import BuildLog
from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.model import private_copy


def verdict_on(model: Model) -> Verdict:
    """Of the model in the shapes it would be built for. What the compiler behind refuses only a build can tell."""
    log = BuildLog(_unheard)
    try:
        trt = load_module()
        data = private_copy(model).SerializeToString()
    except WorkbenchError as error:
        return Verdict(False, str(error))
    with stdout_caught(log.noise):
        _, refusals = parse(trt, data, Path(model.path), log)
    if not refusals:
        return Verdict(True)
    nodes = {refusal.node: refusal.reason for refusal in refusals if refusal.node}
    return Verdict(False, refusals[0].sentence(model), nodes)


def _unheard(phase: str, done: int, total: int, text: str) -> None:
    """A verdict has no log."""
