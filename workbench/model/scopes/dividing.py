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
TURN_LEAST = 14  # members from which a piece of a repeated block is a group inside it
TAIL_MOST = 4  # nodes in a row that still belong to the block before them
ROW_MOST = 12  # nodes in a row that still make a group

Part = int | list["Part"]
Form = tuple[tuple[int, tuple[int, ...]], ...]  # of each item its kind and how far back its producers are; 0: outside


def divide(producers: Sequence[Sequence[int]], kinds: Sequence[int], depth: int = 0) -> list[Part]:
    """Items 0..n-1 as a tree of parts. `producers` are the edges between them, `kinds` what makes items alike."""
    if len(producers) <= LARGE or depth > DEPTH_MOST:
        return list(range(len(producers)))
    order = reading_order(producers)
    cuts = {order[place] for place in cut_places(producers, order, LARGE).tolist()}
    pieces = segments(order, cuts)
    if len(pieces) == 1 and len(pieces[0]) > _tail(pieces[0], cuts):
        return _branches(cuts, producers, kinds, depth)
    return _pieces(pieces, cuts, producers, kinds, depth)


def _pieces(
    pieces: list[list[int]], cuts: set[int], producers: Sequence[Sequence[int]], kinds: Sequence[int], depth: int
) -> list[Part]:
    """Pieces as groups, repeated rows of them as groups of groups."""
    pieces = _without_tails(pieces, cuts, producers, kinds)
    forms = [_form(piece, producers, kinds) for piece in pieces]
    number = {form: i for i, form in enumerate(dict.fromkeys(forms))}
    times = Counter(forms)
    parts: list[Part] = []
    for start, end in repeated([number[form] for form in forms]):
        in_turn = end - start > 1
        turn: list[Part] = []
        for piece, form in zip(pieces[start:end], forms[start:end], strict=True):
            if len(piece) < (TURN_LEAST if in_turn else SMALL if times[form] == 1 else 2):
                turn += piece
            elif len(piece) > ROW_MOST and _tail(piece, cuts) == len(piece):
                turn += _row(piece, kinds)
            else:
                turn.append(_inner(piece, producers, kinds, depth))
        parts += [turn] if in_turn else turn
    return parts


def _form(piece: Sequence[int], producers: Sequence[Sequence[int]], kinds: Sequence[int]) -> Form:
    place = {item: i for i, item in enumerate(piece)}
    return tuple(
        (kinds[item], tuple(i - place[maker] if maker in place else 0 for maker in producers[item]))
        for i, item in enumerate(piece)
    )


def _tail(piece: Sequence[int], cuts: set[int]) -> int:
    """How many cut nodes end a piece, the one that joins its branches among them."""
    return next((i for i, item in enumerate(reversed(piece)) if item not in cuts), len(piece))


def _without_tails(
    pieces: list[list[int]], cuts: set[int], producers: Sequence[Sequence[int]], kinds: Sequence[int]
) -> list[list[int]]:
    """A block and a row of nodes behind it are two pieces: the last block of a net, and the pooling and Gemm after it.

    The block ends as others of its form do; where there are none, where its branches join.
    """
    forms = [_form(piece, producers, kinds) for piece in pieces]
    times = Counter(forms)
    known = [form for form, count in times.most_common(FORMS_TRIED) if count > 1 and len(form) > 1]
    known.sort(key=len, reverse=True)
    found: list[list[int]] = []
    for piece, form in zip(pieces, forms, strict=True):
        size = next((len(k) for k in known if times[k] > times[form] and form[: len(k)] == k), len(piece))
        tail = _tail(piece, cuts)
        if size == len(piece) > tail > TAIL_MOST:
            size -= tail - 1
        found += [part for part in (piece[:size], piece[size:]) if part]
    return found


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


def _row(piece: Sequence[int], kinds: Sequence[int]) -> list[Part]:
    """A row of nodes without branches: only its repeats are groups."""
    parts: list[Part] = []
    for start, end in repeated([kinds[item] for item in piece]):
        parts += [list(piece[start:end])] if end - start > 1 else piece[start:end]
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
