"""What the paper claims, and whether it comes out here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from exonym.analysis.resampling import Interval
from exonym.systems.reproduction.tables import TABLES

Outcome = Literal["comes out", "does not come out", "cannot be said"]

_CONSISTENT = (
    'abstract: "the model consistently outperforms word-based pretrained models in various '
    'cross-lingual transfer tasks"'
)
_AGNOSTIC = (
    'abstract: "incorporating entity representations into the input allows us to extract more '
    'language-agnostic features"'
)
_PROMPT = (
    'abstract: "entity-based prompt elicits correct factual knowledge more likely than using only '
    'word representations"'
)
_NOT_AT_HAND = None


@dataclass(frozen=True, slots=True)
class Claim:
    """That one row is better than another.

    Args:
        table: of `tables.TABLES`.
        better: the row that is said to be better.
        worse: the other.
        text: in plain words.
        source: where the paper says it; None where its experiment asks for it, and what it says
            was not at hand.
    """

    table: str
    better: str
    worse: str
    text: str
    source: str | None

    @property
    def sign(self) -> int:
        """Of the better row's figure less the other's, if the claim holds."""
        return 1 if TABLES[self.table].higher_is_better else -1


def _of_task(table: str, what: str) -> tuple[Claim, ...]:
    return (
        Claim(
            table,
            "mluke_e",
            "words_only",
            f"{what}: better with mLUKE and its entities than with the same training on words",
            _CONSISTENT,
        ),
        Claim(
            table,
            "mluke_e",
            "mluke_w",
            f"{what}: better with entities in mLUKE's input than without",
            _NOT_AT_HAND,
        ),
        Claim(
            table,
            "mluke_w",
            "words_only",
            f"{what}: better after training with entities, even without them in the input",
            _NOT_AT_HAND,
        ),
    )


CLAIMS = (
    *_of_task("qa", "Questions"),
    Claim(
        "qa",
        "mluke_e",
        "mluke_e_random",
        "Questions: worse with random entity vectors, so that what the vectors know counts",
        _NOT_AT_HAND,
    ),
    *_of_task("xqa", "Questions across languages"),
    Claim(
        "xqa",
        "mluke_e",
        "mluke_e_random",
        "Questions across languages: worse with random entity vectors",
        _NOT_AT_HAND,
    ),
    *_of_task("relation", "Relations"),
    *_of_task("ner", "Named entities"),
    Claim(
        "retrieval",
        "mluke_e",
        "mluke_w",
        "A word finds its translation better with entities in the input",
        _AGNOSTIC,
    ),
    Claim(
        "retrieval",
        "mluke_w",
        "words_only",
        "A word finds its translation better after training with entities",
        _NOT_AT_HAND,
    ),
    Claim(
        "modularity",
        "mluke_e",
        "mluke_w",
        "Vectors keep less to their language with entities in the input",
        _AGNOSTIC,
    ),
    Claim(
        "cloze",
        "mluke_e_y",
        "mluke_w",
        "Asked by [Y], mLUKE knows more facts than asked by words",
        _PROMPT,
    ),
    Claim(
        "cloze",
        "mluke_e_xy",
        "mluke_w",
        "Asked by [X] and [Y], mLUKE knows more facts than asked by words",
        _PROMPT,
    ),
    Claim(
        "cloze",
        "mluke_e_xy",
        "words_only",
        "Asked by [X] and [Y], mLUKE knows more facts than the model trained on words",
        _PROMPT,
    ),
    Claim(
        "bias",
        "mluke_e_xy",
        "mluke_w",
        "Asked by entities, mLUKE gives the same wrong answer less often",
        _NOT_AT_HAND,
    ),
)


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim and what became of it.

    Args:
        claim: the claim.
        difference: the better row's figure less the other's; None where one is not there.
        outcome: whether it comes out.
    """

    claim: Claim
    difference: Interval | None
    outcome: Outcome


def judge(claim: Claim, difference: Interval | None) -> Judged:
    """Hold a claim against a difference: nothing can be said where the interval contains 0."""
    if difference is None or difference.low <= 0 <= difference.high:
        return Judged(claim, difference, "cannot be said")
    agrees = (difference.value > 0) == (claim.sign > 0)
    return Judged(claim, difference, "comes out" if agrees else "does not come out")
