"""Whether the paper's claim came true in a run, said in words and checked by figures."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exonym.reports.formats import decimal, interval, percent
from exonym.reports.summary import Cloze, Rows

EXPECTED_ACCURACY = 0.80
EXPECTED_LEAD = 0.30
NAMES = {
    "chance": "Chance",
    "most_frequent": "Most frequent object",
    "words_only": "Words-only control",
    "mluke_w": "mLUKE-W",
    "mluke_e_y": "mLUKE-E([Y])",
    "mluke_e_xy": "mLUKE-E([X]&[Y])",
}
"""Rows by their names in the paper."""

_MODELS = ("words_only", "mluke_w", "mluke_e_y", "mluke_e_xy")


class Outcome(StrEnum):
    """How the claim fared; entity rows and word rows are told apart by their intervals."""

    TRUE = "came true"
    PARTLY = "came true in part"
    FALSE = "did not come true"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was expected of a run.

    Args:
        expected: in words.
        seen: the figures.
        passed: whether they agree.
    """

    expected: str
    seen: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run says about the claim.

    Args:
        outcome: of the claim that asking by entities crosses languages.
        sentences: the headline, with the run's figures.
        caution: why the outcome may not be trusted, or None.
        checks: what was expected, one by one.
    """

    outcome: Outcome
    sentences: tuple[str, ...]
    caution: str | None
    checks: tuple[Check, ...]


def judge(cloze: Cloze) -> Verdict:
    """Compare asking by entities with asking by words, and look at the control."""
    rows = cloze.untold
    both, only_y = (_apart(row, rows) for row in ("mluke_e_xy", "mluke_e_y"))
    outcome = Outcome.TRUE if both and only_y else Outcome.PARTLY if both else Outcome.FALSE
    return Verdict(outcome, _sentences(rows, outcome), _caution(cloze), _checks(cloze))


def _apart(name: str, rows: Rows) -> bool:
    """Whether a row's interval lies above those of both ways to ask by words."""
    return bool(getattr(rows, name).low > max(rows.words_only.high, rows.mluke_w.high))


def _sentences(rows: Rows, outcome: Outcome) -> tuple[str, ...]:
    entities, words, control = rows.mluke_e_xy, rows.mluke_w, rows.words_only
    low, high = f"{100 * entities.low:.1f}", f"{100 * entities.high:.1f}"
    first = (
        f"Asked in a language that never told the fact, the model is right "
        f"{percent(entities.accuracy)} of the time when it is asked by entities (mean over the "
        f"languages, {entities.questions:,} questions, 95\N{NO-BREAK SPACE}% interval "
        f"{low}\N{EN DASH}{high}), and {percent(words.accuracy)} when it is asked by words; a "
        f"model trained on words only is right {percent(control.accuracy)} of the time."
    )
    second = {
        Outcome.TRUE: "So the claim of mLUKE, that entities carry knowledge from one language to "
        "another, came true in this run.",
        Outcome.PARTLY: "So the claim of mLUKE, that entities carry knowledge from one language to "
        "another, came true in this run in part: clearly only where the subject is given as an "
        "entity too.",
        Outcome.FALSE: "So the claim of mLUKE, that entities carry knowledge from one language to "
        "another, did not come true in this run: asking by entities is not clearly better than "
        "asking by words.",
    }[outcome]
    return first, second


def _leaks(control: Rows) -> list[str]:
    """Models that do better on facts that nobody told than can be done without knowing.

    Control facts are chosen among those whose object is not the obvious guess, so the most
    frequent object may be below chance there; the better of the two is the level to compare with.
    """
    level = max(control.most_frequent.high, control.chance.high)
    return [name for name in _MODELS if getattr(control, name).low > level]


def _caution(cloze: Cloze) -> str | None:
    if cloze.control is None:
        return (
            "This world has no facts that nobody told, so there is no control: that something "
            "gave the answers away cannot be ruled out."
        )
    leaks = _leaks(cloze.control)
    if not leaks:
        return None
    names = ", ".join(NAMES[name] for name in leaks)
    return (
        f"On facts that nobody told, {names} did better than the most frequent object and "
        "than chance. Something gave answers away, and the figures above are too high by an "
        "unknown amount."
    )


def _checks(cloze: Cloze) -> tuple[Check, ...]:
    rows, control = cloze.untold, cloze.control
    best = max(rows.words_only.accuracy, rows.mluke_w.accuracy)
    both, only_y = rows.mluke_e_xy.accuracy, rows.mluke_e_y.accuracy
    lead = both - best
    checks = [
        Check(
            f"{NAMES['mluke_e_xy']} is right in at least {EXPECTED_ACCURACY:.2f}",
            decimal(both),
            both >= EXPECTED_ACCURACY,
        ),
        Check(
            f"{NAMES['mluke_e_xy']} is at least {EXPECTED_LEAD:.2f} above both ways to ask by "
            "words",
            f"{decimal(both)} against {decimal(best)}: {lead:+.3f}",
            lead >= EXPECTED_LEAD,
        ),
        Check(
            f"{NAMES['mluke_e_y']} is above both ways to ask by words",
            f"{decimal(only_y)} against {decimal(best)}: {only_y - best:+.3f}",
            only_y > best,
        ),
    ]
    if control is not None:
        highest = max((getattr(control, name) for name in _MODELS), key=lambda row: row.accuracy)
        level = max((control.most_frequent, control.chance), key=lambda row: row.high)
        checks.append(
            Check(
                "Nobody knows what nobody told: on the control facts, no model is above the most "
                "frequent object or chance",
                f"at most {decimal(highest.accuracy)} ({interval(highest.low, highest.high)}) "
                f"against {decimal(level.accuracy)} ({interval(level.low, level.high)})",
                not _leaks(control),
            )
        )
    return tuple(checks)
