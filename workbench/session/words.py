"""Numbers and states in the words people read, the same wherever they stand."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.core.graph import Fate, FateKind, Layer
from workbench.core.run import Run, Status

PHASES = {
    "": "Starting",
    "open": "Opening",
    "plan": "Writing the plan into the model",
    "calibrate": "Calibrating",
    "doctor": "Looking at the ranges",
    "build": "Building",
    "reference": "Running the FP32 reference",
    "time": "Timing",
    "measure": "Measuring",
    "layers": "Timing layers",
    "errors": "Checking layers",
    "accuracy": "Checking accuracy",
    "race": "Racing",
    "search": "Searching the best plan",
    "culprits": "Measuring plans",
}
JOBS = {
    "race": "Comparing runs",
    "tune": "Tuning options",
    "sweep": "Sweeping",
    "search": "Searching a plan",
    "culprits": "Finding culprits",
    "calibration": "Calibrating",
    "ceilings": "Measuring the machine",
    "replan": "Measuring changes of shape",
    "memory": "Measuring memory",
    "export": "Exporting",
    "import": "Importing",
    "free batch": "Freeing the batch",
}  # kinds of jobs that are no build
STATES = {
    Status.WAITING: "waiting in the queue",
    Status.RUNNING: "running",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
    Status.INTERRUPTED: "interrupted",
    Status.DONE: "",
}
FATES = {
    FateKind.FUSED: "fused",
    FateKind.ALONE: "a layer of its own",
    FateKind.SPLIT: "split into several layers",
    FateKind.FOLDED: "computed at build time",
    FateKind.ABSORBED: "no kernel of its own",
    FateKind.REMOVED: "removed: nothing needs it",
    FateKind.UNKNOWN: "the engine does not say",
}


def milliseconds(value: float) -> str:
    """Three figures: `13.6 ms`, `0.214 ms`, `1,240 ms`."""
    if value >= 100:
        return f"{value:,.0f} ms"
    if value >= 10:
        return f"{value:.1f} ms"
    return f"{value:.2f} ms" if value >= 1 else f"{value:.3f} ms"


def mebibytes(size: float) -> str:
    """`10.4` (MiB); small ones keep two figures."""
    value = size / 2**20
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def bytes_words(size: float) -> str:
    """With the unit that fits: `10.4 MiB`, `512 KiB`, `96 B`."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size >= scale:
            value = size / scale
            return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"
    return f"{size:.0f} B"


def count_words(count: int) -> str:
    """`147 k`, `25.6 M`, `2.69 M`; below ten thousand as it is."""
    for scale, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= 10 * scale or (scale > 1000 and count >= scale):
            value = count / scale
            return f"{value:,.0f} {letter}" if value >= 100 else f"{value:.{1 if value >= 10 else 2}f} {letter}"
    return f"{count:,}"


def percent(share: float) -> str:
    """A share in 0..1: `99 %`, `91.7 %`; a tenth only where it says something."""
    value = share * 100
    return f"{value:.0f} %" if abs(value - round(value)) < 0.05 or value in (0, 100) else f"{value:.1f} %"


def shape_words(shape: Iterable[int | str] | None) -> str:
    """`1×3×48×320`; `scalar` for rank 0, `?` where unknown."""
    if shape is None:
        return "?"
    return "×".join(_dim(dim) for dim in shape) or "scalar"


def _dim(dim: int | str) -> str:
    """Names of free dimensions can be whole file names, or invented: what is no word a person wrote is `?`."""
    text = str(dim)
    return "?" if isinstance(dim, str) and (len(text) > 10 or text.startswith(("?", "unk__"))) else text


def verbal_status(run: Run) -> str:
    return STATES[run.status]


def node_label(layer: Layer) -> str:
    """The user's own name where there is one, else the id."""
    return layer.name or layer.id


def fate_words(fate: Fate | None, others: int = 0) -> str:
    """What became of a node: `fused with 5 others`, `computed at build time`; says where it is inferred."""
    if fate is None:
        return "no engine yet"
    words = FATES[fate.kind]
    if fate.kind is FateKind.FUSED and others > 0:
        words = f"fused with {others} other{'s' if others > 1 else ''}"
    if fate.kind is FateKind.SPLIT:
        words = f"split into {len(fate.layers)} layers"
    return words if fate.exact else f"{words} (inferred)"


def machine_words(machine: dict[str, str], cov_percent: float | None) -> str:
    """`AMD EPYC · 2 threads · CoV 1.1 %` of whatever is known."""
    parts = [machine[key] for key in ("cpu", "device", "gpu") if machine.get(key)][:1]
    threads = machine.get("threads", "")
    if threads:
        parts.append(threads if "thread" in threads else f"{threads} threads")
    if cov_percent is not None:
        parts.append(f"CoV {cov_percent:.1f} %")
    return " · ".join(parts)
