"""From a picture to the tensor that a recipe asks for."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from workbench.core.errors import WorkbenchError, one_line
from workbench.core.model import Shape
from workbench.core.reading import read_file
from workbench.core.recipe import Color, Fit, Layout, Preprocess

Array = NDArray[np.generic]

FORMATS = ("PNG", "JPEG", "BMP", "WEBP", "PPM")
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm"})
MAX_PIXELS = 80_000_000
_MAX_BYTES = 256 * 1024**2

# What Pillow's decoders raise for files that are damaged or made to harm.
_PICTURE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    MemoryError,
    TypeError,
    IndexError,
    KeyError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def load_picture(path: Path) -> Image.Image:
    """The decoded picture, turned upright as its EXIF says. Raises WorkbenchError naming the file."""
    data = read_file(path, limit=_MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_large(path, picture.width, picture.height)
            picture.load()
            return ImageOps.exif_transpose(picture)
    except Image.DecompressionBombError as error:
        raise _too_large(path, 0, 0) from error
    except _PICTURE_ERRORS as error:
        why = "its content is of another kind" if isinstance(error, UnidentifiedImageError) else str(error)
        raise WorkbenchError(
            f"The picture {path.name} cannot be read: {one_line(why, 120).rstrip('.')}.",
            f"It must be one of {', '.join(FORMATS)}, and whole. Replace it or take it out of {path.parent}.",
        ) from error


def _too_large(path: Path, width: int, height: int) -> WorkbenchError:
    size = f"{width}×{height} pixels" if width else "too many pixels"
    return WorkbenchError(f"The picture {path.name} has {size}.", f"{MAX_PIXELS // 10**6} million are the most.")


def from_array(pixels: NDArray[np.uint8]) -> Image.Image:
    """A picture of an array [H, W], [H, W, 1 or 3] or [1 or 3, H, W] of 0..255."""
    if pixels.ndim == 3 and pixels.shape[2] not in (1, 3) and pixels.shape[0] in (1, 3):
        pixels = np.moveaxis(pixels, 0, 2)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(pixels))


def is_picture_array(shape: Shape) -> bool:
    """Whether rows of this shape can be pictures."""
    return len(shape) == 2 or (len(shape) == 3 and (shape[2] in (1, 3) or shape[0] in (1, 3)))


def preprocess(picture: Image.Image, recipe: Preprocess) -> NDArray[np.float32]:
    """(pixel * scale - mean) / std, as [C, H, W] or [H, W, C].

    Pictures are resized with a filter that averages when it shrinks (Pillow's bilinear). PAD_RIGHT is PaddleOCR's
    resize_norm_img: full height, width ceil(height * aspect) at most, zeros behind it after normalising.
    """
    picture = _fit(_colored(picture, recipe.color), recipe)
    pixels = np.asarray(picture, dtype=np.float32)
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if recipe.color is Color.BGR:
        pixels = pixels[:, :, ::-1]
    values = (pixels * np.float32(recipe.scale) - _row(recipe.mean)) / _row(recipe.std)
    if values.shape[1] < recipe.width:
        values = np.pad(values, ((0, 0), (0, recipe.width - values.shape[1]), (0, 0)))
    values = values if recipe.layout is Layout.NHWC else np.moveaxis(values, 2, 0)
    return np.ascontiguousarray(values, dtype=np.float32)


def _row(values: tuple[float, ...]) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def _colored(picture: Image.Image, color: Color) -> Image.Image:
    if picture.mode.startswith("I"):  # 16 bits: Pillow would clip at 255 instead of scaling
        picture = Image.fromarray((np.asarray(picture).clip(0, 65535) / 257).round().astype(np.uint8))
    return picture.convert("L" if color is Color.GRAY else "RGB")


def _fit(picture: Image.Image, recipe: Preprocess) -> Image.Image:
    size = (recipe.width, recipe.height)
    if recipe.fit is Fit.CENTER_CROP:
        return ImageOps.fit(picture, size, Image.Resampling.BILINEAR)
    if recipe.fit is Fit.PAD_RIGHT:
        width = math.ceil(recipe.height * picture.width / picture.height)
        size = (max(1, min(recipe.width, width)), recipe.height)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BILINEAR)


def made_shape(recipe: Preprocess) -> Shape:
    """The shape of one preprocessed picture."""
    channels = 1 if recipe.color is Color.GRAY else 3
    if recipe.layout is Layout.NCHW:
        return channels, recipe.height, recipe.width
    return recipe.height, recipe.width, channels


def guess_preprocess(name: str, shape: Shape, dtype: str) -> Preprocess:
    """A recipe from the shape of an input alone: size, layout and colours are certain, the normalisation is a guess.

    Raises WorkbenchError where the input does not look like a picture.
    """
    scale = 1.0 if dtype in ("uint8", "int8") else 1 / 255
    if len(shape) == 3 and shape[0] == 1:
        return Preprocess(name, shape[2], shape[1], Layout.NCHW, Color.GRAY, scale=scale)
    if len(shape) == 4 and shape[1] in (1, 3):
        color = Color.GRAY if shape[1] == 1 else Color.RGB
        return Preprocess(name, shape[3], shape[2], Layout.NCHW, color, scale=scale)
    if len(shape) == 4 and shape[3] in (1, 3):
        color = Color.GRAY if shape[3] == 1 else Color.RGB
        return Preprocess(name, shape[2], shape[1], Layout.NHWC, color, scale=scale)
    text = "×".join(map(str, shape)) or "a single value"
    raise WorkbenchError(
        f"Pictures do not fit the model's input {name!r} ({text}).",
        "Give arrays (.npy, .npz) instead, or say in the recipe which input takes pictures.",
    )
