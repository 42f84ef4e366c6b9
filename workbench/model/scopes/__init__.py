"""Scopes of graphs: the groups their layers stand in, read from what exporters wrote or found in the structure."""

from workbench.model.scopes.engine import engine_scopes
from workbench.model.scopes.finding import find_all_scopes, find_scopes

__all__ = ["engine_scopes", "find_all_scopes", "find_scopes"]
