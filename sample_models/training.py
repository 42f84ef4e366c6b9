"""A small residual network: how `fashion/train.py` and `digits/train.py` train, check and export it.

Everything runs on one thread with fixed seeds: two threads on a loaded machine are slower than one, and the
figures on the cards shall be found again. Arrays are NumPy outside and torch inside.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

log = logging.getLogger("training")

Augment = Callable[[Tensor, torch.Generator], Tensor]


class ResidualBlock(nn.Module):
    """Conv-BN-ReLU-Conv-BN, plus the input (by 1x1 Conv-BN where the shape changes), then ReLU [He 2015]."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.shortcut(x))


class SmallResNet(nn.Module):
    """A stem, one residual block per (channels, stride), global average pooling and a linear layer.

    Input [N, 1, height, width], output logits [N, classes].
    """

    def __init__(self, stem: int, blocks: Sequence[tuple[int, int]], classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, stem, 3, 1, 1, bias=False), nn.BatchNorm2d(stem), nn.ReLU())
        channels = [stem, *(block_channels for block_channels, _ in blocks)]
        self.blocks = nn.Sequential(
            *(ResidualBlock(channels[i], channels[i + 1], stride) for i, (_, stride) in enumerate(blocks))
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(channels[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.pool(self.blocks(self.stem(x))).flatten(1))


@dataclass(frozen=True)
class Schedule:
    """AdamW with the one-cycle rule [Smith 2018], cross entropy with label smoothing 0.05."""

    epochs: int
    batch: int = 128
    peak_rate: float = 4e-3
    weight_decay: float = 1e-2
    seed: int = 0


def prepare(seed: int) -> None:
    """One thread, deterministic kernels, fixed seed. Call it before the network is made."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def fit(net: nn.Module, x: np.ndarray, y: np.ndarray, schedule: Schedule, augment: Augment) -> None:
    """Train `net` in place on x [N, 1, height, width] float32 (normalised) and class indices y [N]."""
    net.to(memory_format=torch.channels_last)  # twice as fast on a CPU, same numbers
    images = torch.from_numpy(x).to(memory_format=torch.channels_last)
    labels = torch.from_numpy(y.astype(np.int64))
    generator = torch.Generator().manual_seed(schedule.seed)
    steps = len(images) // schedule.batch
    optimizer = torch.optim.AdamW(net.parameters(), lr=schedule.peak_rate, weight_decay=schedule.weight_decay)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, schedule.peak_rate, total_steps=steps * schedule.epochs
    )
    net.train()
    for epoch in range(schedule.epochs):
        total = 0.0
        for rows in torch.randperm(len(images), generator=generator)[: steps * schedule.batch].split(
            schedule.batch
        ):
            loss = functional.cross_entropy(
                net(augment(images[rows], generator)), labels[rows], label_smoothing=0.05
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
            total += loss.item()
        log.info("epoch %d of %d: loss %.4f", epoch + 1, schedule.epochs, total / steps)
    net.eval()


def export(net: nn.Module, example: np.ndarray, path: Path, *, keep_batchnorm: bool) -> None:
    """Write `net` as ONNX opset 17, input "image" [batch, ...], output "logits" [batch, classes].

    The exporter folds BatchNormalization into Conv unless told to preserve the training mode; the module
    is in eval mode, so what is kept is the inference form (one output, running statistics).
    """
    mode = torch.onnx.TrainingMode.PRESERVE if keep_batchnorm else torch.onnx.TrainingMode.EVAL
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # the exporter that writes one file is the older one
        torch.onnx.export(
            net.eval(),
            (torch.from_numpy(example),),
            str(path),
            dynamo=False,
            opset_version=17,
            training=mode,
            do_constant_folding=not keep_batchnorm,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        )


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """The exported file in ONNX Runtime, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def accuracy(path: Path, x: np.ndarray, y: np.ndarray, batch: int = 250) -> tuple[int, int]:
    """Top-1 of the exported file in ONNX Runtime: (right, n)."""
    session = open_session(path)
    logits = [session.run(None, {"image": x[i : i + batch]})[0] for i in range(0, len(x), batch)]
    return int((np.concatenate(logits).argmax(1) == y).sum()), len(y)


def parity(net: nn.Module, path: Path, x: np.ndarray) -> float:
    """Largest absolute difference between torch's and ONNX Runtime's logits for x."""
    with torch.no_grad():
        expected = net(torch.from_numpy(x)).numpy()
    return float(np.abs(expected - open_session(path).run(None, {"image": x})[0]).max())


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share, in percent [Wilson 1927]."""
    z, share = 1.959964, right / n
    middle = share + z * z / (2 * n)
    half = z * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return 100 * (middle - half) / (1 + z * z / n), 100 * (middle + half) / (1 + z * z / n)


def describe(name: str, right: int, n: int) -> str:
    """One line for the card: `name: 91.70 % (9170 of 10000; 95 % interval 91.1 .. 92.2)`."""
    low, high = wilson(right, n)
    return f"{name}: {100 * right / n:.2f} % ({right} of {n}; 95 % interval {low:.1f} .. {high:.1f})"
