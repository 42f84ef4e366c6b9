"""`workbench export`: a precision plan written into an ONNX file that runs elsewhere."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.jobs import Jobs, check_writable, plain_request
from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.core.exporting import Exported, ExportRequest
from workbench.core.precision import Precision
from workbench.pipeline.table import size_text
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the file is written."""
    check_writable(arguments.out)
    store = Store()
    job_id, folder = store.new_folder()
    jobs = Jobs(output)
    path = str(arguments.out.absolute())
    with jobs.until_interrupted():
        run = plain_request(arguments, plan_of(arguments), job_id, folder)
        fixed_shapes = arguments.fixed_shapes or bool(arguments.shape)
        result = jobs.export(ExportRequest(job_id, str(folder), run, path, fixed_shapes))
    store.delete(job_id)
    if result.error is not None:
        output.gave_up(result.error.message, result.error.hint)
        return 1
    _tell(output, result)
    return 0


def _tell(output: Output, result: Exported) -> None:
    output.document(result)
    asked = ", ".join(f"{count} {Precision(name).label}" for name, count in result.asked.items())
    output.text(f"{result.path}: {size_text(result.size_bytes)}, {result.nodes} nodes, opset {result.opset}")
    output.text(f"  asked: {asked}")
    for note in result.notes:
        output.text(f"  {note}")
    if result.data:
        output.text(f"  The weights are in {result.data}; both files belong together.")
