"""Timing, accuracy, statistics, the machine's state."""
