"""import_run: what other tools wrote about an engine becomes a run like our own, linked to the ONNX model."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, fromstring

import msgspec
import numpy as np

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.graph import Fate, FateKind, Graph, LayerKind
from workbench.core.importing import Imported, ImportRequest
from workbench.core.json import write_json
from workbench.core.model import Model, TypedModel
from workbench.core.precision import Precision, PrecisionPlan
from workbench.core.reading import read_file
from workbench.core.run import Build, BuildConfig, EngineGraph, Run, RunRequest, Status, Timing
from workbench.core.writing import written_whole
from workbench.measure.statistics import latency_stats
from workbench.model import open_model
from workbench.model.costs import model_costs
from workbench.pipeline.border import carried_out
from workbench.pipeline.files import GRAPH_FILE, IMPORTED_FILE, LATENCIES_FILE, RUN_FILE, TYPED_MODEL_FILE
from workbench.pipeline.readers.base import Document, Engine, Part, readers
from workbench.pipeline.record import Emit, new_run
from workbench.pipeline.telling import JobTeller

MOST_BYTES = 128 << 20
UNKNOWN_MACHINE = {"device": "machine unknown"}
_ELSEWHERE = "Measured elsewhere, on a machine that the file does not name."


def import_run(request: ImportRequest, emit: Emit, cancelled: Callable[[], bool]) -> Imported:
    """Reads the files and writes the run. Never raises for what the user can cause: `error` says why."""
    return carried_out(
        request,
        IMPORTED_FILE,
        emit,
        lambda _: Imported(request.id, _import(request, JobTeller(request.id, emit, cancelled))),
        lambda error: Imported(request.id, error=error),
    )


def _import(request: ImportRequest, teller: JobTeller) -> Run:
    parts = []
    for index, file in enumerate(request.files):
        teller.progress("open", index, len(request.files), Path(file).name)
        parts.append(read_part(Path(file)))
    model = open_model(request.model_path) if request.model_path else None
    teller.progress("open", len(parts), len(parts), "linking layers to nodes")
    return _written(request, parts, model)


def read_part(path: Path) -> Part:
    """What one file tells. Raises WorkbenchError, in one sentence, for whatever is wrong with it."""
    document = _document(path)
    try:
        reader = next((reader for reader in readers() if reader.recognise(document)), None)
        if reader is None:
            known = "; ".join(reader.WHAT for reader in readers())
            raise WorkbenchError(f"{path.name} is of no kind that can be imported.", f"These are: {known}.")
        return reader.read(document)
    except RecursionError as error:
        raise WorkbenchError(f"{path.name} is nested too deeply.", "Export it again.") from error
    except WorkbenchError as error:
        if path.name in error.message:
            raise
        raise WorkbenchError(f"{path.name}: {error.message}", error.hint) from error


def _document(path: Path) -> Document:
    data = read_file(path, limit=MOST_BYTES, hint="Export fewer inferences.")
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise WorkbenchError(f"{path.name} is no text in UTF-8.", "Choose a JSON or XML file.") from error
    found = _xml(path, text) if text.startswith("<") else _json(path, text)
    if not isinstance(found, dict | list | Element):
        raise WorkbenchError(f"{path.name} holds a single value.", "Choose a file that tells of an engine.")
    return found


def _json(path: Path, text: str) -> Document:
    try:
        found: Document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        reason = one_line(str(error), 120)
        raise WorkbenchError(f"{path.name} is not JSON: {reason}.", "Export it again.") from error
    return found


def _xml(path: Path, text: str) -> Element:
    """Without a document type, whose entities could grow without end. Text, so that no encoding hides one."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise WorkbenchError(f"{path.name} declares a document type, which a runtime model has not.", "Write it again.")
    try:
        return fromstring(text)
    except (ParseError, ValueError, RecursionError) as error:
        reason = one_line(str(error), 120)
        raise WorkbenchError(f"{path.name} is not XML: {reason}.", "Export it again.") from error


def _written(request: ImportRequest, parts: Sequence[Part], model: Model | None) -> Run:
    """Files first, `run.json` last: a run that is there is complete."""
    _check_together(request, parts)
    folder = Path(request.folder)
    linking = _engine_part(parts)
    engine = _linked(linking, model) if linking is not None else None
    run = _run(request, parts, model, engine)
    if engine is not None:
        costs = model_costs(model, model.shapes) if model is not None else {}
        write_json(folder / GRAPH_FILE, EngineGraph(engine.graph, engine.fates, costs=costs))
    if model is not None:
        write_json(folder / TYPED_MODEL_FILE, TypedModel(model, model.path, model.shapes))
    latencies = _latencies(parts)
    if latencies:
        with written_whole(folder / LATENCIES_FILE) as file:
            np.save(file, np.asarray(latencies, dtype=np.float64))
    write_json(folder / RUN_FILE, run)
    return run


def _linked(part: Part, model: Model | None) -> Engine | None:
    """The engine; where it names no node of the model, without links rather than with guesses."""
    if part.link is None:
        return None
    engine = part.link(model)
    if model is None or any(fate.exact and fate.layers for fate in engine.fates.values()):
        return engine
    unknown = {node.id: Fate(FateKind.UNKNOWN, exact=False) for node in model.graph.walk()}
    return msgspec.structs.replace(part.link(None), fates=unknown)


def _check_together(request: ImportRequest, parts: Sequence[Part]) -> None:
    """One engine a run: two lists of layers, or two sets of latencies, are two runs."""
    names = [Path(file).name for file in request.files]
    for what, has in (
        ("the layers of an engine", lambda part: part.link is not None and part.rank > 0),
        ("times of layers", lambda part: bool(part.layer_ms)),
        ("latencies", lambda part: bool(part.latencies_ms)),
    ):
        found = [name for name, part in zip(names, parts, strict=True) if has(part)]
        if len(found) > 1:
            raise WorkbenchError(f"{found[0]} and {found[1]} both hold {what}.", "Import the files of one engine only.")


def _engine_part(parts: Sequence[Part]) -> Part | None:
    """The file that knows most of the layers: times alone have their names."""
    linking = [part for part in parts if part.link is not None]
    return max(linking, key=lambda part: part.rank, default=None)


def _run(request: ImportRequest, parts: Sequence[Part], model: Model | None, engine: Engine | None) -> Run:
    title = max(parts, key=lambda part: part.rank).title
    notes = [_ELSEWHERE, *(note for part in parts for note in part.notes)]
    timing, unmatched = _timing(parts, engine)
    if unmatched:
        notes.append(f"{unmatched} timed layers have no layer of that name in the engine; the sum has them in.")
    if model is None:
        notes.append("The ONNX model was not given, so no layer leads back to a node.")
    elif engine is not None:
        notes += _on_links(engine, model)
    plan = PrecisionPlan(default=_precision(engine.graph) if engine else Precision.FP32)
    config = BuildConfig(backend=f"{title} (imported)", plan=plan)
    asked = RunRequest(request.id, request.folder, request.model_path or request.files[0], config)
    return msgspec.structs.replace(
        new_run(asked, model),
        status=Status.DONE,
        imported=tuple(Path(file).name for file in request.files),
        build=_build(engine, notes) if engine else None,
        timing=timing if engine else msgspec.structs.replace(timing, warnings=tuple(notes)),
    )


def _on_links(engine: Engine, model: Model) -> list[str]:
    """What is to be said where the engine's names lead to few nodes: it may be another model's."""
    working = [layer for layer in engine.graph.walk() if layer.kind is LayerKind.COMPUTE]
    exact = sum(fate.exact and bool(fate.layers) for fate in engine.fates.values())
    if working and not exact:
        return [f"No layer names a node of {Path(model.path).name}: the file may be of another model."]
    names = Counter(node.name for node in model.graph.walk() if node.name)
    doubled = sum(count for count in names.values() if count > 1)
    return [f"{doubled} nodes share their names with others, which therefore lead nowhere."] if doubled else []


def _precision(graph: Graph) -> Precision:
    """What most compute layers run in."""
    ran = Counter(layer.precision for layer in graph.walk() if layer.kind is LayerKind.COMPUTE and layer.precision)
    return ran.most_common(1)[0][0] if ran else Precision.FP32


def _build(engine: Engine, notes: Sequence[str]) -> Build:
    layers = list(engine.graph.walk())
    known = [fate for fate in engine.fates.values() if fate.kind is not FateKind.UNKNOWN]
    ran = Counter(str(layer.precision) for layer in layers if layer.kind is LayerKind.COMPUTE and layer.precision)
    return Build(
        seconds=0.0,
        layers=len(layers),
        source_nodes=len(engine.fates),
        mapped=len(known),
        mapped_exact=sum(fate.exact for fate in known),
        size_bytes=0,
        precisions=dict(ran.most_common()),
        notes=tuple(dict.fromkeys(notes)),
    )


def _latencies(parts: Sequence[Part]) -> tuple[float, ...]:
    return next((part.latencies_ms for part in parts if part.latencies_ms), ())


def _timing(parts: Sequence[Part], engine: Engine | None) -> tuple[Timing, int]:
    """The timing, and how many layers it tells of that the engine has not."""
    times = next((part.layer_ms for part in parts if part.layer_ms), ())
    layers = dict(engine.layer_ms) if engine else {}
    unmatched = 0
    if times and engine:
        layers, unmatched = _by_id(times, engine.graph)
    latencies = _latencies(parts)
    total = sum(ms for _, ms in times) if times else sum(layers.values())
    timing = Timing(
        stats=latency_stats(latencies) if latencies else None,
        reason="" if latencies else "The imported files have no latencies.",
        layers=layers,
        layers_sum_ms=total,
        layers_iterations=max((part.iterations for part in parts), default=0) if layers else 0,
        protocol=" ".join(part.protocol for part in parts if part.protocol),
        machine=UNKNOWN_MACHINE,
        samples_file=LATENCIES_FILE if latencies else "",
    )
    return timing, unmatched


def _by_id(times: Sequence[tuple[str, float]], graph: Graph) -> tuple[dict[str, float], int]:
    """Times by layer id; a name that several layers have is theirs in turn."""
    waiting: dict[str, deque[str]] = defaultdict(deque)
    for layer in graph.walk():
        waiting[layer.name].append(layer.id)
    found: dict[str, float] = {}
    unmatched = 0
    for name, ms in times:
        if waiting[name]:
            found[waiting[name].popleft()] = ms
        else:
            unmatched += 1
    return found, unmatched
