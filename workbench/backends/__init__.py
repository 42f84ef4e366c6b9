"""Engines: base.py is the contract; every other file or folder here is a backend, found by being there."""
