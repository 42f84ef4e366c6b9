"""Options of the commands that look at what an engine attains and takes: `roofline`, `memory`, `replan`."""

from __future__ import annotations

import argparse

from workbench.backends.base import backend_ids
from workbench.cli.shapes import parse_shape
from workbench.cli.values import as_backend, as_precisions, as_seconds, parse_dim, precisions_help
from workbench.core.gpus import GPUS
from workbench.core.precision import Precision

ROOFLINE = "each layer of a finished run under the roof of the machine: memory bound or compute bound, and how near"
MEMORY = "weights, plan of activations and what inference really took, over batch, shapes and precisions"
REPLAN = "what a change of shape costs an engine whose shapes are free"


def add_roofline(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("run", metavar="RUN", help="id, end of an id, or name of a run")
    add("--gpu", choices=list(GPUS), metavar="NAME", help=f"ESTIMATE for one of: {', '.join(GPUS)}")
    add("--again", action="store_true", help="measure the ceilings of this machine again")


def add_memory(command: argparse.ArgumentParser) -> None:
    _add_model(command)
    add = command.add_argument
    add(
        "--precisions",
        type=as_precisions,
        default=(Precision.FP32,),
        metavar="P,..",
        help=f"{precisions_help()} (default fp32)",
    )
    add("--target", default="", metavar="SM[,SM]", help="GPUs to build for, e.g. sm89")


def add_replan(command: argparse.ArgumentParser) -> None:
    _add_model(command)
    add = command.add_argument
    add("--precision", type=as_precisions, default=(Precision.FP32,), metavar="P", help="default fp32")
    add("--threads", type=int, default=0, metavar="N", help="default: all physical cores")
    add("--seconds", type=as_seconds, default=20.0, metavar="S", help="at most (default 20)")


def _add_model(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("model", metavar="MODEL")
    add("--backend", type=as_backend, default="openvino", metavar="B", help=", ".join(backend_ids()))
    add("--dim", type=parse_dim, action="append", default=[], metavar="NAME=1,2,4", help="`batch`, or a free dimension")
    add("--shape", type=parse_shape, action="append", default=[], metavar="IN=1x3x224x224", help="the others")
    add("--calibration", metavar="SET", help="for INT8 (default: the recipe's set, else random)")
    add("--evaluate", metavar="SET", help=argparse.SUPPRESS)
