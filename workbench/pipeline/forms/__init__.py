"""A TensorRT run as commands for other tools. Each file here but `recipe` is one tool."""

from __future__ import annotations

from collections.abc import Callable

from workbench.core.errors import WorkbenchError
from workbench.core.run import RunRequest
from workbench.pipeline.forms.polygraphy import polygraphy
from workbench.pipeline.forms.recipe import BuildRecipe, build_recipe
from workbench.pipeline.forms.script import script
from workbench.pipeline.forms.trtexec import trtexec10, trtexec11

Form = Callable[[BuildRecipe], str]

FORMS: dict[str, tuple[str, Form]] = {
    "trtexec11": ("trtexec 11", trtexec11),
    "trtexec10": ("trtexec 10", trtexec10),
    "polygraphy": ("Polygraphy", polygraphy),
    "python": ("Python script", script),
}
"""Id -> what people call it, and the text for a terminal (or a file) that builds the same engine."""


def command_text(request: RunRequest, form: str) -> str:
    """The text in one of `FORMS`: the export of the typed ONNX, then the build. What a form cannot say is a comment.

    Raises WorkbenchError where the run was not built by TensorRT.
    """
    if form not in FORMS:
        raise WorkbenchError(f"There is no form {form!r}.", f"Choose from {', '.join(FORMS)}.")
    return FORMS[form][1](build_recipe(request))
