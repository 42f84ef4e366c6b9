"""Runs and their files on disk."""

from workbench.store.ceilings import CeilingBook
from workbench.store.races import RaceBook
from workbench.store.replans import ReplanBook
from workbench.store.store import Store

__all__ = ["CeilingBook", "RaceBook", "ReplanBook", "Store"]
