"""What a quickstart built and what it cost: counts by step and language, time, memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from exonym.reports.formats import count, duration, language_name, percent
from exonym.reports.page import Table
from exonym.reports.summary import Summary

_STEPS = {
    "atlas": "Write the world as dumps",
    "kb": "Build the knowledge base",
    "corpus": "Build tokenizer and corpus",
    "backbone": "Pretrain the backbone",
    "mluke": "Pretrain mLUKE on it",
    "words-only": "Pretrain the words-only control on it",
    "cloze.json": "Ask both models",
}
_ATLAS = {"pages": "Pages", "sentences": "Sentences", "links": "Links", "facts told": "Facts told"}
_KNOWLEDGE = {"articles": "Articles", "links resolved": "Links resolved", "names": "Names"}
_CORPUS = {"sequences": "Sequences", "words": "Pieces", "entities": "Mentions"}


def by_telling(summary: Summary) -> list[str]:
    """The languages, those first that tell the most facts."""
    told = {
        code: counts.get("facts told", 0)
        for code, counts in summary.atlas.counts.items()
        if code != "total"
    }
    return sorted(told, key=lambda code: (-told[code], code))


def headline_counts(summary: Summary) -> list[tuple[str, str]]:
    """The counts that give the size of everything, with what they count."""
    atlas, kb, corpus = summary.atlas, summary.knowledge_base, summary.corpus
    total = atlas.counts.get("total", {})
    return [
        (count(len(by_telling(summary))), "languages"),
        (count(atlas.entities), "entities"),
        (count(total.get("pages")), "pages in the dumps"),
        (count(total.get("facts told")), "facts told, over all languages"),
        (count(kb.totals.get("links resolved")), "links resolved"),
        (count(kb.totals.get("triples")), "triples"),
        (count(corpus.totals.get("sequences")), "sequences"),
        (count(corpus.totals.get("words")), "pieces of words"),
        (count(corpus.totals.get("entities")), "entity mentions"),
        (count(corpus.word_vocabulary), "pieces in the vocabulary"),
        (count(corpus.entity_vocabulary), "rows in the entity vocabulary"),
    ]


def language_counts(summary: Summary) -> Table:
    """Counts of dumps, knowledge base and corpus, one row per language and a total."""
    codes = by_telling(summary)

    def row(name: str, *counts: tuple[dict[str, int], Iterable[str]]) -> tuple[str, ...]:
        return (name, *(count(found.get(key)) for found, keys in counts for key in keys))

    kb, corpus = summary.knowledge_base, summary.corpus
    rows = [
        row(
            language_name(code),
            (summary.atlas.counts[code], _ATLAS),
            (kb.languages.get(code, {}), _KNOWLEDGE),
            (corpus.languages.get(code, {}), _CORPUS),
        )
        for code in codes
    ]
    rows.append(
        row(
            "All",
            (summary.atlas.counts.get("total", {}), _ATLAS),
            (kb.totals, _KNOWLEDGE),
            (corpus.totals, _CORPUS),
        )
    )
    heads = [head for heads in (_ATLAS, _KNOWLEDGE, _CORPUS) for head in heads.values()]
    return Table(
        "What was built, by language (those that tell the most facts first): in the dumps, pages "
        "to facts told; in the knowledge base, articles to names; in the corpus, sequences to "
        "entity mentions",
        ("Language", *heads),
        tuple(rows),
        total=True,
    )


def question_counts(summary: Summary) -> Table:
    """Groups of facts by what they are for, questions by kind, and what was left out, why."""
    rows = [
        *((f"Groups of facts: {use}", count(n)) for use, n in summary.atlas.groups.items()),
        *((_sentence(kind), count(n)) for kind, n in summary.atlas.questions.items()),
    ]
    return Table("Facts and questions of the world", ("What", "Number"), tuple(rows))


def _sentence(kind: str) -> str:
    return (
        kind[:1].upper() + kind[1:] if kind.startswith(("left", "quest")) else f"Questions: {kind}"
    )


def skipped_counts(summary: Summary) -> Table:
    """What was passed over in the dumps and in the corpus, by reason."""
    skipped: Counter[str] = Counter()
    for file in summary.knowledge_base.files:
        skipped.update(file.skipped)
    rows = [
        (f"Pages and lines of the dumps: {why}", count(n)) for why, n in sorted(skipped.items())
    ]
    known = {"articles", "sentences", *_CORPUS}
    left = {key: n for key, n in summary.corpus.totals.items() if key not in known}
    rows += [(f"Corpus: {why}", count(n)) for why, n in sorted(left.items())]
    return Table("Passed over, by reason", ("Reason", "Number"), tuple(rows))


def step_times(summary: Summary) -> Table:
    """Time of every step, and pieces a second where it trained."""
    speeds, whole = summary.words_per_second, max(summary.seconds, 1e-9)
    rows = [
        (
            _STEPS.get(step, step),
            duration(seconds),
            percent(seconds / whole),
            count(speeds.get(step)),
        )
        for step, seconds in summary.seconds_by_step.items()
    ]
    rows.append(("All", duration(summary.seconds), percent(1.0), ""))
    return Table(
        "Time by step", ("Step", "Time", "Share", "Pieces a second"), tuple(rows), total=True
    )
