"""TensorRT's latencies: `trtexec --exportTimes=FILE`.

One object an inference, in ms: `startComputeMs`, `endComputeMs`, `computeMs`, `latencyMs` and, around them, the copies:
`h2dMs` and `d2hMs`, or `inMs` and `outMs`. Format: `exportJSONTrace` in samples/common/sampleReporting.cpp of TensorRT
(8 to 11.1). `latencyMs` has the copies in it; trtexec 11 leaves them out unless asked, 10 has them in.
"""

from __future__ import annotations

from statistics import fmean

from workbench.core.errors import WorkbenchError
from workbench.pipeline.readers.base import MOST_TIMES, Document, Part, check_count, dicts, number

WHAT = "TensorRT latencies (trtexec --exportTimes)"


def recognise(document: Document) -> bool:
    return any("latencyMs" in entry or "computeMs" in entry for entry in dicts(document)[:1])


def read(document: Document) -> Part:
    """The time on the GPU (`computeMs`), which is what trtexec 10 and 11 have in common."""
    entries = dicts(document)
    check_count(len(entries), MOST_TIMES, "inferences")
    key = "computeMs" if "computeMs" in entries[0] else "latencyMs"
    times = tuple(number(entry, key) for entry in entries)
    if not any(times):
        raise WorkbenchError("All times of the file are zero.", "Export it from a run that infers.")
    whole = [number(entry, "latencyMs") for entry in entries if "latencyMs" in entry]
    with_copies = whole and fmean(whole) > 1.01 * fmean(times)
    copies = f" With the copies of inputs and outputs it is {fmean(whole):.3f} ms on average." if with_copies else ""
    return Part(
        title="TensorRT",
        latencies_ms=times,
        protocol=f"trtexec, {len(times)} inferences, {key}.",
        notes=(f"The latency is the time on the GPU as trtexec exported it ({key}).{copies}",),
    )
