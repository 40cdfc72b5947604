"""Texts whose links are known: sentences of an Atlas told anew, pages of Wikipedia left out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from exonym.foundation.compression import open_binary
from exonym.foundation.files import atomic_file
from exonym.knowledge import KnowledgeBase
from exonym.text import AnnotatedText, split_sentences
from exonym.wikimedia import open_dump, read_articles
from exonym.wikimedia.articles import Article

EMPTY = "."  # a page without any text would not be read
_PAGE = re.compile(rb"<page>.*?</page>", re.DOTALL)
_TITLE = re.compile(rb"<title>(.*?)</title>", re.DOTALL)
_TEXT = re.compile(rb"(<text\b[^>]*?)(?:\s*/>|>.*?</text>)", re.DOTALL)
_REDIRECT = re.compile(rb"<redirect\b")


@dataclass(frozen=True, slots=True)
class Gold:
    """A text with the entities of its links.

    Args:
        text: its mentions are the links, with keys of the knowledge base that is asked.
        named: what its page is about or links to: names of these that are no links here say
            nothing, since a page links once and never to itself.
        cluster: the entity or title of its page; texts of one page depend on each other.
    """

    text: AnnotatedText
    named: frozenset[str]
    cluster: str


def held_out_sentences(
    kb: KnowledgeBase, other: KnowledgeBase, language: str, most: int
) -> list[Gold]:
    """Sentences of another telling of the same table that the knowledge base's telling has not.

    Args:
        kb: what is asked.
        other: built from the other telling.
        language: of the sentences.
        most: how many; those of as many pages as possible are taken.
    """
    told = {s.text for text in _paragraphs(kb.articles(language)) for s in split_sentences(text)}
    rounds: list[list[Gold]] = []
    for article in other.articles(language):
        key = other.resolve(language, article.title)
        named = {m.entity for text in article.paragraphs for m in text.mentions if m.entity}
        sentences = (s for text in article.paragraphs for s in split_sentences(text))
        fresh = [s for s in dict.fromkeys(sentences) if s.mentions and s.text not in told]
        for number, sentence in enumerate(fresh):
            if number == len(rounds):
                rounds.append([])
            known = frozenset({*named, key or ""})
            gold = _known(kb, sentence)
            if gold.mentions:
                rounds[number].append(Gold(gold, known, key or article.title))
    return [gold for own in rounds for gold in own][:most]


def _paragraphs(articles: Iterable[Article]) -> Iterator[AnnotatedText]:
    for article in articles:
        yield from article.paragraphs


def _known(kb: KnowledgeBase, text: AnnotatedText) -> AnnotatedText:
    """A text with the mentions whose entity a knowledge base has, by the key it has there."""
    keys = [mention.entity or "" for mention in text.mentions]
    rows = kb.rows(keys).tolist() if keys else []
    mentions = tuple(
        replace(mention, entity=kb.key(row))
        for mention, row in zip(text.mentions, rows, strict=True)
        if row >= 0
    )
    return replace(text, mentions=mentions)


def is_tested(title: str, part: int, parts: int) -> bool:
    """Whether a page is among those that are tested in one part; by its title alone."""
    digest = hashlib.blake2b(title.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") % parts == part


def write_without_tested(source: Path, target: Path, part: int, parts: int) -> tuple[int, int]:
    """Copy a dump; tested pages keep their titles and lose their text, but for a full stop.

    So their entities are known and may be linked to, but no name is counted in them.

    Returns:
        How many pages there are, and how many were emptied.
    """
    pages = emptied = 0

    def page(match: re.Match[bytes]) -> bytes:
        nonlocal pages, emptied
        pages += 1
        title = _TITLE.search(match[0])
        name = _unescaped(title[1].decode()) if title else ""
        if _REDIRECT.search(match[0]) or not is_tested(name, part, parts):
            return match[0]
        emptied += 1
        return _TEXT.sub(rb"\1>" + EMPTY.encode() + b"</text>", match[0])

    with open_binary(source) as stream:
        data = stream.read()
    with atomic_file(target) as out:
        out.write(_PAGE.sub(page, data))
    return pages, emptied


def _unescaped(text: str) -> str:
    for escaped, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(escaped, character)
    return text


def paragraphs_to_test(kb: KnowledgeBase, dump: Path, part: int, parts: int) -> Iterator[Gold]:
    """The paragraphs with links of a dump's tested pages; links that lead to no page are left out.

    Args:
        kb: built from the dump without its tested pages' text.
        dump: as it came.
        part: which pages are tested.
        parts: in how many parts they are divided.
    """
    for article in read_articles(open_dump(dump, keep_going=True)):
        if not isinstance(article, Article) or not is_tested(article.title, part, parts):
            continue
        key = f"{article.language}:{article.title}"
        paragraphs = [_known(kb, text) for text in article.paragraphs]
        own = kb.resolve(article.language, article.title) or key
        named = frozenset(
            {own, *(m.entity for text in paragraphs for m in text.mentions if m.entity)}
        )
        for text in paragraphs:
            if text.mentions:
                yield Gold(text, named, key)
