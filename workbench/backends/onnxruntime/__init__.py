"""ONNX Runtime on the CPU: the source graph node by node, or with its own fusions."""

from workbench.backends.onnxruntime.backend import OnnxRuntimeBackend

BACKEND = OnnxRuntimeBackend
