"""What linking gives back: spans, what each was taken to mean, and what else it may mean."""

from __future__ import annotations

from dataclasses import dataclass

from exonym.text import AnnotatedText, Mention


@dataclass(frozen=True, slots=True)
class ScoredCandidate:
    """An entity that a mention may mean.

    Args:
        entity: its key in the knowledge base.
        prior: P(entity | name, language), before the context is looked at; those of a mention
            sum to at most 1 (rare candidates may be left out).
        score: its probability after the context, on the same scale; without a model, the prior.
        count: how many links show the name in ``language`` and lead to the entity; 0 for one
            that only titles, labels and aliases know by this name.
        language: in which the entity is known by this name: the text's where possible; None for
            an entity that the text named by itself (a mention that came with it).
    """

    entity: str
    prior: float
    score: float
    count: int
    language: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A mention and what it was linked to.

    Args:
        start: first character, counted in the untouched text.
        end: one past the last character.
        surface: the characters of the text from ``start`` to ``end``.
        entity: the key of the entity; None is NIL, nothing in the knowledge base.
        score: the probability of the best candidate, from 0 to 1; 0 without a candidate.
        candidates: the best first.
        link_probability: how likely such a span is a mention at all, from 0 to 1; 1 for mentions
            that came with the text.
        why: in words, what decided.
    """

    start: int
    end: int
    surface: str
    entity: str | None
    score: float
    candidates: tuple[ScoredCandidate, ...]
    link_probability: float
    why: str


@dataclass(frozen=True, slots=True)
class Linked:
    """A text with its links.

    Args:
        text: the text, its language, and a mention with entity and score for each link that is
            not NIL.
        links: all links, NIL too, in the order of the text; of mentions that came with the text,
            in their order.
    """

    text: AnnotatedText
    links: tuple[Link, ...]

    @classmethod
    def of(cls, text: AnnotatedText, links: tuple[Link, ...]) -> Linked:
        """Put links on a text; its own mentions are replaced."""
        mentions = tuple(
            Mention(link.start, link.end, link.entity, link.score)
            for link in links
            if link.entity is not None
        )
        return cls(AnnotatedText(text.text, text.language, mentions, text.source), links)
