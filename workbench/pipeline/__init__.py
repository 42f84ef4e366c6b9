"""Verbs: run one configuration end to end, compare, race, report. No thread, no Qt."""
