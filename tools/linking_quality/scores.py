"""Scores of linked texts, as items that `exonym.analysis.macro_average` makes intervals of.

Precision, recall and F1 are means: of "is it a link?" over the spans that were found, of "was it
found?" over the links, and of both together (2 · right / (found + links)).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from exonym.analysis import macro_average
from exonym.foundation.files import JSON
from exonym.linking import Linked, Linker
from exonym.text import language_of
from linking_quality.gold import Gold

Item = tuple[str, str, float]  # language, cluster, score
BATCH = 128


@dataclass
class Items:
    """What was asked and whether it came out right, by measure; and what was counted."""

    scores: dict[str, list[Item]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, measure: str, gold: Gold, score: float) -> None:
        """Note one answer."""
        self.scores.setdefault(measure, []).append((gold.text.language, gold.cluster, score))

    def count(self, what: str, language: str, number: int = 1) -> None:
        """Count something of a language."""
        own = self.counts.setdefault(language, {})
        own[what] = own.get(what, 0) + number

    def estimates(self) -> JSON:
        """Of each measure the interval of each language, of each script and of all."""
        return {measure: _estimates(items) for measure, items in sorted(self.scores.items())}


def _estimates(items: Sequence[Item]) -> JSON:
    scripts: dict[str, list[Item]] = {}
    languages: dict[str, list[Item]] = {}
    for item in items:
        languages.setdefault(item[0], []).append(item)
        scripts.setdefault(language_of(item[0]).script, []).append(item)
    # Of a rare thing the mean of the languages says little: all items together, too.
    together = [("all", cluster, score) for _, cluster, score in items]
    of_all = {"mean of the languages": list(items), "all texts together": together}
    groups = (("languages", languages), ("scripts", scripts), ("all", of_all))
    return {
        name: {key: _interval(own) for key, own in sorted(group.items())} for name, group in groups
    }


def _interval(items: Sequence[Item]) -> JSON:
    found = macro_average(items)
    return {
        "mean": round(found.accuracy, 5),
        "low": round(found.low, 5),
        "high": round(found.high, 5),
        "items": found.questions,
    }


def score_detection(linker: Linker, golds: Sequence[Gold], items: Items) -> None:
    """Find the mentions of texts anew, and compare their spans with the links."""
    texts = [replace(gold.text, mentions=()) for gold in golds]
    for gold, linked in zip(golds, linker.pipe(texts, batch_size=BATCH), strict=True):
        _score_spans(gold, linked, items)


def _score_spans(gold: Gold, linked: Linked, items: Items) -> None:
    language = gold.text.language
    links = {(mention.start, mention.end) for mention in gold.text.mentions}
    found = {(link.start, link.end) for link in linked.links}
    for span in sorted(links):
        for measure in ("recall", "F1"):
            items.add(measure, gold, float(span in found))
    for link in linked.links:
        span = link.start, link.end
        overlaps = any(link.start < end and start < link.end for start, end in links)
        if not overlaps and any(one.entity in gold.named for one in link.candidates):
            items.count("found, not scored: the page links it elsewhere, or is about it", language)
            continue
        for measure in ("precision", "F1"):
            items.add(measure, gold, float(span in links))
    items.count("texts", language)
    items.count("links", language, len(links))


def score_disambiguation(linkers: dict[str, Linker], golds: Sequence[Gold], items: Items) -> None:
    """Link the mentions as they are, and compare entities where a name means several.

    Args:
        linkers: by name; one is called ``"prior"``.
        golds: texts with their links.
        items: gets ``accuracy of NAME``, and ``accuracy of NAME, prior wrong``.
    """
    masked = [
        replace(
            gold.text,
            mentions=tuple(replace(mention, entity=None) for mention in gold.text.mentions),
        )
        for gold in golds
    ]
    by_prior = list(linkers["prior"].pipe(masked, detect=False, batch_size=BATCH))
    answers = {
        name: list(linker.pipe(masked, detect=False, batch_size=BATCH))
        for name, linker in linkers.items()
        if name != "prior"
    }
    for number, gold in enumerate(golds):
        language = gold.text.language
        for place, mention in enumerate(gold.text.mentions):
            usual = by_prior[number].links[place]
            if mention.entity not in {one.entity for one in usual.candidates}:
                items.count("links whose entity is no candidate", language)
                continue
            items.count("links whose entity is a candidate", language)
            if len(usual.candidates) < 2:
                continue
            right = usual.candidates[0].entity == mention.entity
            items.add("accuracy of prior", gold, float(right))
            for name, linked in answers.items():
                score = float(linked[number].links[place].candidates[0].entity == mention.entity)
                items.add(f"accuracy of {name}", gold, score)
                if not right:
                    items.add(f"accuracy of {name}, prior wrong", gold, score)
