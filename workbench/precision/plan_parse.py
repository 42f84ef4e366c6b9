"""A text that people may have written, read strictly as a precision plan: every error names its line and its field."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.model import Model
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan, Rule
from workbench.precision.cleaning import list_passes
from workbench.precision.passes.weight_only import BLOCKS

VERSION = 1
_MAX_COUNT = 1_000_000_000
_KINDS = {
    "array": "a list",
    "object": "a table",
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


class PlanError(WorkbenchError):
    """A text that is no plan. `line` counts from 1; 0 where it is not known."""

    def __init__(self, message: str, hint: str = "", line: int = 0) -> None:
        super().__init__(message, hint)
        self.line = line


class WrittenFor(msgspec.Struct, frozen=True):
    """The model that a plan was written for: where it names nodes by id, it holds for no other."""

    file: str = ""
    sha256: str = ""


class PlanFile(msgspec.Struct, frozen=True):
    """A plan with what its file says besides."""

    plan: PrecisionPlan
    model: WrittenFor = WrittenFor()

    def doubts(self, model: Model) -> str:
        """Where rules name nodes by id and the file was written for another model, a sentence; else nothing."""
        if not self.model.sha256 or self.model.sha256 == model.sha256:
            return ""
        ids = [index for index, rule in enumerate(self.plan.rules) if any(map(is_id, rule.nodes))]
        if not ids:
            return ""
        where = f"Rule {ids[0] + 1} names" if len(ids) == 1 else f"{len(ids)} rules name"
        return (
            f"{where} nodes by id, and the plan was written for another model"
            f" ({one_line(self.model.file, 60) or 'of another hash'}): look at what is selected."
        )


def is_id(reference: str) -> bool:
    """Whether an entry of `Rule.nodes` has the form of a node id (`n17`, `n3.then_branch.n0`)."""
    return re.fullmatch(r"n\d+(\..+)?", reference) is not None


def parse_plan(text: str, title: str = "The text") -> PrecisionPlan:
    """The plan in a text; `title` is what messages call it. Raises PlanError."""
    return parse_plan_file(text, title).plan


def parse_plan_file(text: str, title: str) -> PlanFile:
    table = _table(text, title)
    _check_version(table, text, title)
    known = {name: value for name, value in table.items() if name not in ("version", "model")}
    _check_fields(known, text, title)
    try:
        plan = msgspec.convert(known, PrecisionPlan)
        model = msgspec.convert(table.get("model", {}), WrittenFor)
    except msgspec.ValidationError as error:
        raise _invalid(error, text, title) from error
    for where, problem in _problems(plan):
        line = _line_of(text, where)
        raise _bad(title, f"{_place(where, line)}{problem}", "", line)
    return PlanFile(plan, model)


def _table(text: str, title: str) -> dict[str, Any]:
    hint = f'It has lines like: default = "int8". Precisions: {", ".join(Precision)}.'
    try:
        text.encode()
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        why = re.sub(r" \(at .*\)$", "", str(error))
        raise _bad(title, f"line {line}: {why[:1].lower()}{why[1:]}", hint, line) from error
    except (ValueError, RecursionError) as error:  # lone surrogates; numbers and nesting without end
        raise _bad(title, one_line(str(error), 100), hint) from error


def _check_version(table: dict[str, Any], text: str, title: str) -> None:
    version = table.get("version", VERSION)
    if version is not True and version == VERSION:
        return
    line = _line_of(text, "version")
    if isinstance(version, int) and version > VERSION:
        raise _bad(title, f"it has version {version}", f"This program reads version {VERSION}: take a newer one.", line)
    raise _bad(title, f"`version` is {one_line(repr(version), 40)}", f"Write version = {VERSION}.", line)


def _check_fields(table: dict[str, Any], text: str, title: str) -> None:
    """A misspelt field must not be silently without effect."""
    _only(table, (*PrecisionPlan.__struct_fields__, "version", "model"), "", text, title)
    if isinstance(table.get("calibration"), dict):
        _only(table["calibration"], Calibration.__struct_fields__, "calibration.", text, title)
    rules = table.get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            _only(rule, Rule.__struct_fields__, f"rules[{index}].", text, title)


def _only(table: dict[str, Any], fields: Sequence[str], where: str, text: str, title: str) -> None:
    for key in table:
        if key not in fields:
            near = difflib.get_close_matches(key, fields, 1)
            hint = f"Did you mean `{near[0]}`?" if near else f"There are: {', '.join(fields)}."
            line = _line_of(text, where + key)
            raise _bad(title, f"{_place(where.rstrip('.'), line)}there is no field `{one_line(key, 60)}`", hint, line)


def _problems(plan: PrecisionPlan) -> Iterator[tuple[str, str]]:
    """What types alone do not tell: the field, and what is wrong with it."""
    calibration = plan.calibration
    if not 50 <= calibration.percentile <= 100:
        yield "calibration.percentile", "it must be from 50 to 100 (per cent)"
    if not 1 <= calibration.samples <= _MAX_COUNT:
        yield "calibration.samples", "it must be 1 or more"
    for name in plan.skip:
        if name not in (passes := [known.name for known in list_passes()]):
            yield "skip", f"there is no clean-up pass {one_line(name, 40)}; there are: {', '.join(passes)}"
    if plan.block not in BLOCKS:
        yield "block", f"it is one of {', '.join(map(str, BLOCKS))}"
    for name in calibration.__struct_fields__:
        value = getattr(calibration, name)
        if isinstance(value, float) and not math.isfinite(value):
            yield f"calibration.{name}", "it must be a number"
    for index, rule in enumerate(plan.rules):
        for end in ("first", "last"):
            if not 0 <= getattr(rule, end) <= _MAX_COUNT:
                yield f"rules[{index}].{end}", "it is a count of layers: 0 or more"


def _invalid(error: msgspec.ValidationError, text: str, title: str) -> PlanError:
    """msgspec's sentence with the field and its line: `Expected `str`, got `int` - at `$.rules[0].name``."""
    why, _, path = str(error).partition(" - at ")
    where = path.strip("`").removeprefix("$").removeprefix(".")
    line = _line_of(text, where)
    why = why.replace("Object missing required field", "it lacks the field").replace(
        "Invalid enum value", "there is no"
    )
    why = re.sub(r"`(\w+)`", lambda kind: _KINDS.get(kind[1], kind[0]), why)
    known: dict[str, Sequence[str]] = {"precision": tuple(Precision), "method": tuple(CalibrationMethod)}
    words = known.get(where.rpartition(".")[2].replace("default", "precision"), ())
    hint = f"There are: {', '.join(words)}." if words else ""
    return _bad(title, f"{_place(where, line)}{one_line(why[:1].lower() + why[1:], 200)}", hint, line)


def _bad(title: str, why: str, hint: str = "", line: int = 0) -> PlanError:
    return PlanError(f"{title} is not a precision plan: {why.rstrip('.')}.", hint, line)


def _place(where: str, line: int) -> str:
    """`line 7, rule 2, `precision`: ` of what is known."""
    found = re.fullmatch(r"rules\[(\d+)\]\.?(.*)", where, re.DOTALL)
    rule, field = (f"rule {int(found[1]) + 1}", found[2]) if found else ("", where)
    parts = [f"line {line}"] * bool(line) + [rule] * bool(rule) + [f"`{one_line(field, 60)}`"] * bool(field)
    return f"{', '.join(parts)}: " if parts else ""


def _line_of(text: str, where: str) -> int:
    """The line, from 1, on which a field such as `rules[1].precision` stands; 0 where it is written some other way."""
    found = re.fullmatch(r"(?:(rules)\[(\d+)\]|(calibration|model))?(?:\[[^]]*\])?\.?(.*?)(?:\[.*)?", where, re.DOTALL)
    lines = text.splitlines()
    start, end = 0, len(lines)
    if found and (found[1] or found[3]):
        header = r"\s*\[\[\s*rules\s*\]\]" if found[1] else rf"\s*\[\s*{found[3]}\s*\]"
        at = [number for number, line in enumerate(lines) if re.match(header, line)]
        index = int(found[2] or 0)
        if index >= len(at):
            return 0
        start = at[index]
        end = next((n for n in range(start + 1, len(lines)) if re.match(r"\s*\[", lines[n])), end)
    key = re.escape(found[4] if found else where)
    hits = [n for n in range(start, end) if key and re.match(rf"""\s*["']?{key}["']?\s*=""", lines[n])]
    return hits[0] + 1 if hits else start + 1 if start else 0
