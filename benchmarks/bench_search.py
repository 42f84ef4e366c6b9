"""Is there a plan that is more accurate than all-INT8 and faster than FP32, measured again by a fresh process?

python -m benchmarks.bench_search [--seconds 600] [MODEL ...]    fashion and ocr without

`workbench search` on OpenVINO, as a user would start it. The front is measured again by a fresh process: of OCR on 400
lines rendered with another seed, which the search never saw (where the fonts are missing, it explores on half of its
200 lines and the other half is for this); of Fashion on the same 2,000 pictures. Goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench.core.places import data_home
from workbench.resources import sample_models

Sets = tuple[Path, Path | None]
"""To explore on, and for the last measurement; None: the same in another order."""
FRESH_LINES, FRESH_SEED = 400, 50


def fashion_sets(folder: Path) -> Sets:
    """All 2,000 pictures, twice: INT8 loses one or two of them, and of a half one could not tell."""
    return sample_models() / "fashion" / "evaluation.npz", None


def ocr_sets(folder: Path) -> Sets:
    evaluation, fresh = sample_models() / "ocr" / "evaluation", folder / "fresh"
    if not (fresh / "evaluation" / "labels.csv").exists():
        counts = ["--calibration", "1", "--evaluation", str(FRESH_LINES), "--seed", str(FRESH_SEED)]
        command = [sys.executable, "-m", "sample_models.ocr.render_lines", "--out", str(fresh), *counts]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            return _halves(evaluation, folder)
    return evaluation, fresh / "evaluation"


def _halves(evaluation: Path, folder: Path) -> Sets:
    with (evaluation / "labels.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    for half, name in enumerate(("explore", "confirm")):
        (folder / name).mkdir(exist_ok=True)
        for row in rows[half::2]:
            shutil.copy(evaluation / row[0], folder / name)
        with (folder / name / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows[half::2]])
    return folder / "explore", folder / "confirm"


MODELS: dict[str, tuple[str, Callable[[Path], Sets]]] = {
    "fashion": ("fashion/fashion_resnet.onnx", fashion_sets),
    "ocr": ("ocr/ppocrv4_rec.onnx", ocr_sets),
}


def searched(name: str, seconds: float) -> dict[str, Any]:
    """The document of the search."""
    file, make_sets = MODELS[name]
    folder = data_home() / "bench-search" / name
    folder.mkdir(parents=True, exist_ok=True)
    explore, confirm = make_sets(folder)
    command = [sys.executable, "-m", "workbench", "search", str(sample_models() / file), "--json"]
    command += ["--evaluate", str(explore), "--seconds", f"{seconds:g}", "--within", "0.5%"]
    command += ["--confirm", str(confirm)] if confirm is not None else []
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def again(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The points that were measured by a fresh process, on other samples."""
    return [point for point in found["points"] if point["again"]]


def row(point: dict[str, Any], marks: str) -> str:
    speed, quality, first = point["again"]["speed"], point["again"]["quality"], point["first"]["quality"]
    low, high = quality["loss_low"], quality["loss_high"]
    return (
        f"  {point['id']:4d} {point['title']:<26} {speed['ratio']:5.2f}× {speed['low']:5.2f}–{speed['high']:<5.2f}"
        f" {100 * quality['value']:6.2f} %  lost {quality['loss']:+6.2f} ({low:+.2f} … {high:+.2f}, n = {quality['n']})"
        f"   explored {first['loss']:+6.2f}  {marks}"
    )


def tell(name: str, found: dict[str, Any]) -> bool:
    """Whether a plan beats all-INT8 in accuracy and FP32 in speed; with the front that says so."""
    points = again(found)
    fp32 = found["baseline_ms"]
    print(f"\n{name}: {len(found['points'])} plans in {found['spent']:.0f} s, FP32 {fp32:.3f} ms")
    for point in sorted(points, key=lambda one: -one["again"]["speed"]["ratio"]):
        marks = ["front"] * (point["id"] in found["front"]) + ["best"] * (point["id"] == found["best"])
        print(row(point, " ".join(marks)))
    methods = [point for point in found["points"] if point["first"] and point["title"].startswith("INT8 ")]
    for point in methods:
        if not point["choice"]["kept"]:
            quality, ratio = point["first"]["quality"], point["first"]["speed"]["ratio"]
            print(f"  explored: {point['title']:<22} {ratio:5.2f}×  {100 * quality['value']:.2f} % of {quality['n']}")
    for line in found["why"].get(str(found["best"]), []):
        print(f"  {line['sentence']}")
    int8 = [point for point in points if _is_all_int8(point)]
    bar = min((point["again"]["quality"]["loss"] for point in int8), default=None)
    winners = [point for point in points if bar is not None and _wins(point, bar)]
    words = ", ".join(f"{one['id']} ({one['title']})" for one in winners) or "none"
    print(f"  more accurate than all-INT8 ({bar} lost) and surely faster than FP32: {words}")
    return bool(winners)


def _is_all_int8(point: dict[str, Any]) -> bool:
    choice = point["choice"]
    return bool(choice) and choice["low"] == "int8" and choice["high"] == "fp32" and not choice["kept"]


def _wins(point: dict[str, Any], bar: float) -> bool:
    return point["again"]["quality"]["loss"] < bar and point["again"]["speed"]["low"] > 1


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL")
    parser.add_argument("--seconds", type=float, default=600.0)
    options = parser.parse_args()
    told = [tell(name, searched(name, options.seconds)) for name in options.models]
    return 0 if all(told) else 1


if __name__ == "__main__":
    sys.exit(main())
