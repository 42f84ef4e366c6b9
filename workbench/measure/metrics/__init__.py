"""One file per task metric, found by being there."""
