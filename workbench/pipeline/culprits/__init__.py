"""The culprit finder: which layers cost the accuracy of a plan, and the measured set of them to exempt."""

from workbench.pipeline.culprits.finding import find_culprits

__all__ = ["find_culprits"]
