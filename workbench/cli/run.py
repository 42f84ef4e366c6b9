"""`workbench run`: one configuration, end to end."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import msgspec

from workbench.cli.arguments import config_of, timing_of
from workbench.cli.jobs import Jobs, check_writable, copy_out, read_sets
from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.core.run import Run, RunError, RunRequest, Status
from workbench.core.titles import run_title
from workbench.pipeline.advice_text import advice_text
from workbench.pipeline.artefacts import read_advice, read_ledger
from workbench.pipeline.documents import run_document
from workbench.pipeline.fusion_text import ledger_table
from workbench.pipeline.layer_text import layer_lines, layers_document
from workbench.pipeline.reporting import write_report
from workbench.pipeline.summary import run_summary
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the run is done, 1 where it failed or was cancelled."""
    check_writable(arguments.report)
    plan = plan_of(arguments, output)
    sets = read_sets(arguments)
    config = msgspec.structs.replace(
        config_of(arguments),
        backend=arguments.backend,
        plan=plan,
        profiles=sets.profiles,
        optimize=not arguments.unfused,
        tuned=arguments.tuned,
    )
    run_id, folder = Store().new_folder()
    request = RunRequest(
        id=run_id,
        folder=str(folder),
        model_path=str(Path(arguments.model).absolute()),
        config=config,
        recipe=sets.recipe,
        calibration=sets.calibration if plan.uses_calibration else "",
        evaluation=sets.evaluation,
        evaluation_limit=arguments.limit,
        allowed_code=sets.allowed_code,
        layer_samples=arguments.layers,
        timing=timing_of(arguments),
        rebuild=arguments.rebuild,
    )
    jobs = Jobs(output)
    with jobs.until_interrupted():
        run = jobs.run(request, Path(arguments.model).stem)
    return _tell(arguments, output, run, folder)


def _tell(arguments: Namespace, output: Output, run: Run, folder: Path) -> int:
    ledger = read_ledger(folder, run) if arguments.ledger else None
    advised = read_advice(folder, run) if arguments.advice else None
    layers = Store().layer_errors(run.id)
    document = run_document(run) | ({"ledger": msgspec.to_builtins(ledger)} if ledger else {})
    document |= {"advice": msgspec.to_builtins(advised)} if advised else {}
    output.document(document | ({"layers": layers_document(layers)} if layers else {}))
    output.text("\n".join([run_summary(run), *(layer_lines(layers) if layers else [])]))
    if ledger:
        output.text(f"\n{ledger_table(ledger).rstrip()}")
    if advised:
        output.text(f"\n{advice_text(advised)}")
    if arguments.out is not None:
        copy_out([folder], arguments.out)
    if arguments.report is not None:
        write_report(arguments.report, [folder])
        output.note(f"report: {arguments.report}")
    if run.status is Status.DONE:
        return 0
    error = run.error or RunError(f"The run is {run.status.value}.")
    output.failed(f"{run_title(run)}: {error.message}", error.hint)
    return 1
