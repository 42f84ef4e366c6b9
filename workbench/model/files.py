"""Saying what a file is when it is not an ONNX model."""

from __future__ import annotations

from pathlib import Path

from workbench.core.errors import WorkbenchError
from workbench.core.reading import read_file

MAX_BYTES = 2 * 1024**3
"""Protobuf's own limit for one message."""

_EXPORT = "Export the model to ONNX and open the .onnx file."
_TORCH = "Export it first: torch.onnx.export(model, inputs, 'model.onnx')."
_KEEPS = "Engines belong to the machine and version that built them; open the ONNX model they were made from."

# (offset, magic bytes, what it is, what to do); the first that fits is told.
_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"version https://git-lfs", "a Git LFS pointer, not the model itself", "Run: git lfs pull"),
    (0, b"PK\x03\x04", "a zip archive (PyTorch's .pt, Keras' .keras or .npz)", _TORCH),
    (0, b"\x80\x02", "a Python pickle (an old PyTorch file?)", _TORCH),
    (0, b"\x80\x04", "a Python pickle", _TORCH),
    (0, b"\x89HDF", "an HDF5 file (Keras .h5?)", "Convert it first, with tf2onnx or keras2onnx."),
    (0, b"\x93NUMPY", "a NumPy array", "Open it as a sample set; here a .onnx model is wanted."),
    (0, b"GGUF", "a GGUF model of llama.cpp", _EXPORT),
    (0, b"ftrt", "a TensorRT engine", _KEEPS),
    (4, b"TFL3", "a TensorFlow Lite model", "Convert it first: python -m tf2onnx.convert --tflite."),
    (4, b"ORTM", "a model in ONNX Runtime's own .ort format", "Open the .onnx it was made from."),
    (8, b'{"', "a safetensors file: weights without a graph", _EXPORT),
    (0, b"\x1f\x8b", "a gzip archive", "Unpack it first."),
    (0, b"\x7fELF", "a Linux program or library", _EXPORT),
    (0, b"\x89PNG", "a picture", "Open a .onnx model; pictures go into a sample set."),
    (0, b"\xff\xd8\xff", "a picture", "Open a .onnx model; pictures go into a sample set."),
)
_SUFFIXES = {
    ".pt": ("a PyTorch file", _TORCH),
    ".pth": ("a PyTorch file", _TORCH),
    ".engine": ("a TensorRT engine", _KEEPS),
    ".plan": ("a TensorRT engine", _KEEPS),
    ".trt": ("a TensorRT engine", _KEEPS),
    ".pb": ("a TensorFlow graph", "Convert it first: python -m tf2onnx.convert."),
    ".mlmodel": ("a Core ML model", _EXPORT),
    ".bin": ("a file of weights", "Open the .onnx model; weights beside it are found from there."),
}


def read_onnx(path: Path) -> bytes:
    """The bytes of a regular file that may be an ONNX model. Raises WorkbenchError saying what it is instead."""
    large = "Save the model with external data (weights in a file beside it)."
    data = read_file(path, limit=MAX_BYTES, hint=large)
    refuse_non_onnx(data, path.name)
    return data


def refuse_non_onnx(data: bytes, name: str) -> None:
    """Raises WorkbenchError where the first bytes say that this is something else than an ONNX model."""
    if not data:
        raise WorkbenchError(f"{name} is empty.", "The download or export may have been cut off; repeat it.")
    for offset, magic, what, hint in _MAGIC:
        if data.startswith(magic, offset):
            raise WorkbenchError(f"{name} is {what}.", hint)
    head = data[:512].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise WorkbenchError(
            f"{name} is a web page, not the model itself.", "Download it again; a login page may have come instead."
        )
    if head.startswith((b"<?xml", b"<net")):
        raise WorkbenchError(f"{name} is XML (OpenVINO IR?).", "Open the ONNX model it was converted from.")


def not_onnx(name: str) -> WorkbenchError:
    """The error for bytes that do not parse, in words that fit the file's ending."""
    suffix = Path(name).suffix.lower()
    if suffix in _SUFFIXES:
        what, hint = _SUFFIXES[suffix]
        return WorkbenchError(f"{name} is not an ONNX model; by its name it is {what}.", hint)
    return WorkbenchError(
        f"{name} is not an ONNX model, or it is damaged.", "Export or download it again, then open the .onnx file."
    )
