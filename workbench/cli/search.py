"""`workbench search`: the best precision plan under a limit, by building and measuring; killed, it goes on later."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path

import msgspec

from workbench.cli.jobs import Jobs, read_sets, set_source
from workbench.cli.output import Output
from workbench.cli.plans import plan_of
from workbench.core.errors import WorkbenchError, disk_error
from workbench.core.precision import Precision, Rule
from workbench.core.run import BuildConfig, RunRequest
from workbench.core.search import Limit, LimitKind, Search, SearchRequest, next_request
from workbench.model import open_model
from workbench.pipeline.searching.text import point_words, search_document, search_table, summary
from workbench.precision import write_plan
from workbench.precision.matching import Matcher
from workbench.store import Store

PLAN_NAME = re.compile(r"[^a-z0-9]+")


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where a plan within the limit was found and measured again; 1 where not, or the search was ended.

    What was found before stays, and the same command goes on from it.
    """
    jobs, store = Jobs(output), Store()
    request = _request(arguments, output)
    with jobs.until_interrupted():
        found = _search(jobs, store, request, _Listener(output))
    if found.points and arguments.out is not None:
        _write_plans(found, arguments.out, Path(request.run.model_path))
    return _tell(arguments, output, found, was_interrupted=jobs.was_interrupted)


class _Listener:
    """A line on stderr for each point, as it is measured."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._told: dict[int, bool] | None = None

    def __call__(self, searches: list[Search]) -> None:
        for search in searches:
            now = {point.id: point.again is not None for point in search.points}
            for point in search.points if self._told is not None else ():
                if self._told is not None and self._told.get(point.id) != now[point.id]:
                    self._output.note(point_words(search, point))
            self._told = now


def _search(jobs: Jobs, store: Store, request: SearchRequest, listener: _Listener) -> Search:
    """Legs, each in a fresh process, until there is no other."""
    going: SearchRequest | None = request
    found = Search("")
    while going is not None:
        job, folder = store.new_folder()
        one = msgspec.structs.replace(going, id=job, folder=str(folder))
        found = jobs.search(one, listener)
        store.delete(job)
        going = None if jobs.was_interrupted else next_request(one, found)
    return found


def _request(arguments: Namespace, output: Output) -> SearchRequest:
    plan, sets = plan_of(arguments, output), read_sets(arguments)
    config = BuildConfig(
        backend=arguments.backend,
        plan=plan,
        shapes=dict(arguments.shape),
        threads=arguments.threads,
        options=dict(arguments.option),
    )
    run = RunRequest(
        id="",
        folder="",
        model_path=str(Path(arguments.model).absolute()),
        config=config,
        recipe=sets.recipe,
        calibration=sets.calibration,
        evaluation=sets.evaluation,
        evaluation_limit=arguments.limit,
        allowed_code=sets.allowed_code,
    )
    return SearchRequest(
        id="",
        folder="",
        run=run,
        precisions=arguments.precisions,
        limit=limit_of(arguments),
        seconds=arguments.seconds,
        pinned=_pins(arguments),
        confirmation=set_source(arguments.confirm),
        **({"methods": arguments.methods} if arguments.methods else {}),
    )


def limit_of(arguments: Namespace) -> Limit:
    """The one that is given; else half a point of accuracy."""
    given = {
        LimitKind.LOSS: arguments.within,
        LimitKind.SQNR: arguments.sqnr,
        LimitKind.SPEEDUP: arguments.faster,
        LimitKind.TIME: arguments.under,
    }
    return next((Limit(kind, value) for kind, value in given.items() if value is not None), Limit())


def _pins(arguments: Namespace) -> dict[str, Precision]:
    """Nodes by name or id."""
    if not arguments.pin:
        return {}
    matcher = Matcher(open_model(Path(arguments.model)))
    found: dict[str, Precision] = {}
    for name, precision in arguments.pin:
        nodes = matcher.nodes(Rule(precision, nodes=(name,))) or matcher.nodes(Rule(precision, name=name))
        if not nodes:
            raise WorkbenchError(f"The model has no node {name!r} to pin.", "`workbench inspect` lists its nodes.")
        found |= dict.fromkeys(nodes, precision)
    return found


def _write_plans(found: Search, out: Path, model_path: Path) -> None:
    """The plans of the front, the best one as `best.toml` too. Raises WorkbenchError."""
    model = open_model(model_path)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(error) from error
    for point in found.front:
        name = PLAN_NAME.sub("-", point.title.lower()).strip("-")
        write_plan(out / f"{point.id:03d}-{name}.toml", point.plan, (), model)
    if found.best is not None:
        write_plan(out / "best.toml", found.best.plan, (), model)


def _tell(arguments: Namespace, output: Output, found: Search, *, was_interrupted: bool) -> int:
    output.document(search_document(found))
    if found.points:
        output.text(search_table(found, everything=arguments.all).rstrip())
        output.text("\n" + "\n".join(summary(found)))
    if was_interrupted:
        output.note("Ended before its time: the same command goes on from here.")
    elif found.error is not None:
        output.failed(found.error.message, found.error.hint)
    return 0 if found.is_over and found.best is not None and found.error is None else 1
