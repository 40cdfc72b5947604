"""What is to be decided, and how a prior and a model's opinion become one probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exonym.linking.linked import ScoredCandidate
from exonym.text import AnnotatedText

Candidates = tuple[ScoredCandidate, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A text with mentions, and what each may mean.

    Args:
        text: its mentions; one with an entity is decided already, and only context.
        candidates: of each mention, the best first; none for one that is decided.
    """

    text: AnnotatedText
    candidates: tuple[Candidates, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a mention's candidates.

    Args:
        candidates: with their probabilities, the best first.
        read: whether a model's opinion of at least two of them went into it.
    """

    candidates: Candidates
    read: bool


def combine(
    candidates: Candidates, logits: Sequence[float] | NDArray[np.float64], prior_weight: float
) -> Decision:
    """Put a model's opinion of a mention's candidates together with their priors.

    The candidates that the model knows keep, together, the prior that they have together; within
    it each gets a share in proportion to ``prior ** prior_weight * exp(logit)``. The others keep
    their priors. So a model that knows one candidate alone changes nothing.

    Args:
        candidates: of one mention.
        logits: the model's, one for each candidate; -inf for those that it does not know.
        prior_weight: 0 takes the model's opinion alone.
    """
    prior = np.array([candidate.prior for candidate in candidates])
    opinion = np.asarray(logits, np.float64)
    known = np.isfinite(opinion)
    if known.sum() < 2:
        return Decision(candidates, read=False)
    weighed = prior_weight * np.log(prior[known]) + opinion[known]
    shares = np.exp(weighed - weighed.max())
    scores = prior.copy()
    scores[known] = prior[known].sum() * shares / shares.sum()
    order = np.lexsort((np.arange(len(scores)), -scores))
    return Decision(
        tuple(replace(candidates[i], score=float(scores[i])) for i in order.tolist()), read=True
    )
