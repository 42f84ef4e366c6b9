"""`workbench culprits`: which layers cost the accuracy of a plan, and the measured set of them to exempt."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from workbench.cli.jobs import Jobs, check_writable, plain_request
from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.core.errors import WorkbenchError
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.sensitivity import Culprits, CulpritsRequest
from workbench.model import open_model
from workbench.pipeline.culprits.text import ranking_text, sentences
from workbench.precision import write_plan
from workbench.precision.matching import Matcher
from workbench.precision.plan_edits import paint
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the search came to its end, also where there is no culprit.

    What a search that was ended has measured is kept: the same command goes on from there.
    """
    check_writable(arguments.out)
    plan = plan_of(arguments, output)
    if plan.precisions <= {Precision.FP32, Precision.TF32}:
        raise WorkbenchError("The plan has no layer in a low precision.", "Say --precision int8, or give a --plan.")
    store = Store()
    job, folder = store.new_folder()
    request = CulpritsRequest(
        id=job,
        folder=str(folder),
        run=plain_request(arguments, plan, job, folder),
        evaluations=arguments.budget,
        seconds=arguments.seconds,
        samples=arguments.limit,
        granularity=arguments.by,
    )
    jobs = Jobs(output)
    with jobs.until_interrupted():
        found = jobs.find_culprits(request)
    store.delete(job)
    return _tell(arguments, output, plan, found)


def _tell(arguments: Namespace, output: Output, plan: PrecisionPlan, found: Culprits) -> int:
    if found.plan is None and found.error is not None:
        output.gave_up(found.error.message, found.error.hint)
        return 1
    output.document(found)
    if found.layers:
        output.text(ranking_text(found))
        output.text()
    for sentence in sentences(found):
        output.text(sentence)
    if found.proposal is not None and arguments.out is not None:
        _write(Path(arguments.model), plan, found.proposal.nodes, arguments.out)
        output.note(f"plan with the culprits exempted: {arguments.out}")
    if found.error is not None:
        output.failed(found.error.message, found.error.hint)
    return 1 if found.error is not None else 0


def _write(path: Path, plan: PrecisionPlan, nodes: tuple[str, ...], out: Path) -> None:
    model = open_model(path)
    write_plan(out, paint(Matcher(model), plan, nodes, Precision.FP32), (), model)
