"""From a probability for every span and label to entities that do not overlap.

Greedy, as in LUKE's code (Yamada et al. 2020, section 4.3): of all spans whose best label is not
"no entity", the most probable comes first, and each further one that does not overlap those taken.
(mLUKE's code, examples/ner/model.py, revision 51dca8e, takes the one with the highest logit first.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from exonym.tasks.ner.settings import Overlaps

Ids = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


class Chosen(NamedTuple):
    """A span that was taken for an entity.

    Args:
        start: first character.
        end: one past the last.
        row: of the classifier: its label.
        score: the label's probability.
    """

    start: int
    end: int
    row: int
    score: float


def decode(
    characters: Ids, logits: Floats, *, outside: int, overlaps: Overlaps = "flat"
) -> list[Chosen]:
    """The entities of a sentence, in the order of the text.

    Of two spans with the same probability the longer one comes first, then the earlier one.

    Args:
        characters: (spans, 2) characters [start, end).
        logits: (spans, labels).
        outside: the row of "no entity".
        overlaps: ``"flat"``, or ``"nested"``: an entity may lie inside another.
    """
    best = logits.argmax(axis=1)
    candidates = np.flatnonzero(best != outside)
    if not len(candidates):
        return []
    exact = logits[candidates].astype(np.float64)
    rows = best[candidates]
    highest = exact.max(axis=1)
    scores = 1 / np.exp(exact - highest[:, None]).sum(axis=1)
    spans = characters[candidates]
    order = np.lexsort((spans[:, 0], spans[:, 0] - spans[:, 1], -scores))
    chosen: list[Chosen] = []
    for place in order.tolist():
        start, end = (int(border) for border in spans[place])
        if all(_fits(start, end, other, overlaps) for other in chosen):
            chosen.append(Chosen(start, end, int(rows[place]), float(scores[place])))
    return sorted(chosen, key=lambda one: (one.start, -one.end))


def _fits(start: int, end: int, other: Chosen, overlaps: Overlaps) -> bool:
    if end <= other.start or other.end <= start:
        return True
    if overlaps == "flat":
        return False
    inside = other.start <= start and end <= other.end
    around = start <= other.start and other.end <= end
    return inside or around


def outside_row(labels: Sequence[str]) -> int:
    """The row of "no entity": called ``O``, ``NIL`` or ``NONE``, else the first, as in LUKE's."""
    for name in ("O", "NIL", "NONE"):
        for row, label in enumerate(labels):
            if label.upper() == name:
                return row
    return 0
