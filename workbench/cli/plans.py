"""The plan that a command line asks for: a file, or one precision for all, with what else it says of ranges."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import msgspec

from workbench.cli.arguments import ranges_of
from workbench.cli.output import Output
from workbench.core.precision import Precision, PrecisionPlan
from workbench.model import open_model
from workbench.precision.plan_file import read_plan_file
from workbench.precision.quantizers import find_quantizer


def plan_of(arguments: Namespace, output: Output | None = None) -> PrecisionPlan:
    """From `--plan FILE` or `--precision P`; `--method` and its like go before what the file says.

    `output` is told where the file names nodes of another model by id. Raises WorkbenchError where the file cannot be
    read or is no plan.
    """
    quantizer = getattr(arguments, "quantizer", "")
    if arguments.plan is None:
        usual = find_quantizer(quantizer).precision if quantizer else Precision.FP32
        asked = getattr(arguments, "precision", None)
        return with_options(PrecisionPlan(asked or usual, quantizer=quantizer), arguments)
    found = read_plan_file(arguments.plan)
    if output is not None and found.model.sha256 and (doubts := found.doubts(open_model(Path(arguments.model)))):
        output.note(doubts)
    plan = msgspec.structs.replace(found.plan, quantizer=quantizer or found.plan.quantizer)
    return with_options(plan, arguments)


def with_options(plan: PrecisionPlan, arguments: Namespace) -> PrecisionPlan:
    """The plan with what is given on the command line of how ranges are found and how it is written."""
    return msgspec.structs.replace(
        plan,
        calibration=ranges_of(arguments, plan.calibration),
        skip=tuple(dict.fromkeys([*plan.skip, *arguments.skip])),
        block=arguments.block or plan.block,
        clean=plan.clean or arguments.clean,
    )
