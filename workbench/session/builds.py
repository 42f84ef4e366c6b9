"""Pressing Build: one run a target, after a look at what a target refuses; code of a task only where it was allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from workbench.core.run import Run
from workbench.session.choices import Choices
from workbench.session.requests import refused_code, run_request

if TYPE_CHECKING:
    from workbench.session.session import Session


def build(session: Session, choices: Choices, *, rebuild: bool) -> Run | None:
    """Queues what the choices ask for; gives the first run of it, or None. What is refused is told, with a way out."""
    if session.model is None:
        return None
    session.dismiss_message()
    wanted = [(one, session.chosen_targets.problem_of(one)) for one in session.chosen_targets.builds(choices)]
    runs = [_submit(session, one, rebuild=rebuild) for one, problem in wanted if problem is None]
    refused = [(one, problem) for one, problem in wanted if problem is not None]
    if refused:
        session.chosen_targets.refused(refused)
    return next(filter(None, runs), None)


def _submit(session: Session, choices: Choices, *, rebuild: bool) -> Run | None:
    """Current, where nothing else is at work."""
    from workbench.session.session import Message

    job = session.runs.new_job()
    if session.model is None or job is None:
        return None
    run_id, folder = job
    request = run_request(session.model, choices, session.settings, run_id, folder, rebuild=rebuild)
    if path := refused_code(choices.recipe, session.settings):
        text = f"{Path(path).name} of the task is code, and is not run."
        session.show(Message(text, f"Read it: {path}", False, (("Allow it and build again", session.allow_code),)))
    is_first = not session.is_busy
    run = session.runs.submit(request, session.model)
    if is_first:
        session.set_current(run.id)
        session.set_compared((run.id, *(known for known in session.compared if known != run.id)))
    return run
