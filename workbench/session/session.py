"""Session: the open document. Views show it and change it only through here; every choice can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model
from workbench.core.precision import Precision
from workbench.core.recipe import Recipe
from workbench.core.requests import AnyResult
from workbench.core.run import EngineGraph, Run
from workbench.session.advising import Advising
from workbench.session.asking import Ask
from workbench.session.baseline import baseline_of
from workbench.session.batch_freeing import BatchFreeing
from workbench.session.build_commands import BuildCommands
from workbench.session.builds import build
from workbench.session.calibrations import Calibrations
from workbench.session.choices import Choices
from workbench.session.commands import ChangeChoices
from workbench.session.culprits import CulpritSearches
from workbench.session.layer_spreads import LayerSpreads
from workbench.session.memory_plans import MemoryPlans
from workbench.session.node_costs import NodeCosts
from workbench.session.options import Options
from workbench.session.pair import EnginePair
from workbench.session.plan import PlanDocument
from workbench.session.plan_searches import PlanSearches
from workbench.session.profile_memories import ProfileMemories
from workbench.session.profiles import Profiles
from workbench.session.questions import BackendInfo, Opened, OpenQuestion, SamplesInfo
from workbench.session.races import Races
from workbench.session.replannings import Replannings
from workbench.session.requests import allow_code
from workbench.session.rooflines import Rooflines
from workbench.session.runs import Runs
from workbench.session.samples import SamplePreviews
from workbench.session.scopes import Scopes
from workbench.session.selection import Links, Selection
from workbench.session.settings import Settings
from workbench.session.sweeps import Sweeps
from workbench.session.targets import Targets
from workbench.session.theatre import Theatre
from workbench.session.tunings import Tunings
from workbench.session.verdicts import Verdicts
from workbench.session.why import Why
from workbench.store import Store


class Message(msgspec.Struct, frozen=True):
    """One thing to tell the user. `actions` are button titles with what they do."""

    text: str
    hint: str = ""
    is_error: bool = True
    actions: tuple[tuple[str, Callable[[], object]], ...] = ()


class Session(QObject):
    """Signals are in the past tense and carry one object. All methods are for the UI thread."""

    opening_changed = Signal(object)  # path, or "" when done
    model_changed = Signal(object)  # Model or None
    choices_changed = Signal(object)  # Choices
    backends_changed = Signal(object)  # dict of id -> BackendInfo
    samples_changed = Signal(object)  # source
    selection_changed = Signal(object)  # Selection
    current_changed = Signal(object)  # Run or None
    engine_changed = Signal(object)  # EngineGraph or None: of the current run
    compared_changed = Signal(object)  # tuple of run ids
    message_changed = Signal(object)  # Message or None

    def __init__(
        self, store: Store | None = None, settings: Settings | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.settings = settings or Settings(parent=self)
        self.runs = Runs(store or Store(), self)
        self.undo = QUndoStack(self)
        self.model: Model | None = None
        self.choices = Choices()
        self.backends: dict[str, BackendInfo] = {}
        self.samples = SamplePreviews(self)
        self.selection = Selection()
        self.current: Run | None = None
        self.compared: tuple[str, ...] = ()
        self.message: Message | None = None
        self.scopes = Scopes()
        self.links = Links(None, None)
        self.plan = PlanDocument(self)
        self._opening = ""
        self._opener = Ask("open", Opened, self)
        self._prober = Ask("capabilities", dict[str, BackendInfo], self)
        self.pair = EnginePair(self)
        self.races = Races(self)
        self.why = Why(self)
        self.memory_plans = MemoryPlans(self)
        self.profiles = Profiles(self)
        self.chosen_targets, self.options = Targets(self), Options(self)
        self.batch_freeing, self.profile_memories = BatchFreeing(self), ProfileMemories(self)
        self.rooflines = Rooflines(self)
        self.tunings = Tunings(self)
        self.sweeps, self.replannings = Sweeps(self), Replannings(self)
        self.layer_spreads = LayerSpreads(self)
        self.costs = NodeCosts(self)
        self.build_commands = BuildCommands(self)
        self.calibrations = Calibrations(self)
        self.culprits = CulpritSearches(self)
        self.searches = PlanSearches(self)
        self.verdicts = Verdicts(self)
        self.advising = Advising(self)
        self.theatre = Theatre(self)
        self._connect()

    def _connect(self) -> None:
        self._opener.answered.connect(self.take)
        self._opener.failed.connect(self._open_failed)
        self._prober.answered.connect(self._probed)
        self._prober.failed.connect(self.show_error)
        self.samples.changed.connect(self.samples_changed)
        self.runs.changed.connect(self._runs_changed)
        self.runs.engine_changed.connect(self._engine_arrived)
        self.runs.failed.connect(self.show_error)
        self.runs.finished.connect(self._finished)

    # states that actions ask for

    @property
    def has_model(self) -> bool:
        return self.model is not None

    @property
    def is_opening(self) -> bool:
        return bool(self._opening)

    @property
    def is_probing(self) -> bool:
        return self._prober.is_busy

    @property
    def is_busy(self) -> bool:
        return self.runs.is_busy

    @property
    def can_cancel(self) -> bool:
        return self.is_busy or self.is_opening

    @property
    def has_run(self) -> bool:
        return self.current is not None

    @property
    def has_runs(self) -> bool:
        return any(True for _ in self.visible_runs())

    @property
    def can_undo(self) -> bool:
        return self.undo.canUndo()

    @property
    def can_redo(self) -> bool:
        return self.undo.canRedo()

    @property
    def has_selection(self) -> bool:
        return bool(self.selection)

    @property
    def engine(self) -> EngineGraph | None:
        """The engine of the current run; None where that is another model's, whose nodes are not these."""
        return self.runs.engine(self.current.id) if self.current and self.is_of_model(self.current) else None

    @property
    def asked(self) -> Mapping[str, Precision]:
        """The precision that the plan asks of each source node."""
        return self.plan.asks(self.choices.plan)

    @property
    def asked_of_run(self) -> Mapping[str, Precision]:
        """What the current run's own plan asked of each node; without a run, what the plan asks now."""
        return self.plan.asks(self.current.config.plan if self.current else self.choices.plan)

    def visible_runs(self) -> Iterable[Run]:
        """Runs of the open model, or all of them where the setting says so; newest first."""
        everything = self.settings.get("all_models") or self.model is None
        return (run for run in self.runs if everything or self.is_of_model(run))

    def is_of_model(self, run: Run) -> bool:
        return self.model is not None and run.model_sha256 == self.model.sha256

    @property
    def baseline(self) -> Run | None:
        """The run of the open model that speed-ups are counted from."""
        return baseline_of([run for run in self.runs if self.is_of_model(run)])

    @property
    def targets(self) -> dict[str, str]:
        """What people call the targets of all backends: `sm89` is `RTX 40 series, L4, L40S (Ada)`."""
        return {target: words for info in self.backends.values() for target, words in info.targets.items()}

    # opening

    def probe_backends(self) -> None:
        """Asks, in a child process, what every backend can do here."""
        self._prober.ask()

    def open(self, path: str) -> None:
        """Opens a model in a child process; `model_changed` or a message follows."""
        path = str(Path(path).expanduser().absolute())
        self._opening = path
        self.opening_changed.emit(path)
        self._opener.ask(OpenQuestion(path))

    def cancel_opening(self) -> None:
        self._opener.cancel()
        self._opening = ""
        self.opening_changed.emit("")

    def close_model(self) -> None:
        self._set_document(None, Recipe())

    def take(self, opened: Opened) -> None:
        """Shows a model that has been read."""
        self._opening = ""
        self.settings.remember_file(opened.model.path)
        self._set_document(opened.model, opened.recipe)
        self.opening_changed.emit("")

    def _open_failed(self, error: WorkbenchError) -> None:
        self.settings.forget_file(self._opening)
        self._opening = ""
        self.opening_changed.emit("")
        self.show_error(error)

    def _set_document(self, model: Model | None, recipe: Recipe) -> None:
        self.undo.clear()
        self.model, self.current, self.selection = model, None, Selection()
        self.links = Links(model, None)
        newest = self.runs.get(self._newest_id())
        self.choices = Choices.of(model, recipe) if model else Choices()
        if newest is not None:
            self.choices = self.choices.like(newest).with_profiles(recipe.profiles)
        self.dismiss_message()
        self.set_compared(())
        self.model_changed.emit(model)
        self.choices_changed.emit(self.choices)
        self.set_current(newest.id if newest is not None else "")
        self._preview_samples()

    def _newest_id(self) -> str:
        """Of the open model's runs that were made here; "" where there are none."""
        return next((run.id for run in self.runs if self.is_of_model(run) and not run.imported), "")

    def _probed(self, found: dict[str, BackendInfo]) -> None:
        self.backends = found
        self.backends_changed.emit(found)

    # choices

    def choose(self, text: str, key: str = "", **fields: object) -> None:
        """One undoable edit of the choices. `text` names it in the Edit menu; equal `key`s in a row become one."""
        self.choose_all(msgspec.structs.replace(self.choices, **fields), text, key)

    def choose_all(self, after: Choices, text: str, key: str = "") -> None:
        if after != self.choices:
            self.undo.push(ChangeChoices(self.choices, after, text, self._apply, key))

    def _apply(self, choices: Choices) -> None:
        before, self.choices = self.choices, choices
        if choices.recipe != before.recipe:
            self._keep_recipe(choices.recipe)
        self.choices_changed.emit(choices)
        self._preview_samples()

    def _keep_recipe(self, recipe: Recipe) -> None:
        from workbench.data import write_recipe

        if self.model is None:
            return
        try:
            write_recipe(self.model, recipe)
        except (WorkbenchError, OSError) as error:
            self.show_error(WorkbenchError(f"The recipe could not be saved: {error}"))

    def preview(self, source: str) -> SamplesInfo | WorkbenchError | None:
        """What is known of a sample set: its figures, why it cannot be read, or None while it is being read."""
        return self.samples.get(source)

    def _preview_samples(self) -> None:
        if self.model is not None:
            self.samples.look_at(self.model, self.choices)

    # selection

    def select_nodes(self, ids: Iterable[str]) -> None:
        self.select(self.links.by_nodes(ids))

    def select_layers(self, ids: Iterable[str]) -> None:
        self.select(self.links.by_layers(ids))

    def select(self, selection: Selection) -> None:
        selection = self.pair.completed(selection)
        if selection != self.selection:
            self.selection = selection
            self.selection_changed.emit(selection)

    def _engine_arrived(self, run_id: str) -> None:
        if self.current is not None and run_id == self.current.id:
            self._relink()

    def _relink(self) -> None:
        """Links and selection go together: nobody is told before both are those of the engine now."""
        engine = self.engine
        self.links = Links(self.model, engine)
        self.selection = self.pair.completed(self.links.again(self.selection))
        self.engine_changed.emit(engine)
        self.selection_changed.emit(self.selection)

    # runs

    def build(self, other: Choices | None = None, *, rebuild: bool = False) -> Run | None:
        """Puts runs into the queue, of the present choices or of others: one, or one a target. The first of them."""
        return build(self, other or self.choices, rebuild=rebuild)

    def allow_code(self) -> None:
        """Lets the task's code run, as it is now, and builds again."""
        allow_code(self.choices.recipe, self.settings)
        self.build()

    def cancel(self) -> None:
        """Ends opening and every job, at once."""
        if self.is_opening:
            self.cancel_opening()
        self.runs.cancel()

    def set_current(self, run_id: str) -> None:
        run = self.runs.get(run_id)
        if self.current is not None and run is not None and run.id == self.current.id:
            return
        self.current = run
        if run is not None and run.id not in self.compared:
            self.set_compared((run.id,))
        self.current_changed.emit(run)
        self._relink()

    def set_compared(self, run_ids: Iterable[str]) -> None:
        ids = tuple(dict.fromkeys(run_id for run_id in run_ids if self.runs.get(run_id) is not None))
        if ids != self.compared:
            self.compared = ids
            self.compared_changed.emit(ids)

    def _runs_changed(self, ids: frozenset[str]) -> None:
        if self.current is not None and self.current.id in ids:
            self.current = self.runs.get(self.current.id)
            if self.current is None:
                self.set_current(self._newest_id())
            else:
                self.current_changed.emit(self.current)
        self.set_compared(self.compared)

    def _finished(self, result: AnyResult) -> None:
        """The view follows the queue: from a run that is over to the next, unless the user looks at another."""
        waiting = (self.runs.get(job) for job in self.runs.jobs)
        following = next((run.id for run in waiting if run is not None and self.is_of_model(run)), "")
        if following and self.current is not None and result.id == self.current.id:
            self.set_compared((following, *(known for known in self.compared if known != following)))
            self.set_current(following)

    def export_report(self, path: str) -> None:
        """Writes the compared runs (else all shown) as one HTML file."""
        from workbench.session.export import export_report

        export_report(self, Path(path))

    # messages

    def show_error(self, error: WorkbenchError) -> None:
        self.show(Message(error.message, error.hint))

    def show(self, message: Message | None) -> None:
        self.message = message
        self.message_changed.emit(message)

    def dismiss_message(self) -> None:
        if self.message is not None:
            self.show(None)

    def close(self) -> None:
        """Ends every child process; to be called before the program goes."""
        self.undo.clear()  # or its end would tell of it, when everything else is gone already
        self._opener.cancel()
        self._prober.cancel()
        for part in (self.samples, self.costs, self.profiles, self.verdicts, self.runs):
            part.close()
