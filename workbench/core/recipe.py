"""The recipe kept with a model: shapes of its inputs, preprocessing, its sample sets and its task."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.model import Shape


class Layout(StrEnum):
    NCHW = "NCHW"
    NHWC = "NHWC"


class Color(StrEnum):
    RGB = "RGB"
    BGR = "BGR"
    GRAY = "GRAY"


class Fit(StrEnum):
    """How a picture comes to the input's size."""

    STRETCH = "stretch"
    PAD_RIGHT = "pad_right"  # keep the aspect at full height, fill the right with zeros after normalising
    CENTER_CROP = "center_crop"


class InputSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Shape and kind of values of one input. `const` wins over `low`/`high` (random, uniform; ints for int types)."""

    shape: Shape | None = None
    low: float | None = None
    high: float | None = None
    const: float | None = None


class Preprocess(msgspec.Struct, frozen=True, omit_defaults=True):
    """Picture -> tensor: fit to height x width, order colours, then (pixel * scale - mean) / std, per channel.

    `scale` multiplies 0..255 pixel values. `mean` and `std` have one value, or one per channel in `color` order.
    """

    input: str = ""  # empty: the model's only (or first) input
    width: int = 224
    height: int = 224
    layout: Layout = Layout.NCHW
    color: Color = Color.RGB
    fit: Fit = Fit.STRETCH
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


class TaskKind(StrEnum):
    CLASSIFICATION = "classification"  # top-1, of an output [N, classes]
    TEXT_LINES = "text_lines"  # exact lines and character error rate, of a CTC output [N, steps, characters]


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the outputs mean, so that labels can be checked.

    `labels` are class names in output order. For text, `charset_key` names the metadata entry of the ONNX file that
    lists the characters, one a line; index 0 is the blank, one more (the space) may follow the list.
    """

    kind: TaskKind
    output: str = ""  # empty: the first output
    labels: tuple[str, ...] = ()
    charset_key: str = "character"


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """`<model>.workbench.toml` beside the model. Paths of sample sets are relative to it."""

    title: str = ""
    summary: str = ""
    licence: str = ""
    inputs: dict[str, InputSpec] = {}
    preprocess: Preprocess | None = None
    calibration: str = ""
    evaluation: str = ""
    task: Task | None = None
