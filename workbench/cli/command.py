"""`workbench command`: a TensorRT run as a command for another tool."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.output import Output
from workbench.core.errors import WorkbenchError
from workbench.pipeline.forms import command_text
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    store = Store()
    run = store.find(arguments.run)
    request = None if run.imported else store.request(run.id)
    if request is None:
        raise WorkbenchError("Nothing says how this run was built.", "Choose a run that was built here.")
    text = command_text(request, arguments.form)
    output.document({"run": run.id, "form": arguments.form, "text": text})
    output.text(text.rstrip())
    return 0
