"""Runs and their files on disk."""
