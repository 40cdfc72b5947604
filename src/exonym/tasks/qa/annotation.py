"""Entities in questions and passages: by the passage's source article, else by a general linker.

As mLUKE does it (section 3.2): see `exonym.linking.source_article` for which names are looked for.
The result is independent of any model, so it is made once and kept (`write_annotations`), and can
be published beside a model that was trained on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from exonym.foundation import progress
from exonym.foundation.errors import InputError
from exonym.foundation.files import JSON
from exonym.knowledge import KnowledgeBase
from exonym.linking.linked import Linked
from exonym.linking.source_article import (
    ArticleNames,
    ArticleRule,
    PageKey,
    SourceArticle,
    find_article,
    read_source_articles,
)
from exonym.tasks.qa.records import QuestionExample
from exonym.text import AnnotatedText, Mention

DATA_SET_LANGUAGE = "en"  # SQuAD's and XQuAD's titles are English, whatever the passage's language


class GeneralLinker(Protocol):
    """What links texts whose source is not known; `exonym.linking.Linker` is one."""

    def pipe(self, texts: Iterable[str], *, language: str) -> Iterator[Linked]:
        """Link texts of one language, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class AnnotationOptions:
    """How entities are found.

    Args:
        source_language: of the Wikipedia that the titles name articles of; None: that of the
            passages or English, whichever has more of the titles (if both have as many, that of
            the passages).
        rule: which names are looked for.
    """

    source_language: str | None = None
    rule: ArticleRule = field(default_factory=ArticleRule)


@dataclass
class TextCounts:
    """What was found in the texts of one language.

    Args:
        passages: how many there are, each counted once.
        passages_with_mentions: those with at least one mention.
        passage_mentions: mentions in them.
        questions: how many there are.
        questions_with_mentions: those with at least one mention.
        question_mentions: mentions in them.
        names: what became of the names of the articles' entities, by reason, summed over
            articles.
        linked: passages and questions that the general linker did.
    """

    passages: int = 0
    passages_with_mentions: int = 0
    passage_mentions: int = 0
    questions: int = 0
    questions_with_mentions: int = 0
    question_mentions: int = 0
    names: Counter[str] = field(default_factory=Counter)
    linked: int = 0

    def to_json(self) -> JSON:
        """For the manifest."""
        return {
            "passages": self.passages,
            "passages with a mention": self.passages_with_mentions,
            "mentions in passages": self.passage_mentions,
            "questions": self.questions,
            "questions with a mention": self.questions_with_mentions,
            "mentions in questions": self.question_mentions,
            "texts linked without an article": self.linked,
            **dict(sorted(self.names.items())),
        }


@dataclass
class TitleCounts:
    """What became of the titles that name articles of one Wikipedia.

    Args:
        titles: how many different ones there are.
        articles: how many articles they lead to.
        missing: those without an article, in order of appearance.
    """

    titles: int = 0
    articles: int = 0
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnnotatedQuestions:
    """The questions of a file with their entities.

    Args:
        examples: in the file's order, with mentions in question and passage; the passage's source
            is its article's title key, where it has one.
        languages: what was found, by language of the texts.
        articles: what became of the titles, by language of the Wikipedia.
        untitled: questions without a title.
    """

    examples: tuple[QuestionExample, ...]
    languages: Mapping[str, TextCounts]
    articles: Mapping[str, TitleCounts]
    untitled: int


def annotate_questions(
    kb: KnowledgeBase,
    files: Sequence[Sequence[QuestionExample]],
    options: AnnotationOptions | None = None,
    *,
    linker: GeneralLinker | None = None,
) -> list[AnnotatedQuestions]:
    """Find the entities in the questions and passages of some files.

    The articles of all files are read in one pass over each language's text.

    Args:
        kb: knowledge base with the articles, and with the languages of the texts.
        files: the questions of each; their own mentions are replaced.
        options: how; default: as the paper.
        linker: for questions and passages whose article is not known; None leaves them without
            mentions.

    Returns:
        A result for each file.

    Raises:
        InputError: the knowledge base has not the source language, or none of the texts' languages.
    """
    options = options or AnnotationOptions()
    _require_languages(kb, files, options)
    pages = [_pages_of(kb, examples, options) for examples in files]
    wanted = {page for found in pages for page in found.by_title.values() if page is not None}
    articles = read_source_articles(kb, wanted)
    with progress.stage("Annotating", total=sum(map(len, files)), unit="questions") as shown:
        results = []
        for examples, found in zip(files, pages, strict=True):
            names = _Names(kb, articles, options.rule, linker)
            results.append(_annotate(names, examples, found, shown))
    return results


def _require_languages(
    kb: KnowledgeBase, files: Sequence[Sequence[QuestionExample]], options: AnnotationOptions
) -> None:
    known = ", ".join(kb.languages)
    if options.source_language is not None and options.source_language not in kb.languages:
        raise InputError(
            f"no language {options.source_language!r} here for the titles, only {known}",
            where=kb.path,
        )
    used = {
        text.language
        for examples in files
        for example in examples
        for text in (example.question, example.context)
    }
    if used and not used & set(kb.languages):
        raise InputError(
            f"none of the questions' languages ({', '.join(sorted(used))}) is here, only {known}",
            where=kb.path,
        )


@dataclass(frozen=True)
class _Pages:
    """The article of each (passage language, title), and the Wikipedia it was looked for in."""

    by_title: Mapping[tuple[str, str], PageKey | None]
    source: Mapping[str, str]  # by passage language


def _pages_of(
    kb: KnowledgeBase, examples: Sequence[QuestionExample], options: AnnotationOptions
) -> _Pages:
    titles: dict[str, dict[str, None]] = {}
    for example in examples:
        if example.title:
            titles.setdefault(example.context.language, {})[example.title] = None
    by_title: dict[tuple[str, str], PageKey | None] = {}
    source: dict[str, str] = {}
    for language, asked in titles.items():
        tried = [options.source_language] if options.source_language else []
        tried = tried or [code for code in (language, DATA_SET_LANGUAGE) if code in kb.languages]
        found = {
            code: {title: find_article(kb, code, title) for title in asked}
            for code in dict.fromkeys(tried)
        }
        if not found:
            source[language] = language
            by_title.update(((language, title), None) for title in asked)
            continue
        # `max` takes the first of equals, which is the passages' language.
        best = max(found, key=lambda code: sum(page is not None for page in found[code].values()))
        source[language] = best
        for title, page in found[best].items():
            by_title[language, title] = None if page is None else (best, page)
    return _Pages(by_title, source)


@dataclass(frozen=True)
class _Names:
    """What finds entities in texts."""

    kb: KnowledgeBase
    articles: Mapping[PageKey, SourceArticle]
    rule: ArticleRule
    linker: GeneralLinker | None

    def find(
        self, source: PageKey | None, language: str, texts: Sequence[str], counts: TextCounts
    ) -> list[tuple[Mention, ...]]:
        """The mentions in texts of one article and one language; what was found is counted."""
        if source is not None:
            names = ArticleNames(self.kb, self.articles[source], language, self.rule)
            found = names.annotate(texts)
            counts.names.update(names.counts)
            return found
        if self.linker is None:
            return [()] * len(texts)
        counts.linked += len(texts)
        return [linked.text.mentions for linked in self.linker.pipe(texts, language=language)]


def _annotate(
    names: _Names,
    examples: Sequence[QuestionExample],
    pages: _Pages,
    shown: progress.Progress,
) -> AnnotatedQuestions:
    sources = [_source(example, pages, names.articles) for example in examples]
    asked = Counter(sources)
    texts: dict[PageKey | None, dict[str, dict[str, None]]] = {}  # by source and language
    for example, source in zip(examples, sources, strict=True):
        for text in (example.context, example.question):
            texts.setdefault(source, {}).setdefault(text.language, {})[text.text] = None
    counts: dict[str, TextCounts] = {}
    mentions: _Mentions = {}
    for source, by_language in texts.items():
        for language, distinct in by_language.items():
            here = counts.setdefault(language, TextCounts())
            found = names.find(source, language, list(distinct), here)
            for characters, spans in zip(distinct, found, strict=True):
                mentions[source, language, characters] = spans
        shown.advance(asked[source])
    annotated = tuple(
        _annotated(example, source, mentions)
        for example, source in zip(examples, sources, strict=True)
    )
    _count(annotated, counts)
    untitled = sum(not example.title for example in examples)
    return AnnotatedQuestions(annotated, counts, _title_counts(pages, names.articles), untitled)


_Mentions = dict[tuple[PageKey | None, str, str], tuple[Mention, ...]]


def _source(
    example: QuestionExample, pages: _Pages, articles: Mapping[PageKey, SourceArticle]
) -> PageKey | None:
    """The article that a question's passage is from, if its text is known."""
    if not example.title:
        return None
    page = pages.by_title[example.context.language, example.title]
    return page if page in articles else None


def _annotated(
    example: QuestionExample, source: PageKey | None, mentions: _Mentions
) -> QuestionExample:
    def of(text: AnnotatedText, origin: str | None) -> AnnotatedText:
        spans = mentions.get((source, text.language, text.text), ())
        return AnnotatedText(text.text, text.language, spans, origin)

    origin = example.context.source if source is None else ":".join(source)
    question = of(example.question, example.question.source)
    return replace(example, question=question, context=of(example.context, origin))


def _count(examples: Sequence[QuestionExample], counts: Mapping[str, TextCounts]) -> None:
    """Add what was found to the counts of each language."""
    passages: set[tuple[str | None, str, str]] = set()
    for example in examples:
        here, found = counts[example.question.language], len(example.question.mentions)
        here.questions += 1
        here.questions_with_mentions += found > 0
        here.question_mentions += found
        passage = (example.title, example.context.language, example.context.text)
        if passage in passages:
            continue
        passages.add(passage)
        here, found = counts[example.context.language], len(example.context.mentions)
        here.passages += 1
        here.passages_with_mentions += found > 0
        here.passage_mentions += found


def _title_counts(
    pages: _Pages, articles: Mapping[PageKey, SourceArticle]
) -> dict[str, TitleCounts]:
    titles: dict[str, dict[str, PageKey | None]] = {}
    for (language, title), page in pages.by_title.items():
        titles.setdefault(pages.source[language], {})[title] = page if page in articles else None
    return {
        source: TitleCounts(
            len(found),
            len({page for page in found.values() if page is not None}),
            tuple(title for title, page in found.items() if page is None),
        )
        for source, found in titles.items()
    }
