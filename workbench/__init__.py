"""The workbench: optimise neural networks for inference by looking. README.md in this folder is the map."""

import os

__version__ = "0.1.0"

# ONNX Runtime 1.31 counts sessions for its maker, on Linux too, from the moment it is imported; only this prevents it.
# Whoever has set the variable already has chosen.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
