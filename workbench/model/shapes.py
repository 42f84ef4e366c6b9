"""Shapes of inputs with free dimensions: sensible guesses, and a check of what the user gives instead."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from workbench.core.errors import WorkbenchError
from workbench.core.model import Model, Shape, TensorSpec
from workbench.core.profile import DimKind
from workbench.model.dtypes import dtype_bytes

MAX_INPUT_BYTES = 2 * 1024**3


# Names of free dimensions as exporters and people write them (matched in lower case), a size that most models take, and
# what it counts. The first that fits wins.
_NAMES: tuple[tuple[re.Pattern[str], int, DimKind], ...] = tuple(
    (re.compile(pattern), size, kind)
    for pattern, size, kind in (
        (r"past", 16, DimKind.LENGTH),
        (r"batch|^n$|^b$|^bs$|^bsz$|^num_?(samples|images|examples|crops|streams)$", 1, DimKind.BATCH),
        (r"^(n_?)?(samples|audio|waveform|wav)|num_frames_in|audio_?len", 16000, DimKind.SOUND),
        (r"mel|bins", 80, DimKind.FEATURE),
        (r"head", 8, DimKind.FEATURE),
        (r"chan|^c$|colou?r", 3, DimKind.FEATURE),
        (r"height|^h$|^rows?$", 224, DimKind.PICTURE),
        (r"width|^w$|^col(umn)?s?$", 224, DimKind.PICTURE),
        (r"image_?size|resolution|^size$", 224, DimKind.PICTURE),
        (r"depth|^d$", 16, DimKind.LENGTH),
        (r"time|frame|^t$", 100, DimKind.LENGTH),
        (r"seq|len|token|words?|text|^s$|^l$", 64, DimKind.LENGTH),
        (r"box|roi|point|proposal|candidate|detections?", 16, DimKind.LENGTH),
        (r"vocab", 100, DimKind.FEATURE),
        (r"feature|hidden|embed|^f$", 64, DimKind.FEATURE),
    )
)
_SUM = re.compile(r"\s*([\w.]+)\s*\+\s*([\w.]+)\s*")
_CHANNELS = (1, 3, 4)
_PICTURES = ((48, 320), (32, 320), (640, 640), (320, 320), (256, 256), (512, 512), (64, 64), (32, 32), (28, 28))


def guess_shapes(inputs: Sequence[TensorSpec]) -> dict[str, Shape]:
    """A shape for every input: fixed dimensions as they are, free ones by name, else by place.

    Equal names get equal values; `a + b` of known names their sum. Unnamed ones: 1 in front, 224 where a picture's
    height and width would be, 16,000 at the end of sound (512 where the sample rate is an input too), else 64.
    """
    has_rate = any(re.fullmatch(r"sr|sample_?rate|sampling_rate", spec.name.lower()) for spec in inputs)
    values: dict[str, int] = {}
    for spec in inputs:
        for axis, dim in enumerate(spec.shape):
            if isinstance(dim, str) and dim not in values and not is_sum(dim):
                values[dim] = _guess(dim, axis, spec, has_rate)
    return sized(inputs, values)


def sized(inputs: Sequence[TensorSpec], values: Mapping[str, int]) -> dict[str, Shape]:
    """The shape of every input where its free dimensions have these values; `a + b` is the sum of theirs."""
    return {spec.name: tuple(_value(dim, values) for dim in spec.shape) for spec in inputs}


def is_sum(dim: str) -> bool:
    """Whether the name of a free dimension says that it follows from others: `past + 1`."""
    return _SUM.fullmatch(dim) is not None


def _guess(dim: str, axis: int, spec: TensorSpec, has_rate: bool) -> int:
    name = dim.lower()
    if not name.startswith("?"):
        for pattern, size, _ in _NAMES:
            if pattern.search(name):
                return size
    if axis == 0:
        return 1
    return _by_place(axis, spec, has_rate)


def dim_kind(dim: str, axis: int, spec: TensorSpec) -> DimKind:
    """What a free dimension counts: by its name, else by its place as in `guess_shapes`."""
    if not dim.startswith("?"):
        for pattern, _, kind in _NAMES:
            if pattern.search(dim.lower()):
                return kind
    if axis == 0:
        return DimKind.BATCH
    if len(spec.shape) == 4:
        return DimKind.FEATURE if _by_place(axis, spec, False) == 3 else DimKind.PICTURE
    guess = _by_place(axis, spec, False)
    return {1: DimKind.BATCH, 16000: DimKind.SOUND}.get(guess, DimKind.LENGTH)


def _by_place(axis: int, spec: TensorSpec, has_rate: bool) -> int:
    rank = len(spec.shape)
    if rank == 4:
        channels_last = spec.shape[3] in _CHANNELS and spec.shape[1] not in _CHANNELS
        if axis == (3 if channels_last else 1):
            return 3
        return 224
    is_sound = rank <= 3 and re.search(r"audio|wav|sound|speech|signal", spec.name.lower())
    if is_sound and axis == max(a for a, dim in enumerate(spec.shape) if isinstance(dim, str)):
        return 16000
    # A free middle of a recurrent state [layers, batch, hidden] is its batch.
    if rank == 3 and axis == 1 and re.search(r"state|hidden|^h\d?$|^c\d?$|cache", spec.name.lower()):
        return 1
    return 512 if has_rate and rank == 2 else 64


def picture_sizes(inputs: Sequence[TensorSpec], guess: Mapping[str, Shape]) -> Iterator[dict[str, Shape]]:
    """Other sizes to try where the guess does not work: those that models of pictures are commonly made for."""
    for height, width in _PICTURES:
        shapes = dict(guess)
        for spec in inputs:
            if len(spec.shape) == 4:
                first = 1 if spec.shape[3] in _CHANNELS and spec.shape[1] not in _CHANNELS else 2
                sizes = {first: height, first + 1: width}
                shapes[spec.name] = tuple(
                    sizes.get(axis, now) if isinstance(dim, str) else now
                    for axis, (dim, now) in enumerate(zip(spec.shape, guess[spec.name], strict=True))
                )
        if shapes != guess:
            yield shapes


def _value(dim: int | str, values: Mapping[str, int]) -> int:
    if isinstance(dim, int):
        return dim
    parts = _SUM.fullmatch(dim)
    if parts is None:
        return values[dim]
    return sum(_term(part, values) for part in parts.groups())


def _term(part: str, values: Mapping[str, int]) -> int:
    return int(part) if part.isascii() and part.isdigit() and len(part) < 10 else values.get(part, 16)


def check_shapes(model: Model, shapes: Mapping[str, Shape]) -> None:
    """Raises WorkbenchError, naming input and axis, where `shapes` are not ones the model's inputs can have."""
    names = [spec.name for spec in model.inputs]
    for name in shapes:
        if name not in names:
            raise WorkbenchError(f"The model has no input {name!r}.", f"Its inputs are: {', '.join(names)}.")
    values: dict[str, tuple[int, str]] = {}
    for spec in model.inputs:
        if spec.name not in shapes:
            raise WorkbenchError(f"The input {spec.name!r} has no shape.", f"It is declared as {_text(spec.shape)}.")
        _check_one(spec, shapes[spec.name])
        _check_links(spec, shapes[spec.name], values)


def _check_one(spec: TensorSpec, shape: Shape) -> None:
    if len(shape) != len(spec.shape):
        raise WorkbenchError(
            f"The input {spec.name!r} has {len(spec.shape)} axes; {_text(shape)} has {len(shape)}.",
            f"It is declared as {_text(spec.shape)}.",
        )
    for axis, (dim, value) in enumerate(zip(spec.shape, shape, strict=True)):
        if isinstance(dim, int) and dim != value:
            raise WorkbenchError(
                f"Axis {axis} of the input {spec.name!r} is fixed to {dim}; it cannot be {value}.",
                f"It is declared as {_text(spec.shape)}.",
            )
        if value < 0:
            raise WorkbenchError(f"Axis {axis} of the input {spec.name!r} cannot be {value}.", "Give a positive size.")
    count = 1
    for value in shape:
        count *= value
    if max(dtype_bytes(spec.dtype, count), count) > MAX_INPUT_BYTES:
        raise WorkbenchError(
            f"The input {spec.name!r} would need {count:,} values.", "Give smaller sizes; 2 GB are the most."
        )


def _check_links(spec: TensorSpec, shape: Shape, values: dict[str, tuple[int, str]]) -> None:
    for dim, value in zip(spec.shape, shape, strict=True):
        if isinstance(dim, int) or dim.startswith("?"):
            continue
        known, where = values.setdefault(dim, (value, spec.name))
        if known != value:
            raise WorkbenchError(
                f"The free dimension {dim!r} is {known} in {where!r} and {value} in {spec.name!r}.",
                "The model asks for one value in both places.",
            )


def _text(shape: Sequence[int | str]) -> str:
    return "×".join(map(str, shape)) if shape else "a single value (no axes)"
