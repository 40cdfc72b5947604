"""Scoring entities with the entity head: a list of candidates per mention, or the best of all.

The logits of a few hundred mentions over 1.2 million entities would be gigabytes. Neither function
makes them: candidates read their own rows of the table only, and the search for the best goes
through the table in pieces and keeps the best so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from exonym.foundation.errors import InputError
from exonym.modeling.heads import EntityMaskedLM

_BLOCK = 1 << 22
"""Scores, and numbers of gathered rows, that are in memory at once: 16 MB in float32."""


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Entities and their logits.

    Args:
        rows: (mentions, entities) rows of the entity table, -1 where there is none.
        scores: (mentions, entities) logits, in the type of the table; -inf where there is none.
    """

    rows: Tensor
    scores: Tensor


@torch.no_grad()
def score_candidates(model: EntityMaskedLM, states: Tensor, candidates: Tensor) -> EntityScores:
    """The logits of each mention's own candidates.

    Args:
        model: with the entity head.
        states: (mentions, hidden) entity states of the [MASK]s, of the mentions alone.
        candidates: (mentions, candidates) rows of the entity table, padded with -1.

    Returns:
        The candidates as given, with their scores.

    Raises:
        InputError: the shapes do not fit, or a row is not in the table.
    """
    features, table, bias = _head(model, states)
    if candidates.dim() != 2 or candidates.shape[0] != len(states):
        raise InputError(
            f"candidates must be (mentions, candidates) for {len(states)} mentions, "
            f"got {tuple(candidates.shape)}"
        )
    real = candidates >= 0
    if candidates.numel() and (candidates.min() < -1 or candidates.max() >= len(table)):
        wrong = candidates[(candidates < -1) | (candidates >= len(table))][0].item()
        raise InputError(f"candidate {wrong} is no row of the entity table (0 to {len(table) - 1})")
    rows = candidates.clamp(min=0)
    scores = bias[rows]
    step = max(1, _BLOCK // max(1, rows.shape[1] * table.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        scores[part] += torch.bmm(table[rows[part]], features[part, :, None])[..., 0]
    return EntityScores(candidates, scores.masked_fill_(~real, float("-inf")))


@torch.no_grad()
def top_entities(
    model: EntityMaskedLM, states: Tensor, k: int, *, excluded: Sequence[int] = ()
) -> EntityScores:
    """The entities of the whole table with the highest logits, best first.

    Of entities with the same score, the lower row comes first, also at the end of the list.

    Args:
        model: with the entity head.
        states: (mentions, hidden) entity states of the [MASK]s, of the mentions alone.
        k: how many; no more than the table has are returned.
        excluded: rows to leave out, such as the special ones.

    Returns:
        (mentions, k) rows and scores; a score that is not a number is never among the best.

    Raises:
        InputError: k is below 1.
    """
    if k < 1:
        raise InputError(f"k must be at least 1, got {k}")
    features, table, bias = _head(model, states)
    hidden_rows = torch.tensor(sorted(set(excluded)), dtype=torch.long, device=table.device)
    k = min(k, len(table) - len(hidden_rows))
    best = EntityScores(
        torch.full((len(features), k), -1, device=table.device),
        torch.full((len(features), k), float("-inf"), dtype=table.dtype, device=table.device),
    )
    step = max(1, _BLOCK // max(1, len(features)))
    for start in range(0, len(table) if k and len(features) else 0, step):
        part = slice(start, start + step)
        scores = torch.addmm(bias[part], features, table[part].T)
        here = hidden_rows[(hidden_rows >= start) & (hidden_rows < start + step)] - start
        scores[:, here] = float("-inf")
        best = _merge(best, scores, start)
    return best


def _head(model: EntityMaskedLM, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Features of the mentions (mentions, width), the table (rows, width) and its bias (rows,)."""
    if states.dim() != 2:
        raise InputError(f"states must be (mentions, hidden), got {tuple(states.shape)}")
    head = model.entity_predictions
    return head.transform(states), model.luke.entity_embeddings.entity_embeddings.weight, head.bias


def _merge(best: EntityScores, scores: Tensor, start: int) -> EntityScores:
    """The best so far and (mentions, rows) scores of the rows from `start` on, to the best."""
    k = best.rows.shape[1]
    better = scores > best.scores[:, -1:]
    if better.sum() > 4 * best.rows.numel() and scores.shape[1] > k:
        # All that reach the k-th score of this part; how topk orders equal ones does not matter.
        better &= scores >= scores.nan_to_num(float("-inf")).topk(k).values[:, -1:]
    mention, column = better.nonzero(as_tuple=True)  # rising rows for each mention
    if not len(mention):
        return best
    counts = torch.bincount(mention, minlength=len(scores))
    place = torch.arange(len(mention), device=mention.device) - (counts.cumsum(0) - counts)[mention]
    width = k + int(counts.max())
    all_rows = best.rows.new_full((len(scores), width), -1)
    all_scores = best.scores.new_full((len(scores), width), float("-inf"))
    all_rows[:, :k], all_scores[:, :k] = best.rows, best.scores
    all_rows[mention, k + place] = column + start
    all_scores[mention, k + place] = scores[mention, column]
    # A stable sort leaves equal scores in the order of their rows: earlier parts have lower ones.
    order = all_scores.sort(dim=1, descending=True, stable=True).indices[:, :k]
    return EntityScores(all_rows.gather(1, order), all_scores.gather(1, order))
