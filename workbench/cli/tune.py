"""`workbench tune`: the options with which a backend runs an engine fastest on this machine."""

from __future__ import annotations

from argparse import Namespace

from workbench.cli.jobs import Jobs, request_of
from workbench.cli.output import Output
from workbench.core.titles import run_title
from workbench.core.tuning import Trial, TuneRequest, Tuning, options_words
from workbench.pipeline.conditions import machine_line
from workbench.store import Store


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where the search came to its end, also where nothing beat the default."""
    store = Store()
    run = store.find(arguments.run)
    request = request_of(store, run)
    tuning_id, folder = store.new_folder()
    jobs = Jobs(output)
    with jobs.until_interrupted():
        tuning = jobs.tune(TuneRequest(tuning_id, str(folder), request, arguments.seconds))
    if tuning.error is None:
        store.keep_tuning(tuning)
    return _tell(output, run_title(run), tuning)


def _tell(output: Output, title: str, tuning: Tuning) -> int:
    output.document(tuning)
    if tuning.error is not None:
        output.failed(tuning.error.message, tuning.error.hint)
        return 1
    for trial in tuning.trials:
        output.text(f"  {_figures(trial):<24}  {options_words(trial.options)}")
    output.text(f"\n{title}: {tuning.verdict}.")
    if tuning.best:
        output.text(f"`workbench run ... --tuned` uses it from now on: {options_words(tuning.best)}.")
    else:
        output.text("The default stays: nothing beat it beyond noise.")
    output.text(f"{tuning.protocol}.\n{machine_line(tuning.machine)}.")
    return 0


def _figures(trial: Trial) -> str:
    return f"{trial.speedup:.3f}× ({trial.rounds} rounds)" if trial.rounds else f"out: {trial.reason}"
