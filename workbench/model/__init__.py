"""ONNX in: the gate for files that nobody vouches for, and from a path to a Model."""

from workbench.model.branches import take_branches
from workbench.model.ids import sources_of
from workbench.model.opening import open_model
from workbench.model.private import annotate, plain_copy, private_copy, shape_problem
from workbench.model.scopes import engine_scopes, find_all_scopes, find_scopes
from workbench.model.shapes import check_shapes, guess_shapes

__all__ = [
    "annotate",
    "check_shapes",
    "engine_scopes",
    "find_all_scopes",
    "find_scopes",
    "guess_shapes",
    "open_model",
    "plain_copy",
    "private_copy",
    "shape_problem",
    "sources_of",
    "take_branches",
]
