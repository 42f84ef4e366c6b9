"""OpenVINO on the CPU: the default backend."""

from workbench.backends.openvino.backend import OpenVinoBackend

BACKEND = OpenVinoBackend
