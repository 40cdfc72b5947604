"""Cutting an encoded text down to what matters: a window around a place, or around two.

Long texts are not refused where a task asks about certain places of them: the model sees as much
of the text around these places as it has positions for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from exonym.foundation.errors import InputError
from exonym.tokenization import EncodedText

Places = npt.NDArray[np.int64]


def around(text: EncodedText, places: list[tuple[int, int]], max_length: int) -> EncodedText:
    """As much of a text around certain pieces as fits.

    The window lies evenly around what begins first and ends last. Where these are too far from
    each other for that, what lies between them is left out as well: two windows, one around the
    first and one around the last place, follow each other.

    Args:
        text: a single one, with ``<s>`` and ``</s>``; of any length.
        places: pieces [start, end) that are kept, indices into ``input_ids``; one or two.
        max_length: most pieces of the result, special ones included.

    Returns:
        The text itself where it fits, else what is left of it; ``cut_pieces`` and
        ``cut_mentions`` say how much is gone.

    Raises:
        InputError: the places themselves do not fit.
    """
    count = len(text.input_ids)
    if count <= max_length:
        return text
    room = max_length - 2
    first, last = min(places), max(places, key=lambda place: (place[1], place[0]))
    together = (first[0], last[1])
    if together[1] - together[0] <= room:
        start, end = _widened(together, room, 1, count - 1)
        return kept(text, np.r_[0, start:end, count - 1])
    needed = first[1] - first[0] + last[1] - last[0]
    if needed > room or first[1] > last[0]:
        raise InputError(
            f"what is to be kept has {needed} pieces, more than the {room} that fit",
            remedy="Give a larger max_length",
        )
    half = (room - needed) // 2
    one = _widened(first, first[1] - first[0] + half, 1, last[0])
    left = room - (one[1] - one[0])
    other = _widened(last, left, one[1], count - 1)
    return kept(text, np.r_[0, one[0] : one[1], other[0] : other[1], count - 1])


def _widened(place: tuple[int, int], size: int, least: int, most: int) -> tuple[int, int]:
    """A window of so many pieces evenly around a place, or what there is of it."""
    start, end = place
    spare = size - (end - start)
    before = min(spare // 2, start - least)
    after = min(spare - before, most - end)
    before = min(spare - after, start - least)
    return start - before, end + after


def kept(text: EncodedText, pieces: Places, *, shrink: bool = False) -> EncodedText:
    """Some of a text's pieces, and the mentions that keep all of theirs.

    What goes is counted in ``cut_pieces`` and ``cut_mentions``, unless mentions shrink.

    Args:
        text: not a pair.
        pieces: those that stay, rising indices into ``input_ids``.
        shrink: keep mentions that lose pieces as well, with what is left of them.
    """
    stays = np.zeros(len(text.input_ids) + 1, dtype=np.int64)
    stays[pieces] = 1
    before = np.concatenate(([0], np.cumsum(stays[:-1])))  # pieces that stay before each place
    starts, ends = text.spans[:, 0], text.spans[:, 1]
    spans = np.stack([before[starts], before[ends]], axis=1).astype(np.int32)
    whole = (spans[:, 1] - spans[:, 0] == ends - starts) | shrink
    return replace(
        text,
        input_ids=text.input_ids[pieces],
        entity_ids=text.entity_ids[whole],
        spans=spans[whole],
        mention_offsets=text.mention_offsets[whole],
        mention_index=text.mention_index[whole],
        mention_text=text.mention_text[whole],
        text_index=text.text_index[pieces],
        origin=replace(text.origin, places=text.origin.places[pieces]),
        cut_pieces=text.cut_pieces + (not shrink) * (len(text.input_ids) - len(pieces)),
        cut_mentions=text.cut_mentions + int((~whole).sum()),
    )
