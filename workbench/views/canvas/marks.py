"""What the window says about layers (values, kinds, badges, selection), as arrays over the boxes of a scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from workbench.views.canvas.heat import Group, Heat, Kinds, Range, Scale, range_of
from workbench.views.canvas.palette import HEAT_CLASSES, Palette, category_colors, mix
from workbench.views.canvas.scene import Look, Scene

Classes = NDArray[np.int16]
Floats = NDArray[np.float64]


@dataclass
class Saying:
    """By layer id, as it was told. `matches` are what a search found, `match` the one it is at."""

    overlay: Heat | Kinds | None = None
    colors: Mapping[str, str] = field(default_factory=dict)
    badges: Mapping[str, str] = field(default_factory=dict)
    sorts: Mapping[str, str] = field(default_factory=dict)  # one word for a badge: closed groups count them
    kept: Collection[str] | None = None  # all others step back; None: nothing does
    selection: frozenset[str] = frozenset()
    holders: frozenset[str] = frozenset()  # layers with a selected layer somewhere in their bodies
    matches: Collection[str] = ()
    match: str = ""


@dataclass(frozen=True)
class Fills:
    """Per box the class of its colour: `near` of `colors`, `far` (too small for text) of `far_colors`.

    `dim_colors` and `dim_far_colors` are the dimmed twins. `values` is the number of a box, NaN without one; `leaves`
    those of the layers; `range` the scale that both are seen on. `kinds` counts layers by kind.
    """

    near: Classes
    far: Classes
    colors: list[QColor]
    far_colors: list[QColor]
    dim_colors: list[QColor]
    dim_far_colors: list[QColor]
    values: Floats
    leaves: Floats
    range: Range | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Stripes:
    """Per box the class of the colour at its left side, -1 for none."""

    classes: Classes
    colors: list[QColor]

    def color(self, box: int) -> QColor | None:
        kind = int(self.classes[box])
        return None if kind < 0 else self.colors[kind]


@dataclass(frozen=True)
class Marks:
    """Everything said, over the boxes of `scene`. What did not change since the last is taken over as it is."""

    scene: Scene
    saying: Saying
    palette: Palette
    fills: Fills
    stripes: Stripes
    badges: dict[int, str]
    dim: NDArray[np.bool_]
    selected: NDArray[np.bool_]
    holds: NDArray[np.bool_]
    found: NDArray[np.bool_]

    @property
    def has_values(self) -> bool:
        return self.fills.range is not None

    def value_text(self, box: int) -> str:
        """`12.3 % · 0.41 ms`; empty without a value. A group says the sum or the worst of its layers."""
        return " · ".join(self.value_parts(box))

    def value_parts(self, box: int) -> tuple[str, ...]:
        """The same in parts, the more important first."""
        value, overlay = float(self.fills.values[box]), self.saying.overlay
        return overlay.parts(value) if isinstance(overlay, Heat) and not np.isnan(value) else ()

    def kind_text(self, box: int) -> str:
        """The kind of a layer; `12 INT8, 3 FP32` of a group, or of one with bodies."""
        overlay = self.saying.overlay
        if not isinstance(overlay, Kinds):
            return ""
        members = self.scene.deep_members(box)
        kinds = [kind for layer_id in members if (kind := overlay.values.get(layer_id))]
        return kinds[0] if kinds and len(members) == 1 else counted(kinds)


def counted(words: Iterable[str]) -> str:
    """`12 INT8, 3 FP32`, the most frequent first."""
    return ", ".join(f"{count} {word}" for word, count in Counter(words).most_common())


T = TypeVar("T")


def make_marks(scene: Scene, saying: Saying, palette: Palette, before: Marks | None = None) -> Marks:
    """Cheap where little has changed: at 30 Hz only the overlay does."""
    old = before if before is not None and before.scene is scene and before.palette is palette else None

    def kept(part: str, keys: tuple[str, ...], make: Callable[[], T]) -> T:
        if old is not None and all(_is_same(getattr(old.saying, key), getattr(saying, key)) for key in keys):
            return cast(T, getattr(old, part))
        return make()

    stripes = kept("stripes", ("colors",), lambda: _stripes(scene, saying.colors))
    return Marks(
        scene=scene,
        saying=saying,
        palette=palette,
        fills=kept("fills", ("overlay", "colors"), lambda: _fills(scene, saying.overlay, stripes, palette)),
        stripes=stripes,
        badges=kept("badges", ("badges", "sorts"), lambda: _badges(scene, saying)),
        dim=kept("dim", ("kept",), lambda: _dim(scene, saying.kept)),
        selected=kept("selected", ("selection",), lambda: scene.all_among(saying.selection)),
        holds=kept("holds", ("selection", "holders"), lambda: _holds(scene, saying)),
        found=kept("found", ("matches",), lambda: scene.any_among(saying.matches)),
    )


def _is_same(a: object, b: object) -> bool:
    """Identity first: sets and tables of 50,000 take a millisecond to compare."""
    return a is b or a == b


def _dim(scene: Scene, kept: Collection[str] | None) -> NDArray[np.bool_]:
    return np.zeros(scene.count, dtype=np.bool_) if kept is None else scene.none_among(kept)


def _fills(scene: Scene, overlay: Heat | Kinds | None, stripes: Stripes, palette: Palette) -> Fills:
    if isinstance(overlay, Heat) and overlay.values:
        return _heated(scene, overlay, palette)
    if isinstance(overlay, Kinds) and overlay.values:
        return _sorted(scene, overlay, palette)
    looks = scene.looks.astype(np.int16)
    far, extra = _far(looks, stripes, palette)
    return _filled(palette, looks, far, np.full(scene.count, np.nan), np.empty(0), [], extra)


def _heated(scene: Scene, heat: Heat, palette: Palette) -> Fills:
    leaves = _leaf_values(scene, heat.values)
    values = box_values(scene, leaves, heat)
    reach = range_of(heat, values)
    classes = _plain(scene)
    if reach is not None:
        shares = reach.shares(values)
        known = np.isfinite(shares)
        first = len(Look) + (HEAT_CLASSES if heat.scale is Scale.DIVERGING else 0)
        classes[known] = first + np.minimum(shares[known] * HEAT_CLASSES, HEAT_CLASSES - 1).astype(np.int16)
    return _filled(palette, classes, classes, values, leaves, [], [], reach)


def _sorted(scene: Scene, kinds: Kinds, palette: Palette) -> Fills:
    """By kind; a group has the colour of the kind that most of its layers are."""
    names = list(kinds.colors)
    place = {name: i for i, name in enumerate(names)}
    ids, boxes = scene.deep_leaves
    codes = np.fromiter((place.get(kinds.values.get(i, ""), -1) for i in ids), np.int64, len(ids))
    counts = np.zeros((scene.count, len(names)), dtype=np.int64)
    known = codes >= 0
    np.add.at(counts, (boxes[known], codes[known]), 1)
    classes = _plain(scene)
    some = counts.any(axis=1)
    classes[some] = len(palette.fills) + counts[some].argmax(axis=1)
    near, far = category_colors(palette.theme, list(kinds.colors.values()))
    totals = {name: int(count) for name, count in zip(names, counts.sum(axis=0).tolist(), strict=True) if count}
    blank = np.full(scene.count, np.nan)
    return _filled(palette, classes, classes, blank, np.empty(0), near, far, kinds=totals)


def _filled(
    palette: Palette,
    near: Classes,
    far: Classes,
    values: Floats,
    leaves: Floats,
    extra_near: list[QColor],
    extra_far: list[QColor],
    reach: Range | None = None,
    kinds: Mapping[str, int] | None = None,
) -> Fills:
    dim_near, dim_far = ([palette.dimmed(color) for color in colors] for colors in (extra_near, extra_far))
    return Fills(
        near,
        far,
        palette.fills + extra_near,
        palette.far + extra_far,
        palette.dim_fills + dim_near,
        palette.dim_far + dim_far,
        values,
        leaves,
        reach,
        kinds or {},
    )


def _plain(scene: Scene) -> Classes:
    """Colour means the overlay now: what has no value stays plain."""
    return np.where(scene.looks == Look.PILL, Look.PILL, Look.PLAIN).astype(np.int16)


def _leaf_values(scene: Scene, values: Mapping[str, float]) -> Floats:
    """One for each of `scene.deep_leaves`, NaN where there is none that is finite."""
    ids, _ = scene.deep_leaves
    found = np.fromiter(map(values.get, ids, repeat(np.nan)), np.float64, len(ids))
    found[~np.isfinite(found)] = np.nan
    return found


def box_values(scene: Scene, leaves: Floats, heat: Heat) -> Floats:
    """Of the layers that each box stands for: the sum or the worst; NaN where none has a value."""
    _, boxes = scene.deep_leaves
    known = ~np.isnan(leaves)
    boxes, leaves = boxes[known], leaves[known]
    if heat.group is Group.SUM:
        values = np.bincount(boxes, leaves, scene.count).astype(np.float64)
    else:
        values = np.full(scene.count, np.inf if heat.low_is_hot else -np.inf)
        (np.minimum if heat.low_is_hot else np.maximum).at(values, boxes, leaves)
    values[np.bincount(boxes, minlength=scene.count) == 0] = np.nan
    return values


def _stripes(scene: Scene, colors: Mapping[str, str]) -> Stripes:
    """A group has a stripe where all its layers that have a colour have the same."""
    names = sorted(set(colors.values()))
    place = {name: i for i, name in enumerate(names)}
    ids, boxes = scene.leaves
    codes = np.fromiter((place.get(colors.get(i, ""), -1) for i in ids), np.int64, len(ids))
    known = codes >= 0
    low, high = np.full(scene.count, len(names)), np.full(scene.count, -1)
    np.minimum.at(low, boxes[known], codes[known])
    np.maximum.at(high, boxes[known], codes[known])
    return Stripes(np.where(low == high, low, -1).astype(np.int16), [QColor(name) for name in names])


def _holds(scene: Scene, saying: Saying) -> NDArray[np.bool_]:
    """Something selected is inside: in a body of the box, or among the layers of a group that is not selected whole."""
    some = scene.any_among(saying.selection) & ~scene.all_among(saying.selection)
    return some | scene.any_among(saying.holders)


def _badges(scene: Scene, saying: Saying) -> dict[int, str]:
    """Of layers as they were told; of closed groups how many layers of which sort are inside."""
    found = {scene.index[i]: text for i, text in saying.badges.items() if text and i in scene.index}
    inside: dict[int, list[str]] = {}
    ids, boxes = scene.deep_leaves
    for at in np.flatnonzero(np.isin(boxes, list(scene.closed))).tolist() if saying.sorts else ():
        if word := saying.sorts.get(ids[at]):
            inside.setdefault(int(boxes[at]), []).append(word)
    return found | {box: counted(words) for box, words in inside.items()}


def _far(looks: Classes, stripes: Stripes, palette: Palette) -> tuple[Classes, list[QColor]]:
    """Without an overlay, boxes too small for a stripe take its colour whole."""
    far = np.where(stripes.classes >= 0, len(palette.far) + stripes.classes, looks).astype(np.int16)
    return far, [mix(palette.theme.panel, color.name(), 0.75) for color in stripes.colors]
