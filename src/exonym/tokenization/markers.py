"""Markers around entities in the text, as relation and entity classification use them.

The rules, overlapping entities included, are those of LUKE's tokenizer in transformers 4.57.6.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from exonym.foundation.errors import InputError
from exonym.text import AnnotatedText
from exonym.tokenization.encoded import BEFORE, BEHIND, Ids
from exonym.tokenization.offsets import Places

Task = Literal["entity_classification", "entity_pair_classification", "entity_span_classification"]
TASKS: dict[Task, int | None] = {
    "entity_classification": 1,
    "entity_pair_classification": 2,
    "entity_span_classification": None,
}
"""Tasks, and how many mentions a text must have."""


def check_mentions(text: AnnotatedText, task: Task) -> None:
    """Refuse a text whose mentions do not suit the task.

    Raises:
        InputError: says how many mentions there are and how many are needed.
    """
    needed, found = TASKS[task], len(text.mentions)
    if needed is None and not found:
        raise InputError(f"{task} needs at least one mention, found none", where=text.source)
    if needed is not None and found != needed:
        raise InputError(
            f"{task} needs {needed} mention{'s' * (needed > 1)}, found {found}", where=text.source
        )


def insert_markers(
    ids: Ids, places: Places, spans: Ids, markers: tuple[int, int]
) -> tuple[Ids, Places, Ids]:
    """Put the first marker around the first mention, the second around the second.

    Args:
        ids: (words,) pieces of the text, without special pieces.
        places: (words,) where they came from, see `Origin`.
        spans: (1 or 2, 2) pieces of each mention.
        markers: ids of ``<ent>`` and ``<ent2>``.

    Returns:
        All three with the markers in; the mentions' spans include theirs.
    """
    spans = spans.astype(np.int32)
    moved = spans.copy()
    if len(spans) == 1:
        order = [0]
        moved[0, 1] += 2
    else:
        head_first = spans[0, 0] < spans[1, 0]
        order = [1, 0] if head_first else [0, 1]
        earlier, later = (0, 1) if head_first else (1, 0)
        moved[earlier, 1] += 2
        moved[later] += (2, 4)
    for mention in order:
        start, end = spans[mention].tolist()
        for index, side in ((end, BEHIND), (start, BEFORE)):
            ids = np.insert(ids, index, markers[mention])
            places = np.insert(places, index, side)
    return ids, places, moved
