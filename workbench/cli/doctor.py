"""`workbench doctor`: what is here, what is missing and how to get it."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from workbench import __version__
from workbench.backends.base import Capabilities, backend_ids
from workbench.cli.output import Output
from workbench.cli.probe import ask_capabilities
from workbench.core.places import data_home
from workbench.core.precision import Precision
from workbench.core.titles import backend_title
from workbench.measure.machine import machine_state
from workbench.precision import list_passes
from workbench.precision.quantizers import quantizers


def execute(arguments: Namespace, output: Output) -> int:
    """Exit code 0 where at least one backend is available."""
    machine = machine_state()
    found = {name: ask_capabilities(name) for name in backend_ids() if name != "null"}
    output.document(
        {
            "version": __version__,
            "machine": machine,
            "data": str(data_home()),
            "backends": {name: msgspec.to_builtins(can) for name, can in found.items()},
            "quantizers": {one.id: {"title": one.title, "reason": one.reason()} for one in quantizers()},
            "passes": {entry.name: entry.text for entry in list_passes()},
        }
    )
    output.text(f"workbench {__version__}, data in {data_home()}\n")
    for key, value in machine.items():
        output.text(f"  {key:<28}{value}")
    for name, can in found.items():
        output.text("\n" + _section(name, can))
    output.text("\nClean-up passes before a plan is written (--skip PASS leaves one out):")
    for entry in list_passes():
        output.text(f"    {entry.name:<18}{entry.text}")
    output.text("\nQuantizers (--quantizer Q lets one of them write the plan):")
    for one in quantizers():
        reason = one.reason()
        output.text(f"    {_mark(reason)} {one.id:<18}{f'{reason} {one.hint}' if reason else one.summary}")
    return 0 if any(can.available for can in found.values()) else 1


def _section(name: str, can: Capabilities) -> str:
    head = f"{backend_title(name)} ({name})"
    if not can.available:
        return f"✗ {head}: {can.reason}\n    {can.hint}".rstrip()
    module = f" by the module {can.module}" if can.module else ""
    lines = [f"✓ {head} {can.version}{module}{' on ' if can.can_run else ', '}{can.device}"]
    if not can.can_run:
        lines.append(f"    builds here, but cannot run here: {can.run_reason}")
    for precision, reason in can.precisions.items():
        remark = can.remarks.get(precision, "")
        lines.append(f"    {_mark(reason)} {Precision(precision).label:<14}{reason or remark}".rstrip())
    if can.targets:
        lines.append("    targets: " + ", ".join(f"{target} ({name})" for target, name in can.targets.items()))
    for option in can.options:
        values = f"0 to {option.most:,} {option.unit}".strip() if option.is_number else ", ".join(option.values)
        lines.append(f"    --option {option.key:<18}{values}: {option.text}")
    return "\n".join(lines)


def _mark(reason: str) -> str:
    return "✗" if reason else "✓"
