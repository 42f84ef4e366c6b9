"""Train the Fashion-MNIST sample and write everything in this folder but the card and the recipe.

    pip install -r sample_models/requirements-training.txt
    apt-get install dataset-fashion-mnist
    python -m sample_models.fashion.train

from the root of the repository; about 8 minutes of one core.

Writes fashion_resnet.onnx, calibration.npz (from the training side) and evaluation.npz (from the test side).
"""

from __future__ import annotations

import argparse
import gzip
import logging
from pathlib import Path

import numpy as np
import torch

from sample_models.training import (
    Schedule,
    SmallResNet,
    accuracy,
    describe,
    export,
    fit,
    parity,
    prepare,
)

log = logging.getLogger("fashion")

HERE = Path(__file__).resolve().parent
MEAN, STD = 0.2860, 0.3530  # of the training pixels, scaled to 0..1
CALIBRATION, EVALUATION = 256, 2000


def read_idx(path: Path) -> np.ndarray:
    """An IDX file of bytes, gzipped: magic, number of axes, one big-endian size per axis, then the values."""
    data = gzip.decompress(path.read_bytes())
    sizes = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(sizes)


def read_split(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures [N, 28, 28] uint8 and classes [N] uint8 of split "train" or "t10k"."""
    return read_idx(folder / f"{split}-images-idx3-ubyte.gz"), read_idx(
        folder / f"{split}-labels-idx1-ubyte.gz"
    )


def normalise(pixels: np.ndarray) -> np.ndarray:
    """uint8 [N, 28, 28] -> float32 [N, 1, 28, 28], as the recipe's preprocessing does."""
    return ((pixels[:, None].astype(np.float32) / 255 - MEAN) / STD).astype(np.float32)


def augment(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Mirror half of the pictures, then shift the batch by up to two pixels each way."""
    mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
    images = torch.where(mirrored, images.flip(3), images)
    top, left = torch.randint(0, 5, (2,), generator=generator).tolist()
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2), value=-MEAN / STD)
    return padded[:, :, top : top + 28, left : left + 28]


def stratified(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Indices of `count` items, the same number of every class, drawn at random, in ascending order."""
    rng = np.random.default_rng(seed)
    each = count // len(np.unique(labels))
    return np.sort(
        np.concatenate([rng.choice(np.flatnonzero(labels == c), each, False) for c in np.unique(labels)])
    )


def write_sets(
    train: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray], out: Path, seed: int
) -> None:
    """calibration.npz: x of the training side. evaluation.npz: x and y of the test side, stratified."""
    rows = np.sort(np.random.default_rng(seed).choice(len(train[0]), CALIBRATION, False))
    np.savez_compressed(out / "calibration.npz", x=train[0][rows])
    rows = stratified(test[1], EVALUATION, seed)
    np.savez_compressed(out / "evaluation.npz", x=test[0][rows], y=test[1][rows].astype(np.int64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"), help="the IDX files"
    )
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")

    train, test = read_split(options.data, "train"), read_split(options.data, "t10k")
    write_sets(train, test, options.out, options.seed)
    prepare(options.seed)
    net = SmallResNet(16, [(32, 2), (64, 2), (64, 1)], classes=10)
    fit(net, normalise(train[0]), train[1], Schedule(options.epochs, seed=options.seed), augment)

    path = options.out / "fashion_resnet.onnx"
    x = normalise(test[0])
    export(net, x[:1], path, keep_batchnorm=True)
    parameters = sum(p.numel() for p in net.parameters())
    log.info("parameters %d, torch against ONNX Runtime %.1e", parameters, parity(net, path, x[:64]))
    log.info(describe("whole test set", *accuracy(path, x, test[1])))
    with np.load(options.out / "evaluation.npz") as evaluation:
        log.info(describe("evaluation.npz", *accuracy(path, normalise(evaluation["x"]), evaluation["y"])))


if __name__ == "__main__":
    main()
