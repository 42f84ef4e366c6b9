"""Train the digits sample and write everything in this folder but the card and the recipe.

    pip install -r sample_models/requirements-training.txt
    python -m sample_models.digits.train

from the root of the repository; about 20 seconds of one core.

Writes digits_resnet.onnx (BatchNormalization folded into Conv by the exporter), calibration/ (64 pictures of
the training side) and evaluation/<class>/ (all 597 pictures of the test side).
"""

from __future__ import annotations

import argparse
import logging
import math
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sample_models.training import Schedule, SmallResNet, accuracy, describe, export, fit, parity, prepare

log = logging.getLogger("digits")

HERE = Path(__file__).resolve().parent
TEST, CALIBRATION = 597, 64
PIXEL = 15  # values 0..16 are stored as 0..240, so that the pictures lose nothing


def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Turn by up to 10 degrees, scale by 10 %, shift by half a pixel; every picture by its own amounts."""
    n = len(images)
    turn, scale, across, down = (torch.rand(4, n, generator=generator) * 2 - 1).unbind()
    angle, factor = turn * math.radians(10), 1 + 0.1 * scale
    cos, sin = torch.cos(angle) * factor, torch.sin(angle) * factor
    matrix = torch.stack([cos, -sin, across / 8, sin, cos, down / 8], dim=1).view(n, 2, 3)
    grid = torch.nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, align_corners=False)


def normalise(values: np.ndarray) -> np.ndarray:
    """Values 0..16 [N, 8, 8] -> float32 0..1 [N, 1, 8, 8], as the recipe's preprocessing does."""
    return (values[:, None] / 16).astype(np.float32)


def write_pictures(values: np.ndarray, folder: Path, classes: np.ndarray | None = None) -> None:
    """000.png ... in `folder`, or in one sub-folder per class; what was there before goes."""
    shutil.rmtree(folder, ignore_errors=True)
    for i, picture in enumerate(values):
        target = folder if classes is None else folder / str(classes[i])
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray((picture * PIXEL).astype(np.uint8)).save(target / f"{i:03d}.png", optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.images, digits.target, test_size=TEST, stratify=digits.target, random_state=options.seed
    )
    write_pictures(x[:CALIBRATION], options.out / "calibration")
    write_pictures(x_test, options.out / "evaluation", y_test)

    prepare(options.seed)
    net = SmallResNet(32, [(32, 1), (64, 2)], classes=10)
    fit(net, normalise(x), y, Schedule(options.epochs, batch=50, seed=options.seed), augment)
    path = options.out / "digits_resnet.onnx"
    export(net, normalise(x_test[:1]), path, keep_batchnorm=False)
    parameters = sum(p.numel() for p in net.parameters())
    log.info(
        "parameters %d, torch against ONNX Runtime %.1e", parameters, parity(net, path, normalise(x_test))
    )
    log.info(describe("evaluation", *accuracy(path, normalise(x_test), y_test)))


if __name__ == "__main__":
    main()
