"""Taking a fix: an `Edit` becomes one undoable choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from workbench.core.edits import Edit
from workbench.session.choices import Choices

if TYPE_CHECKING:
    from workbench.session.session import Session


def apply_edit(session: Session, edit: Edit) -> None:
    """Changes the choices for the next build as one step of undo; nothing where they are so already."""
    session.choose_all(edited(session, edit), edit.title)


def would_change(session: Session, edit: Edit) -> bool:
    """Whether the choices are not so already."""
    return edited(session, edit) != session.choices


def edited(session: Session, edit: Edit) -> Choices:
    """The choices with the edit."""
    from workbench.pipeline.verdicts import with_fixed
    from workbench.precision.plan_edits import paint

    choices = session.choices
    plan = choices.plan
    plan = msgspec.structs.replace(
        plan,
        default=edit.default or plan.default,
        clean=plan.clean or edit.clean,
        skip=tuple(name for name in plan.skip if name not in edit.unskip),
        keep_io=plan.keep_io if edit.keep_io is None else edit.keep_io,
    )
    matcher = session.plan.matcher
    if edit.nodes and edit.precision is not None and matcher is not None:
        plan = paint(matcher, plan, edit.nodes, edit.precision)
    return msgspec.structs.replace(
        choices,
        plan=plan,
        backend=edit.backend or choices.backend,
        shapes={**choices.shapes, **edit.shapes},
        recipe=with_fixed(choices.recipe, edit.fixed) if edit.fixed else choices.recipe,
    )
