"""The recipe kept with a model: shapes of its inputs, their ranges, preprocessing, its sample sets and its task."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workbench.core.model import Shape
from workbench.core.profile import OptimizationProfile


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
    TEXT_LINES = "text_lines"  # exact lines, character and word error rate, of a CTC output [N, steps, characters]
    F1 = "f1"  # of scores [N, classes]: by `threshold` where one is given, else of the best class
    EMBEDDING = "embedding"  # cosine with the reference's vectors, and recall@1 among samples of one label
    REGRESSION = "regression"  # root mean squared and mean absolute error of numbers
    NEXT_TOKEN = "next_token"  # perplexity and accuracy of logits [N, steps, vocabulary] on their own input
    FUNCTION = "function"  # `function` of a Python file of the user's own

    @property
    def has_number_labels(self) -> bool:
        """Whether labels are numbers (or rows of them), not names of classes."""
        return self in (TaskKind.F1, TaskKind.REGRESSION, TaskKind.FUNCTION)


class Task(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the outputs mean, so that labels can be checked.

    `labels` are class names in output order. For text, `charset_key` names the metadata entry of the ONNX file that
    lists the characters, one a line; index 0 is the blank, one more (the space) may follow the list. For F1,
    `threshold` makes labels of scores. For next tokens, `tokens` is the input that holds them (empty: the first of
    integers). For a function, `function` is `file.py:name`, relative to the recipe; it is run only where its user
    allowed just that file.
    """

    kind: TaskKind
    output: str = ""  # empty: the first output
    labels: tuple[str, ...] = ()
    charset_key: str = "character"
    threshold: float | None = None
    tokens: str = ""
    function: str = ""


class Recipe(msgspec.Struct, frozen=True, omit_defaults=True):
    """`<model>.workbench.toml` beside the model. Paths of sample sets are relative to it.

    `profiles` are the ranges of shapes that engines are built for; none: for one shape of each input.
    """

    title: str = ""
    summary: str = ""
    licence: str = ""
    inputs: dict[str, InputSpec] = {}
    preprocess: Preprocess | None = None
    calibration: str = ""
    evaluation: str = ""
    task: Task | None = None
    profiles: tuple[OptimizationProfile, ...] = ()
