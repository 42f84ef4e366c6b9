"""The workbench: optimise neural networks for inference by looking. README.md in this folder is the map."""

__version__ = "0.1.0"
