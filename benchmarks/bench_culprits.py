"""Group testing against one layer at a time: the same culprits of a model of 200 layers, with how many evaluations.

A chain of 200 small Convs in INT8, six of which have an outlier channel. One at a time means: every layer alone in
INT8, all others in FP32, 200 evaluations; by those figures the layers are ranked. The search measures sets. Told are
the evaluations after which its first six are the planted ones, the rank correlation (Spearman) of its ranking with the
other after a quarter of its budget and at the end, over all layers and over the 20 loudest, and what exempting gives.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import process_time

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from workbench.core.events import AnyEvent, Ranked
from workbench.core.precision import Calibration, CalibrationMethod, Precision, PrecisionPlan
from workbench.core.run import BuildConfig, RunRequest
from workbench.core.sensitivity import Culprits, CulpritsRequest, Granularity
from workbench.pipeline.culprits import find_culprits
from workbench.pipeline.culprits.suspects import only_low, suspects
from workbench.pipeline.evaluating import PlanEvaluator
from workbench.pipeline.telling import JobTeller

LAYERS, CHANNELS, SIZE, SAMPLES = 200, 8, 8, 4
PLANTED = {23: 400.0, 61: 250.0, 88: 150.0, 120: 100.0, 150: 300.0, 181: 200.0}  # layer: size of its outlier channel
PLAN = PrecisionPlan(Precision.INT8, calibration=Calibration(CalibrationMethod.MAX, samples=SAMPLES))


def make_model(path: Path) -> None:
    """A residual chain, so that what a layer adds to the signal is still there at the end."""
    random, nodes, constants, tensor = np.random.default_rng(2), [], [], "x"

    def constant(values: NDArray[np.float32]) -> str:
        constants.append(numpy_helper.from_array(values.astype(np.float32), f"c{len(constants)}"))
        return constants[-1].name

    for index in range(LAYERS):
        weights = random.normal(size=(CHANNELS, CHANNELS, 3, 3)) / np.sqrt(9 * CHANNELS)
        taken = tensor
        if size := PLANTED.get(index):
            scale = np.ones((1, CHANNELS, 1, 1))
            scale[:, index % CHANNELS] = size
            nodes.append(helper.make_node("Mul", [tensor, constant(scale)], [f"s{index}"]))
            weights, taken = weights / scale, f"s{index}"
        nodes.append(helper.make_node("Conv", [taken, constant(weights)], [f"w{index}"], f"conv_{index}", pads=[1] * 4))
        nodes.append(helper.make_node("Tanh", [f"w{index}"], [f"t{index}"]))
        nodes.append(helper.make_node("Mul", [f"t{index}", constant(np.float32([0.15]))], [f"m{index}"]))
        nodes.append(helper.make_node("Add", [tensor, f"m{index}"], [f"x{index}"]))
        tensor = f"x{index}"
    shape = [1, CHANNELS, SIZE, SIZE]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", tensor)]
    graph = helper.make_graph(nodes, "chain", ends[:1], ends[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Correlation of the ranks of two figures of the same things."""
    ranks = [np.argsort(np.argsort(np.asarray(values))) for values in (a, b)]
    return float(np.corrcoef(*ranks)[0, 1])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        _compare(Path(folder))


def _compare(folder: Path) -> None:
    make_model(folder / "chain.onnx")
    x = np.random.default_rng(3).normal(size=(SAMPLES, CHANNELS, SIZE, SIZE)).astype(np.float32)
    np.savez(folder / "x.npz", x=x)
    sets = {"calibration": str(folder / "x.npz"), "evaluation": str(folder / "x.npz")}
    config = BuildConfig("openvino", PLAN)
    run = RunRequest("r", str(folder / "r"), str(folder / "chain.onnx"), config, **sets)  # type: ignore[arg-type]
    told: list[Culprits] = []
    start = process_time()
    found = find_culprits(CulpritsRequest("c", str(folder / "c"), run), lambda event: _hear(event, told), lambda: False)
    seconds = process_time() - start
    assert found.error is None, found.error
    start = process_time()
    truth = one_at_a_time(run, folder)
    _tell(found, told, truth, (seconds, process_time() - start))


def _hear(event: AnyEvent, told: list[Culprits]) -> None:
    if isinstance(event, Ranked):
        told.append(event.culprits)


def one_at_a_time(run: RunRequest, folder: Path) -> dict[str, float]:
    """Noise of every layer alone in INT8, by its name. What the search has measured is not used."""
    for journal in (folder / "evaluations").iterdir():
        journal.unlink()
    teller = JobTeller("one", lambda event: None, lambda: False)
    (folder / "one").mkdir()
    with PlanEvaluator(teller, run, folder / "one") as evaluator:
        layers = suspects(evaluator.subject.model, PLAN, Granularity.LAYER)
        return {layer.title: evaluator.evaluate(only_low(PLAN, layers, [layer])).noise for layer in layers}


def _tell(found: Culprits, told: list[Culprits], truth: dict[str, float], seconds: tuple[float, float]) -> None:
    say = sys.stdout.write
    planted = {f"conv_{index}" for index in PLANTED}
    loudest = sorted(truth, key=lambda name: -truth[name])
    first = next((one for one in told if _named(one, len(planted)) == planted), None)
    quarter = next(one for one in told if one.layers and one.evaluations >= found.budget / 4)
    say(
        f"{LAYERS} layers, {len(planted)} planted. One at a time: {len(truth) + 1} evaluations, {seconds[1]:.0f} s CPU;"
    )
    say(f" its first {len(planted)} are the planted ones: {set(loudest[: len(planted)]) == planted}\n")
    say(f"Search: {found.evaluations} of {found.budget} evaluations, {seconds[0]:.0f} s CPU;")
    say(f" its first {len(planted)} are the planted ones after {first.evaluations if first else 'never'} evaluations\n")
    for title, one in (("after a quarter of the budget", quarter), ("at the end", found)):
        say(f"{title} ({one.evaluations} evaluations): rank correlation {_correlation(one, truth, loudest):.2f},")
        say(f" of the 20 loudest {_correlation(one, truth, loudest[:20]):.2f};")
        say(f" planted among its first {len(planted)}: {len(_named(one, len(planted)) & planted)}\n")
    if found.plan is not None and found.proposal is not None:
        told_db = f"{found.plan.sqnr_db:.1f} to {found.proposal.evaluation.sqnr_db:.1f} dB"
        say(f"Exempting {found.proposal.layers} layers: {told_db}\n")


def _named(found: Culprits, count: int) -> set[str]:
    return {layer.title for layer in sorted(found.layers, key=lambda layer: -layer.noise)[:count]}


def _correlation(found: Culprits, truth: dict[str, float], names: Sequence[str]) -> float:
    noise = {layer.title: layer.noise for layer in found.layers}
    return spearman([noise[name] for name in names], [truth[name] for name in names])


if __name__ == "__main__":
    main()
