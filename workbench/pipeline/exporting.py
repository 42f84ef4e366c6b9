"""export: the plan written into an ONNX file that runs elsewhere."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from workbench import __version__
from workbench.backends.base import load_backend
from workbench.core.errors import WorkbenchError
from workbench.core.exporting import Exported, ExportRequest
from workbench.core.json import encode
from workbench.core.model import TypedModel
from workbench.core.precision import PrecisionPlan
from workbench.core.run import RunRequest
from workbench.model import check_shapes, open_model
from workbench.pipeline.before_build import check_can_build
from workbench.pipeline.border import carried_out
from workbench.pipeline.building import writes_fp16
from workbench.pipeline.calibrating import observations, passes_left_out
from workbench.pipeline.files import EXPORTED_FILE
from workbench.pipeline.record import Emit
from workbench.pipeline.samples import evaluation_set, fixed_values, resolved_shapes
from workbench.pipeline.telling import JobTeller
from workbench.precision import SHAPES_PASS, compile_plan, export_typed


def export(request: ExportRequest, emit: Emit, cancelled: Callable[[], bool]) -> Exported:
    """open -> calibrate -> typed ONNX -> `request.path`. Never raises for what the user can cause: `error` says why."""
    return carried_out(
        request,
        EXPORTED_FILE,
        emit,
        lambda _: _export(request, JobTeller(request.id, emit, cancelled)),
        lambda error: Exported(request.id, error=error),
    )


def plan_digest(plan: PrecisionPlan) -> str:
    """SHA-256 of a plan: what it says, whatever its file looks like."""
    return hashlib.sha256(encode(plan)).hexdigest()


def _export(request: ExportRequest, teller: JobTeller) -> Exported:
    target = Path(request.path)
    if not target.parent.is_dir():
        raise WorkbenchError(f"There is no folder {target.parent} for the model.", "Make it first.")
    run = request.run
    backend = load_backend(run.config.backend)
    check_can_build(backend, run.config)
    teller.progress("open", text=Path(run.model_path).stem)
    model = open_model(run.model_path)
    if target.exists() and target.samefile(run.model_path):
        raise WorkbenchError(f"{target.name} is the model itself.", "Choose another name.")
    free = not request.fixed_shapes and any(spec.is_dynamic for spec in model.inputs)
    run = _of_all_shapes(run) if free else run
    shapes = resolved_shapes(run, model)
    check_shapes(model, shapes)
    fixed = fixed_values(run, model, shapes, evaluation_set(run, model, shapes))
    overflow = writes_fp16(run.config.plan, backend.dialect())
    seen, sentence = observations(teller, run, model, shapes, fixed, overflow=overflow)
    teller.progress("plan", text="writing the precision plan into the ONNX")
    plan = msgspec.structs.replace(run.config.plan, skip=passes_left_out(run.config))
    folder = Path(request.folder)
    typed = compile_plan(model, plan, backend.dialect(), shapes, folder, seen and seen.observations, fixed)
    return _written(request, typed, sentence, free=free)


def _of_all_shapes(run: RunRequest) -> RunRequest:
    """Without the clean-up pass that holds for the shapes of one build only."""
    plan = run.config.plan
    skip = tuple(dict.fromkeys([*plan.skip, SHAPES_PASS]))
    config = msgspec.structs.replace(run.config, plan=msgspec.structs.replace(plan, skip=skip))
    return msgspec.structs.replace(run, config=config)


def _written(request: ExportRequest, typed: TypedModel, sentence: str, *, free: bool) -> Exported:
    target, config = Path(request.path), request.run.config
    metadata = {
        "workbench.version": __version__,
        "workbench.dialect": config.backend,
        "workbench.source_sha256": typed.model.sha256,
        "workbench.plan_sha256": plan_digest(config.plan),
        "workbench.plan": encode(config.plan).decode(),
    }
    proto = export_typed(typed, target, metadata, free=free)
    open_model(target)  # through the gate, as whoever gets it will
    data = target.with_name(f"{target.name}.data")
    files = [target, *([data] if data.exists() else [])]
    return Exported(
        id=request.id,
        path=str(target),
        data=str(data) if data.exists() else "",
        size_bytes=sum(file.stat().st_size for file in files),
        nodes=len(proto.graph.node),
        opset=max((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), default=0),
        asked=dict(Counter(typed.asked.values()).most_common()),
        cleanup=dict(typed.cleanup),
        notes=tuple(dict.fromkeys([*([sentence] if sentence else []), *typed.notes])),
    )
