"""The plan as a live document: every edit is one undoable choice, and each node can be asked what it will run in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject, Signal

from workbench.core.precision import Precision, PrecisionPlan, Rule
from workbench.core.words import plural
from workbench.session.asked import AskedPrecisions
from workbench.session.plan_saved import SavedPlan
from workbench.session.quantizers import Quantizers

if TYPE_CHECKING:
    from workbench.precision.matching import Matcher
    from workbench.precision.plan_diff import PlanDiff
    from workbench.precision.rules import Explanation
    from workbench.session.session import Session

_NONE: Mapping[str, str] = {}


class TextProblem(msgspec.Struct, frozen=True):
    """Why a text is no plan. `line` counts from 1; 0: not known."""

    message: str
    hint: str = ""
    line: int = 0


class PlanDocument(QObject):
    """`session.plan`. Methods that edit need an open model and do nothing without one.

    `brush` is the precision that strokes on the graph paint; None erases.
    """

    brush_changed = Signal(object)  # Precision or None

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._asked = AskedPrecisions()
        self._limits: tuple[object, Mapping[str, str]] = (None, _NONE)
        self.brush: Precision | None = Precision.FP32
        self.saved = SavedPlan(session)
        self.quantizers = Quantizers(session)

    # what it says

    @property
    def value(self) -> PrecisionPlan:
        return self._session.choices.plan

    @property
    def matcher(self) -> Matcher | None:
        """What finds the nodes of the open model that a rule selects."""
        model = self._session.model
        return self._asked.matcher(model) if model is not None else None

    @property
    def explanation(self) -> Explanation | None:
        """What the plan asks of each node of the open model, and why."""
        return self.explain(self.value)

    def explain(self, plan: PrecisionPlan) -> Explanation | None:
        model = self._session.model
        return self._asked.explain(model, plan) if model is not None else None

    def asks(self, plan: PrecisionPlan) -> Mapping[str, Precision]:
        """The precision that a plan asks of each node of the open model."""
        return self._asked.of(self._session.model, plan)

    def reason(self, node: str, plan: PrecisionPlan | None = None) -> str:
        """What decides over a node: `default`, `rule 2: op = Conv (over rule 1)`; empty for an unknown node."""
        from workbench.precision.plan_diff import why

        explanation = self.explain(plan or self.value)
        if explanation is None or node not in explanation.asked:
            return ""
        decision = explanation.why(node)
        over = ", ".join(str(index + 1) for index in decision.overrode)
        tail = f" (over rule{'s' if len(decision.overrode) > 1 else ''} {over})" if over else ""
        return why(explanation.plan, decision) + tail

    def why(self, node: str, plan: PrecisionPlan | None = None) -> str:
        """`INT8 by rule 2: op = Conv`, `FP32 by default`; empty for an unknown node."""
        asked = self.asks(plan or self.value).get(node)
        return f"{asked.label} by {self.reason(node, plan)}" if asked is not None else ""

    def tell(self, nodes: Collection[str]) -> str:
        """What nodes will run in and why, in a line or two; of several how many in what."""
        asked = self.asks(self.value)
        known = [node for node in nodes if node in asked]
        if len(known) > 1:
            counts = Counter(asked[node].label for node in known)
            return "plan: " + ", ".join(f"{count:,} {label}" for label, count in counts.most_common())
        return "\n".join(f"plan: {self.why(node)}\n{self.limits.get(node, '')}".strip() for node in known)

    @property
    def limits(self) -> Mapping[str, str]:
        """Nodes that the chosen backend will not run as asked, and why, as far as that is known before a build."""
        from workbench.precision.limits import limits

        session, explanation = self._session, self.explanation
        info = session.backends.get(session.choices.backend)
        if session.model is None or explanation is None or info is None:
            return _NONE
        key = (session.model.sha256, self.value, info)
        if self._limits[0] != key:
            found = limits(session.model, explanation, info.title, info.precisions, info.dialect)
            self._limits = (key, found)
        return self._limits[1]

    def refusal(self, precision: Precision) -> str:
        """Why the chosen backend has no such precision here; empty: it has, or nobody knows yet."""
        info = self._session.backends.get(self._session.choices.backend)
        if info is None:
            return ""
        from workbench.precision.limits import refusal

        return refusal(precision, info.title, info.precisions, info.dialect)

    def remark(self, precision: Precision) -> str:
        """What the chosen backend says of a precision: why not, or how where it is not the plain way."""
        info = self._session.backends.get(self._session.choices.backend)
        return self.refusal(precision) or (info.remarks.get(precision, "") if info is not None else "")

    @property
    def passes(self) -> Mapping[str, str]:
        """Clean-up passes by name, with what each does in words."""
        from workbench.precision import list_passes

        return {known.name: known.text for known in list_passes()}

    @property
    def blocks(self) -> tuple[int, ...]:
        """How many weights may share a scale in INT4."""
        from workbench.precision.passes.weight_only import BLOCKS

        return BLOCKS

    @property
    def problems(self) -> tuple[str, ...]:
        """Sentences about rules that do not fit the open model."""
        explanation = self.explanation
        return explanation.problems if explanation is not None else ()

    def difference(self, before: PrecisionPlan, after: PrecisionPlan | None = None) -> PlanDiff | None:
        """What is different from one plan to another (None: the present one); None without a model."""
        from workbench.precision.plan_diff import diff_plans

        matcher = self.matcher
        return diff_plans(matcher, before, after or self.value) if matcher is not None else None

    # edits

    def set_plan(self, plan: PrecisionPlan, text: str, key: str = "") -> None:
        """Any other plan, as one edit that is called `text`."""
        self._session.choose("Plan: " + text, key, plan=plan)

    def set_fields(self, text: str, key: str = "", **fields: object) -> None:
        self.set_plan(msgspec.structs.replace(self.value, **fields), text, key)

    def set_default(self, precision: Precision) -> None:
        """A quantizer of others writes one precision: with another the workbench writes again."""
        quantizer = self.value.quantizer if precision is self.value.default else ""
        self.set_fields(f"default {precision.label}", default=precision, quantizer=quantizer)

    def set_keep_io(self, keep: bool) -> None:
        self.set_fields("keep input and output types" if keep else "let input and output types follow", keep_io=keep)

    def set_pass(self, name: str, on: bool) -> None:
        """Switches a clean-up pass."""
        others = [known for known in self.value.skip if known != name]
        self.set_fields(f"{name} {'on' if on else 'off'}", skip=tuple(others if on else [*others, name]))

    def set_block(self, block: int) -> None:
        """How many weights share a scale in INT4."""
        self.set_fields(f"blocks of {block}", block=block)

    def set_calibration(self, text: str, key: str = "", **fields: object) -> None:
        self.set_fields(text, key, calibration=msgspec.structs.replace(self.value.calibration, **fields))

    def paint(self, nodes: Collection[str]) -> None:
        """A stroke of the brush."""
        from workbench.precision.plan_edits import stroke

        brush = self.brush
        text = _words(nodes, brush.label if brush else "not painted")
        self._edit(lambda matcher, plan: stroke(matcher, plan, nodes, brush), text)

    def ask(self, nodes: Collection[str], precision: Precision) -> None:
        """These nodes in this precision, whatever other rules say."""
        from workbench.precision.plan_edits import paint

        self._edit(lambda matcher, plan: paint(matcher, plan, nodes, precision), _words(nodes, precision.label))

    def ask_default(self, nodes: Collection[str]) -> None:
        self.ask(nodes, self.value.default)

    def erase(self, nodes: Collection[str]) -> None:
        """These nodes are painted no more: other rules or the default decide."""
        from workbench.precision.plan_edits import erase

        self._edit(lambda matcher, plan: erase(matcher, plan, nodes), _words(nodes, "not painted"))

    def ask_group(self, scope: str, precision: Precision | None) -> None:
        """A whole group in this precision; None: as other rules and the default say."""
        from workbench.precision.plan_edits import set_scope

        text = f"{scope} {precision.label if precision else 'as other rules say'}"
        self._edit(lambda matcher, plan: set_scope(matcher, plan, scope, precision), text)

    def add_rule(self, rule: Rule) -> None:
        """At the end, where it has the last word; in the place of one that selects the same."""
        from workbench.precision.plan_edits import put_rule

        self.set_plan(put_rule(self.value, rule), f"{rule.words} {rule.precision.label}")

    def add_selected(self, precision: Precision) -> None:
        """The selected nodes in this precision."""
        if self._session.selection.nodes:
            self.ask(self._session.selection.nodes, precision)

    def set_rule(self, index: int, rule: Rule, key: str = "") -> None:
        rules = self.value.rules
        text = f"rule {index + 1}, {rule.words} {rule.precision.label}"
        self.set_fields(text, key, rules=(*rules[:index], rule, *rules[index + 1 :]))

    def remove_rules(self, indices: Iterable[int]) -> None:
        gone = set(indices)
        kept = tuple(rule for index, rule in enumerate(self.value.rules) if index not in gone)
        self.set_fields(f"remove {plural(len(self.value.rules) - len(kept), 'rule')}", rules=kept)

    def move_rule(self, source: int, target: int) -> None:
        """The rule at `source` stands at `target` afterwards."""
        from workbench.precision.plan_edits import move_rule

        self.set_plan(move_rule(self.value, source, target), f"rule {source + 1} to place {target + 1}")

    def drop_shadowed(self) -> None:
        """Removes rules of which later ones select every node."""
        from workbench.precision.plan_edits import drop_shadowed

        self._edit(drop_shadowed, "remove shadowed rules")

    def clear(self) -> None:
        """No rules: everything in the default precision."""
        self.set_fields("no rules", rules=())

    def _edit(self, edit: object, text: str) -> None:
        matcher = self.matcher
        if matcher is not None:
            self.set_plan(edit(matcher, self.value), text)  # type: ignore[operator]

    # brush

    def set_brush(self, precision: Precision | None) -> None:
        if precision is not self.brush:
            self.brush = precision
            self.brush_changed.emit(precision)

    # text

    @property
    def text(self) -> str:
        """The plan as TOML."""
        from workbench.precision import plan_text

        explanation = self.explanation
        return plan_text(self.value, explanation.matched if explanation else (), self._session.model)

    def check_text(self, text: str) -> TextProblem | None:
        """Why this is no plan; None: it is one."""
        from workbench.precision import PlanError, parse_plan

        try:
            parse_plan(text)
        except PlanError as error:
            return TextProblem(error.message, error.hint, error.line)
        return None

    def apply_text(self, text: str) -> None:
        """The plan becomes what the text says. Raises WorkbenchError."""
        from workbench.precision import parse_plan

        self.set_plan(parse_plan(text), "text")

    # files

    def save(self, path: Path) -> None:
        """Raises WorkbenchError."""
        explanation = self.explanation
        self.saved.write(path, self.value, explanation.matched if explanation else (), self._session.model)

    def load(self, path: Path) -> str:
        """The plan of a file in the place of this one. Says what should be looked at. Raises WorkbenchError."""
        found = self.saved.read(path)
        self.set_plan(found.plan, f"load {path.name}")
        model = self._session.model
        doubts = [found.doubts(model)] if model is not None else []
        return " ".join(filter(None, [*doubts, *self.problems[:3]]))

    def peek(self, path: Path) -> PrecisionPlan:
        """The plan of a file, without taking it. Raises WorkbenchError."""
        from workbench.precision import read_plan

        return read_plan(path)

    @property
    def is_saved(self) -> bool:
        """Whether the file it was last saved to or loaded from holds the plan as it is."""
        return self.saved.path is not None and self.saved.plan == self.value


def _words(nodes: Collection[str], what: str) -> str:
    return f"{plural(len(nodes), 'node')} {what}"
