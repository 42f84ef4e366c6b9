"""`workbench roofline`: the layers of a finished run under the ceilings of this machine, or of a GPU's datasheet."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping

from workbench.cli.jobs import Jobs
from workbench.cli.output import Output
from workbench.core.ceilings import Ceilings, CeilingsRequest
from workbench.core.errors import WorkbenchError
from workbench.core.gpus import DEFAULT_TARGET, gpu_ceilings, gpus_of
from workbench.core.run import Run
from workbench.core.titles import TENSORRT, engine_maker, run_title
from workbench.pipeline.artefacts import read_engine
from workbench.pipeline.roofline import machine_name, roofline, threads_of
from workbench.pipeline.roofline_text import ceilings_text, roofline_document, roofline_table
from workbench.store import CeilingBook, Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the run has an engine whose layers were counted."""
    store = Store()
    run = store.find(arguments.run)
    engine = read_engine(store.folder(run.id))
    if engine is None or not engine.costs:
        raise WorkbenchError(f"The layers of {run_title(run)} were not counted when it was made.", "Build it again.")
    ceilings = _ceilings(arguments, store, run, output)
    found = roofline(engine, _times(run, ceilings), ceilings)
    output.document({"run": run.id, "title": run_title(run), **roofline_document(found)})
    output.text(f"{run_title(run)}  ({run.id})\n{ceilings_text(ceilings)}\n\n{roofline_table(found).rstrip()}")
    return 0


def _times(run: Run, ceilings: Ceilings) -> Mapping[str, float]:
    """Of the layers; none where they ran on a processor and the roof is a GPU's, of which they would attain nothing."""
    is_elsewhere = ceilings.is_estimate and engine_maker(run.config.backend) != TENSORRT
    return run.timing.layers if run.timing is not None and not is_elsewhere else {}


def _ceilings(arguments: Namespace, store: Store, run: Run, output: Output) -> Ceilings:
    """Of the GPU that is named or that the engine was built for; else of this machine, measured where they are not."""
    if arguments.gpu:
        return gpu_ceilings(arguments.gpu)
    is_tensorrt = engine_maker(run.config.backend) == TENSORRT
    if run.imported:
        hint = "Name the GPU that it ran on: --gpu L4." if is_tensorrt else ""
        raise WorkbenchError("This run was measured elsewhere, on a machine whose ceilings are not known.", hint)
    if is_tensorrt:
        return gpu_ceilings(gpus_of(run.config.target or DEFAULT_TARGET)[0])
    book = CeilingBook(store.root)
    known = None if arguments.again else book.find(machine_name(), threads_of(run))
    return known or _measured(store, book, threads_of(run), output)


def _measured(store: Store, book: CeilingBook, threads: int, output: Output) -> Ceilings:
    job_id, folder = store.new_folder()
    output.note("measuring the ceilings of this machine, once: about twenty seconds")
    jobs = Jobs(output)
    with jobs.until_interrupted():
        result = jobs.ceilings(CeilingsRequest(job_id, str(folder), tuple(dict.fromkeys((1, 0, threads)))))
    store.delete(job_id)
    if result.error is not None:
        raise WorkbenchError(result.error.message, result.error.hint)
    book.keep(result.ceilings)
    return next(one for one in result.ceilings if one.threads == threads)
