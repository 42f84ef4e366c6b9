"""The reference: ONNX Runtime in FP32 with optimisations off, which runs an ONNX file node by node as written."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from workbench.backends.base import Feed
from workbench.core.errors import WorkbenchError, runtime_reason

TITLE = "ONNX Runtime FP32, optimisations off"
_FLOATS = {"tensor(float16)": "float16", "tensor(float)": "float32"}
SIMULATED = "simulated on ONNX Runtime (exact simulator), not the engine"


class Reference:
    """One session on an ONNX file; a context manager. Of a typed model it is the exact simulator.

    Optimisations are off because at any other level ONNX Runtime rounds Q/DQ arithmetic differently (50-60 dB).
    """

    def __init__(self, onnx_file: str | Path | bytes, threads: int = 1, weights: Path | None = None) -> None:
        """`onnx_file` is a path, or the file itself, whose external data lies in the folder `weights`.

        Raises WorkbenchError with ONNX Runtime's reason.
        """
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        # A session's threads would spin on after a run and slow down whatever is measured next.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if weights is not None:
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(weights))
        try:
            source = onnx_file if isinstance(onnx_file, bytes) else str(onnx_file)
            self._session: Any = ort.InferenceSession(source, options, ["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no narrower base
            raise _refused(error) from error
        self._floats = {
            entry.name: _FLOATS[entry.type] for entry in self._session.get_inputs() if entry.type in _FLOATS
        }
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session = None

    def infer(self, feed: Feed) -> dict[str, NDArray[np.generic]]:
        """Outputs that are tensors, by name; sequences and maps are left out. Floats are fed in the type it wants."""
        wanted = {name: _as_float(values, self._floats.get(name)) for name, values in feed.items()}
        try:
            values = self._session.run(self._outputs, wanted)
        except Exception as error:  # as above
            raise _refused(error) from error
        pairs = zip(self._outputs, values, strict=True)
        return {name: value for name, value in pairs if isinstance(value, np.ndarray)}


def _as_float(values: NDArray[np.generic], wanted: str | None) -> NDArray[np.generic]:
    """A file whose inputs became half, or wide again, takes the samples of the other; text and integers stay."""
    is_float = values.dtype.kind == "f" or values.dtype.name == "bfloat16"
    if wanted is None or not is_float:
        return values
    with np.errstate(over="ignore"):  # infinite in FP16, as for an engine
        return values.astype(wanted, copy=False)


def _refused(error: Exception) -> WorkbenchError:
    return WorkbenchError(f"ONNX Runtime cannot run this model: {runtime_reason(error)}.")
