"""Exact match and F1 of answers, as the official scripts of SQuAD 1.1 and MLQA define them.

Both compare normalised answers: lower case, no punctuation, no articles, single blanks. They
differ in what that means. SQuAD's script (Rajpurkar et al. 2016), which XQuAD and XTREME use for
every language, knows ASCII punctuation and English articles. MLQA's (Lewis et al. 2020) knows the
punctuation of Unicode and the articles of seven languages, those of the *passage*, from which the
answer comes, and takes every Chinese character for a word.

Where the scripts are odd, so is this: two answers of which nothing is left match exactly and have
an F1 of 0; in Arabic "ال" goes wherever it stands.
"""

from __future__ import annotations

import re
import string
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON
from exonym.tasks.qa.records import QuestionExample
from exonym.text.languages import language_of

Rule = Literal["squad", "mlqa"]
"""Whose normalisation counts."""

MLQA_LANGUAGES = ("ar", "de", "en", "es", "hi", "vi", "zh")
"""The languages that MLQA's script knows. For others, `normalise` removes no article, and takes
every character of an unspaced language for a word: that is ours, no script of MLQA's says it."""

_ARTICLES = {
    "en": ("a", "an", "the"),
    "es": ("un", "una", "unos", "unas", "el", "la", "los", "las"),
    "vi": ("của", "là", "cái", "chiếc", "những"),
    "de": (
        *("ein", "eine", "einen", "einem", "eines", "einer"),
        *("der", "die", "das", "den", "dem", "des"),
    ),
}
_ARABIC_ARTICLE = "ال"
_MARKS = "".join(
    re.escape(chr(i)) for i in range(0x3000) if unicodedata.category(chr(i)).startswith("M")
)
_UNSPACED_WORD = re.compile(rf"(?![\x00-\x7f])[^\W_][{_MARKS}]*")  # a letter with its marks
_IDEOGRAPHS = ("\u4e00", "\u9fa5")  # the first and the last that MLQA's script takes for a word


def normalise(text: str, rule: Rule = "squad", language: str = "en") -> str:
    """An answer as it is compared.

    Args:
        text: the answer.
        rule: ``"squad"`` (for every language alike) or ``"mlqa"``.
        language: of the passage; only MLQA's rule asks for it.

    Raises:
        ConfigError: no such rule.
    """
    if rule not in get_args(Rule):
        raise ConfigError(f"rule must be 'squad' or 'mlqa', got {rule!r}")
    removed = _ASCII_PUNCTUATION if rule == "squad" else _unicode_punctuation()
    text = text.lower().translate(removed)
    if rule == "squad":
        return " ".join(_without_articles(text, "en").split())
    text = _without_articles(text, language)
    if language == "zh":
        first, last = _IDEOGRAPHS
        text = "".join(f" {c} " if first <= c <= last else c for c in text)
    elif not language_of(language).spaced:
        text = _UNSPACED_WORD.sub(r" \g<0> ", text)
    return " ".join(text.split())


_ASCII_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))


@cache
def _unicode_punctuation() -> dict[int, None]:
    found = (i for i in range(sys.maxunicode) if unicodedata.category(chr(i)).startswith("P"))
    return dict.fromkeys(found) | _ASCII_PUNCTUATION


@cache
def _articles(language: str) -> re.Pattern[str] | None:
    words = _ARTICLES.get(language)
    return re.compile(rf"\b(?:{'|'.join(words)})\b") if words else None


def _without_articles(text: str, language: str) -> str:
    if language == "ar":
        return text.replace(_ARABIC_ARTICLE, " ")
    pattern = _articles(language)
    return pattern.sub(" ", text) if pattern else text


def exact_match(predicted: str, gold: str, rule: Rule = "squad", language: str = "en") -> float:
    """1 if two answers are the same when normalised, else 0."""
    return float(normalise(predicted, rule, language) == normalise(gold, rule, language))


def f1(predicted: str, gold: str, rule: Rule = "squad", language: str = "en") -> float:
    """The harmonic mean of precision and recall over the words of two normalised answers."""
    words = normalise(predicted, rule, language).split()
    right = normalise(gold, rule, language).split()
    common = (Counter(words) & Counter(right)).total()
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(right)
    return 2 * precision * recall / (precision + recall)


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """How one question was answered.

    Args:
        id: of the question.
        question_language: in which it was asked.
        context_language: of the passage, and of the answer.
        predicted: the answer; None if there was none, which is wrong.
        exact_match: 1 or 0: whether it matches one of the right answers.
        f1: from 0 to 1: its highest F1 with one of the right answers.
    """

    id: str
    question_language: str
    context_language: str
    predicted: str | None
    exact_match: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """The scores of all questions of one or many files.

    Args:
        rule: whose normalisation counted.
        questions: one for each question, answered or not, in their order.
        unknown: answers to questions that are not asked; they count nothing.
    """

    rule: Rule
    questions: tuple[QuestionScore, ...]
    unknown: int = 0

    @property
    def exact_match(self) -> float:
        """The mean over all questions, from 0 to 1."""
        return _mean([question.exact_match for question in self.questions])

    @property
    def f1(self) -> float:
        """The mean over all questions, from 0 to 1."""
        return _mean([question.f1 for question in self.questions])

    @property
    def unanswered(self) -> int:
        """Questions without an answer; they count as wrong."""
        return sum(question.predicted is None for question in self.questions)

    def official(self) -> dict[str, float]:
        """What the official scripts print: percentages."""
        return {"exact_match": 100 * self.exact_match, "f1": 100 * self.f1}

    def clustered(self, what: Literal["exact_match", "f1"] = "f1") -> list[tuple[str, str, float]]:
        """(passage's language, question's id, score), for `analysis.macro_average`.

        The same question in several languages is one cluster: its scores depend on each other.
        """
        return [(q.context_language, q.id, getattr(q, what)) for q in self.questions]

    def rows(self) -> list[JSON]:
        """A table: a row for each pair of languages, and where there are several, their mean."""
        groups: dict[tuple[str, str], list[QuestionScore]] = {}
        for question in self.questions:
            pair = question.question_language, question.context_language
            groups.setdefault(pair, []).append(question)
        rows: list[JSON] = [
            {
                "question_language": asked,
                "context_language": context,
                "exact_match": _mean([question.exact_match for question in group]),
                "f1": _mean([question.f1 for question in group]),
                "questions": len(group),
                "unanswered": sum(question.predicted is None for question in group),
            }
            for (asked, context), group in sorted(groups.items())
        ]
        if len(rows) > 1:
            means = {name: _mean([row[name] for row in rows]) for name in ("exact_match", "f1")}
            sums = {name: sum(row[name] for row in rows) for name in ("questions", "unanswered")}
            rows.append({"question_language": "mean", "context_language": "mean", **means, **sums})
        return rows


def score(
    examples: Iterable[QuestionExample], predicted: Mapping[str, str], rule: Rule = "squad"
) -> Scores:
    """Score answers.

    Args:
        examples: the questions with their right answers.
        predicted: by id of the question, the text of the answer: the official form of predictions.
            All ``examples`` share it, so ids must differ; score files that share ids one by one,
            and put them together with `joined`.
        rule: ``"squad"`` for SQuAD and XQuAD, ``"mlqa"`` for MLQA.

    Raises:
        InputError: there is no question, a question has no right answer, or two have the same id.
    """
    scored: list[QuestionScore] = []
    seen: set[str] = set()
    for example in examples:
        if example.id in seen:
            raise InputError(
                f"two questions have the id {example.id!r}",
                remedy="Score the files one by one: qa.joined puts their scores together",
            )
        seen.add(example.id)
        scored.append(_scored(example, predicted.get(example.id), rule))
    if not scored:
        raise InputError("there is no question to score")
    return Scores(rule, tuple(scored), len(predicted.keys() - seen))


def joined(parts: Sequence[Scores]) -> Scores:
    """The scores of several files together.

    Raises:
        InputError: there is none, or they do not follow the same rule.
    """
    rules = {part.rule: None for part in parts}
    if len(rules) != 1:
        raise InputError(f"scores to join must follow one rule, got {list(rules)}")
    questions = tuple(question for part in parts for question in part.questions)
    return Scores(parts[0].rule, questions, sum(part.unknown for part in parts))


def _scored(example: QuestionExample, predicted: str | None, rule: Rule) -> QuestionScore:
    if not example.answers:
        raise InputError(
            f"the question {example.id!r} has no right answer to compare with",
            remedy="Predict, but do not evaluate, questions without answers",
        )
    language = example.context.language
    match = best = 0.0
    for answer in example.answers if predicted is not None else ():
        assert predicted is not None, "else there is nothing to compare"
        match = max(match, exact_match(predicted, answer.text, rule, language))
        best = max(best, f1(predicted, answer.text, rule, language))
    return QuestionScore(example.id, example.question.language, language, predicted, match, best)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
