"""Groups inside a large flat group, from its structure: pieces between cuts, repeats of them, branches of a piece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from workbench.model.scopes.cuts import cut_places, reading_order, segments
from workbench.model.scopes.repeats import repeated

LARGE = 60  # members up to which a group stays flat
SMALL = 6  # members below which a piece that stands alone is no group of its own
DEPTH_MOST = 6
FORMS_TRIED = 8

Part = int | list["Part"]
Form = tuple[tuple[int, tuple[int, ...]], ...]  # of each item its kind and how far back its producers are; 0: outside


def divide(producers: Sequence[Sequence[int]], kinds: Sequence[int], depth: int = 0) -> list[Part]:
    """Items 0..n-1 as a tree of parts. `producers` are the edges between them, `kinds` what makes items alike."""
    if len(producers) <= LARGE or depth > DEPTH_MOST:
        return list(range(len(producers)))
    order = reading_order(producers)
    cuts = cut_places(producers, order, LARGE)
    pieces = segments(order, cuts)
    if len(pieces) > 1:
        return _pieces(pieces, producers, kinds, depth)
    if 2 * len(cuts) > len(order):
        return _chain(order, kinds)
    return _branches({order[cut] for cut in cuts}, producers, kinds, depth)


def _pieces(
    pieces: list[list[int]], producers: Sequence[Sequence[int]], kinds: Sequence[int], depth: int
) -> list[Part]:
    """Pieces as groups, repeated rows of them as groups of groups."""
    forms = [_form(piece, producers, kinds) for piece in pieces]
    pieces, forms = _split_tails(pieces, forms)
    number = {form: i for i, form in enumerate(dict.fromkeys(forms))}
    times = Counter(forms)
    parts: list[Part] = []
    for start, end in repeated([number[form] for form in forms]):
        turn: list[Part] = []
        for piece, form in zip(pieces[start:end], forms[start:end], strict=True):
            stays = len(piece) == 1 or (times[form] == 1 and len(piece) < SMALL)
            turn += piece if stays else [_inner(piece, producers, kinds, depth)]
        parts += [turn] if end - start > 1 else turn
    return parts


def _form(piece: Sequence[int], producers: Sequence[Sequence[int]], kinds: Sequence[int]) -> Form:
    place = {item: i for i, item in enumerate(piece)}
    return tuple(
        (kinds[item], tuple(i - place[maker] if maker in place else 0 for maker in producers[item]))
        for i, item in enumerate(piece)
    )


def _split_tails(pieces: list[list[int]], forms: list[Form]) -> tuple[list[list[int]], list[Form]]:
    """A block and what stands behind it before paths part again are two: the last block, and the pooling after it."""
    times = Counter(forms)
    known = [form for form, count in times.most_common(FORMS_TRIED) if count > 1 and len(form) > 1]
    known.sort(key=len, reverse=True)
    cut_pieces: list[list[int]] = []
    cut_forms: list[Form] = []
    for piece, form in zip(pieces, forms, strict=True):
        size = next((len(k) for k in known if times[k] > times[form] and form[: len(k)] == k), len(piece))
        for a, b in ((0, size), (size, len(piece))):
            if a < b:
                cut_pieces.append(piece[a:b])
                cut_forms.append(form[a:b])
    return cut_pieces, cut_forms


def _inner(piece: Sequence[int], producers: Sequence[Sequence[int]], kinds: Sequence[int], depth: int) -> list[Part]:
    """A part of the graph, divided in its turn where it is large."""
    if len(piece) <= LARGE:
        return list(piece)
    items = sorted(piece)
    place = {item: i for i, item in enumerate(items)}
    inside = [[place[maker] for maker in producers[item] if maker in place] for item in items]
    return [_placed(part, items) for part in divide(inside, [kinds[item] for item in items], depth + 1)]


def _placed(part: Part, items: Sequence[int]) -> Part:
    return items[part] if isinstance(part, int) else [_placed(inner, items) for inner in part]


def _chain(order: Sequence[int], kinds: Sequence[int]) -> list[Part]:
    """A row of nodes without branches: only its repeats are groups."""
    parts: list[Part] = []
    for start, end in repeated([kinds[item] for item in order]):
        parts += [list(order[start:end])] if end - start > 1 else order[start:end]
    return parts


def _branches(cuts: set[int], producers: Sequence[Sequence[int]], kinds: Sequence[int], depth: int) -> list[Part]:
    """What is connected without the cut nodes, as a group each."""
    leader = list(range(len(producers)))

    def find(item: int) -> int:
        while leader[item] != item:
            leader[item] = leader[leader[item]]
            item = leader[item]
        return item

    for item, makers in enumerate(producers):
        for maker in makers:
            if item not in cuts and maker not in cuts:
                a, b = find(item), find(maker)
                leader[max(a, b)] = min(a, b)
    found: dict[int, list[int]] = {}
    for item in range(len(producers)):
        found.setdefault(find(item), []).append(item)
    if max(map(len, found.values())) == len(producers):
        return list(range(len(producers)))
    parts: list[Part] = []
    for members in found.values():
        parts += members if len(members) < SMALL else [_inner(members, producers, kinds, depth)]
    return parts
