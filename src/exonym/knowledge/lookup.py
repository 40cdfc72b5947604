"""Finding an entity by whatever a person types, and gathering what is known of it."""

from __future__ import annotations

from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.knowledge.base import KnowledgeBase
from exonym.knowledge.records import Candidate


def look_up(kb: KnowledgeBase, query: str, *, language: str | None = None) -> JSON:
    """Find the entity that a text means, and what else it may mean.

    Args:
        kb: where to look.
        query: an item id, a title key, an article's or redirect's title, or a name.
        language: look for titles and names of this language only, and give labels in it.

    Returns:
        ``entity``: key, label, links, texts by language and triples of the best match
        (``triples`` have it as their subject, ``triples_about`` as their object);
        ``candidates``: by language, the entities that links with this text lead to;
        ``link_probability``: by the same languages, the share of its occurrences that are links.

    Raises:
        InputError: nothing is found, or the knowledge base has no such language.
    """
    if language is not None and language not in kb.languages:
        known = ", ".join(kb.languages)
        raise InputError(f"no language {language!r} here, only {known}", where=kb.path)
    languages = kb.languages if language is None else (language,)
    candidates = {code: found for code in languages if (found := kb.candidates(query, code))}
    key = _best(kb, query, languages, candidates)
    if key is None:
        raise InputError(
            f"nothing is called {query!r}"
            + (f" in the language {language!r}" if language else " in any of its languages"),
            where=kb.path,
            remedy="Names are compared letter by letter; try the title of the article",
        )
    shown = language or ("en" if "en" in kb.languages else kb.languages[0])
    return {
        "entity": _describe(kb, key, shown),
        "candidates": {
            code: [
                {
                    "entity": candidate.entity,
                    "label": best_label(kb, candidate.entity, code),
                    "count": candidate.count,
                    "prior": candidate.prior,
                }
                for candidate in found
            ]
            for code, found in candidates.items()
        },
        "link_probability": {code: kb.link_probability(query, code) for code in candidates},
    }


def best_label(kb: KnowledgeBase, key: str, language: str) -> str:
    """A label in the language, else in English, else in any language, else the key."""
    for code in (language, "en", *kb.languages):
        label = kb.label(key, code)
        if label is not None:
            return label
    return key


def _best(
    kb: KnowledgeBase,
    query: str,
    languages: tuple[str, ...],
    candidates: dict[str, tuple[Candidate, ...]],
) -> str | None:
    if query in kb:
        return kb.entity(query).key
    titled = [key for code in languages if (key := kb.resolve(code, query)) is not None]
    linked = [candidate.entity for found in candidates.values() for candidate in found[:1]]
    found = titled or linked
    return max(found, key=kb.link_count) if found else None


def _describe(kb: KnowledgeBase, key: str, shown: str) -> JSON:
    entity = kb.entity(key)
    texts = {
        code: {
            "title": entity.sitelinks.get(code),
            "label": kb.label(key, code),
            "description": kb.description(key, code),
            "links": kb.link_count(key, code),
            "names": [{"surface": n.surface, "count": n.count} for n in kb.names(key, code)],
        }
        for code in kb.languages
    }
    return {
        "key": entity.key,
        "label": best_label(kb, key, shown),
        "links": entity.link_count,
        "languages": {code: text for code, text in texts.items() if text["names"] or text["title"]},
        "triples": [
            {
                "relation": triple.relation,
                "relation_label": kb.relation_label(triple.relation, shown),
                "object": triple.object,
                "object_label": best_label(kb, triple.object, shown),
            }
            for triple in kb.triples(subject=key)
        ],
        "triples_about": [
            {
                "subject": triple.subject,
                "subject_label": best_label(kb, triple.subject, shown),
                "relation": triple.relation,
                "relation_label": kb.relation_label(triple.relation, shown),
            }
            for triple in kb.triples(object=key)
        ],
    }
