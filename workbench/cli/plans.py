"""The plan that a command line asks for: a file, or one precision for all, with what else it says of ranges."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from workbench.cli.arguments import ranges_of
from workbench.core.precision import Precision, PrecisionPlan
from workbench.precision import read_plan


def plan_of(arguments: Namespace) -> PrecisionPlan:
    """From `--plan FILE` or `--precision P`; `--method` and its like go before what the file says.

    Raises WorkbenchError where the file cannot be read or is no plan.
    """
    if arguments.plan is not None:
        return with_options(read_plan(arguments.plan), arguments)
    return with_options(PrecisionPlan(default=arguments.precision or Precision.FP32), arguments)


def with_options(plan: PrecisionPlan, arguments: Namespace) -> PrecisionPlan:
    """The plan with what is given on the command line of how ranges are found and how it is written."""
    return msgspec.structs.replace(
        plan,
        calibration=ranges_of(arguments, plan.calibration),
        skip=tuple(dict.fromkeys([*plan.skip, *arguments.skip])),
        block=arguments.block or plan.block,
    )
