"""The plan as a file: TOML that people read, write and keep beside a model. One place for reading and for writing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from workbench.core.errors import WorkbenchError, disk_error, one_line
from workbench.core.model import Model
from workbench.core.precision import Calibration, Precision, PrecisionPlan, Rule
from workbench.core.reading import read_file
from workbench.core.writing import written_whole
from workbench.precision.plan_parse import VERSION, PlanError, PlanFile, is_id, parse_plan_file

MAX_BYTES = 16_000_000  # 50,000 painted nodes with long names are 5 MB
_HEAD = f"""\
# A precision plan: which node runs in which precision. Of the rules that select a node, the last one wins.
# A rule selects by name (a glob), op, scope (a glob over groups), nodes (names or ids), and first or last layers.
# Precisions: {", ".join(Precision)}.
"""


def read_plan(path: Path) -> PrecisionPlan:
    """The plan in a file. Raises WorkbenchError; PlanError with the line where the text is no plan."""
    return read_plan_file(path).plan


def read_plan_file(path: Path) -> PlanFile:
    data = read_file(path, limit=MAX_BYTES, hint="A precision plan is a small text file.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PlanError(
            f"{path.name} is not a precision plan: line {line} is not UTF-8.",
            f'It has lines like: default = "int8". Precisions: {", ".join(Precision)}.',
            line,
        ) from error
    return parse_plan_file(text, path.name)


def plan_text(plan: PrecisionPlan, counts: Sequence[int] = (), model: Model | None = None) -> str:
    """The plan as TOML that gives the same plan again. `counts` are the nodes each rule selects, for a comment.

    Only what differs from the defaults is written; for a `model` its hash, where rules name nodes by id.
    """
    table = {"version": VERSION, **_given(plan, PrecisionPlan())}
    table["default"] = plan.default.value
    rules, calibration = table.pop("rules", []), table.pop("calibration", {})
    if plan.needs_calibration:
        calibration = _given(plan.calibration, Calibration()) | {
            "method": plan.calibration.method.value,
            "samples": plan.calibration.samples,
        }
    blocks = [_HEAD + tomli_w.dumps(table)]
    if model is not None and any(is_id(entry) for rule in plan.rules for entry in rule.nodes):
        written = {"file": one_line(Path(model.path).name), "sha256": model.sha256}
        blocks.append("# Ids of nodes hold for this file only.\n" + tomli_w.dumps({"model": written}))
    if calibration:
        blocks.append(tomli_w.dumps({"calibration": calibration}))
    for index, _rule in enumerate(rules):
        comment = f"# Rule {index + 1}" + (f": {_nodes(counts[index])}" if index < len(counts) else "")
        blocks.append(f"{comment}\n[[rules]]\n" + tomli_w.dumps(_ordered(plan.rules[index])))
    return "\n".join(blocks)


def write_plan(path: Path, plan: PrecisionPlan, counts: Sequence[int] = (), model: Model | None = None) -> None:
    """Writes `plan_text`, whole or not at all. Raises WorkbenchError."""
    try:
        with written_whole(path) as file:
            file.write(plan_text(plan, counts, model).encode())
    except UnicodeEncodeError as error:
        raise WorkbenchError("A name in the plan is not UTF-8.", "Use a glob, or ids.") from error
    except OSError as error:
        raise disk_error(error) from error


def _given(value: msgspec.Struct, default: msgspec.Struct) -> dict[str, Any]:
    """The fields that differ from the default."""
    names: Iterable[str] = value.__struct_fields__
    return {
        name: msgspec.to_builtins(getattr(value, name))
        for name in names
        if getattr(value, name) != getattr(default, name)
    }


def _ordered(rule: Rule) -> dict[str, Any]:
    """The rule's fields as people think of them: the precision, then the selectors, the long list last."""
    given = _given(rule, Rule(rule.precision)) | {"precision": rule.precision.value}
    order = ("note", "precision", "off", "name", "op", "scope", "first", "last", "nodes")
    return {name: given[name] for name in order if name in given}


def _nodes(count: int) -> str:
    return f"{count:,} node{'' if count == 1 else 's'}"
