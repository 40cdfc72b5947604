"""Building a corpus from a knowledge base: tokenizer, entity vocabulary, sequences per language."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from exonym.corpus.packing import EncodedSentence, pack_page
from exonym.corpus.shards import FORMAT, VERSION, Corpus, SequenceWriter
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import atomic_directory, sha256, write_manifest
from exonym.foundation.progress import stage
from exonym.foundation.seeds import derive_seed
from exonym.knowledge import EntityVocabulary, KnowledgeBase
from exonym.text import AnnotatedText
from exonym.text.sentences import split_sentences
from exonym.tokenization import EntityTokenizer, WordTokenizer, train_word_tokenizer
from exonym.tokenization.tokenizer import ENTITY_DIRECTORY
from exonym.tokenization.words import SENTENCEPIECE_FILE
from exonym.wikimedia.articles import Article

_BATCH_ARTICLES = 256


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """How a corpus is built; the defaults are the paper's (section 3.1, appendix A).

    Args:
        languages: which of the knowledge base's languages; None takes all.
        tokenizer: a directory with ``sentencepiece.bpe.model`` or ``tokenizer.json``, such as
            XLM-R's; None trains one.
        vocabulary_size: most ids of a tokenizer trained here.
        tokenizer_paragraphs: most paragraphs per language that it is trained on.
        entity_vocabulary_size: most entity rows; None keeps all.
        min_languages: an entity must occur in this many languages to get a row.
        max_words: most pieces in a sequence, ``<s>`` and ``</s>`` not counted.
        max_entities: most entities in a sequence.
        max_sentences: most sentences in a sequence; None packs as many as fit.
        seed: of the draw of paragraphs for the tokenizer.
    """

    languages: tuple[str, ...] | None = None
    tokenizer: Path | None = None
    vocabulary_size: int = 250_002
    tokenizer_paragraphs: int = 200_000
    entity_vocabulary_size: int | None = 1_200_000
    min_languages: int = 3
    max_words: int = 510
    max_entities: int = 128
    max_sentences: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (
            "vocabulary_size",
            "tokenizer_paragraphs",
            "min_languages",
            "max_words",
            "max_entities",
            "max_sentences",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")


def build_corpus(
    knowledge_base: str | Path,
    out: str | Path,
    options: CorpusOptions | None = None,
    *,
    overwrite: bool = False,
) -> Corpus:
    """Build a corpus directory from a knowledge base.

    Args:
        knowledge_base: directory made by `build_knowledge_base`.
        out: the corpus directory; it appears only when it is whole.
        options: what to build.
        overwrite: replace an existing ``out``.

    Raises:
        InputError: not a knowledge base, or without a requested language.
        ExistsError: ``out`` is already there.
        ConfigError: the options do not fit the text.
    """
    options = options or CorpusOptions()
    kb = KnowledgeBase.open(knowledge_base)
    languages = tuple(dict.fromkeys(options.languages or kb.languages))
    missing = sorted(set(languages) - set(kb.languages))
    if missing:
        raise InputError(
            f"the knowledge base has no language {missing[0]!r}; it has {', '.join(kb.languages)}",
            where=knowledge_base,
        )
    with atomic_directory(Path(out), overwrite=overwrite) as directory:
        entities = EntityVocabulary.build(
            kb,
            directory / ENTITY_DIRECTORY,
            size=options.entity_vocabulary_size,
            min_languages=options.min_languages,
        )
        words = _word_tokenizer(kb, languages, options, directory)
        tokenizer = EntityTokenizer(words, entities)
        counts = {}
        with stage("corpus: sequences", unit="articles") as progress:
            for language in languages:
                progress.note(language)
                articles = _advancing(kb.articles(language), progress.advance)
                counts[language] = _write_language(
                    articles, tokenizer, directory / language, options
                )
        if not any(count["sequences"] for count in counts.values()):
            raise InputError(
                "no sequence with an entity was found",
                where=knowledge_base,
                remedy="Lower --min-languages, or build from dumps that hold links",
            )
        write_manifest(
            directory,
            format=FORMAT,
            version=VERSION,
            languages=counts,
            totals=dict(sum((Counter(count) for count in counts.values()), Counter())),
            options={**asdict(options), "tokenizer": str(options.tokenizer or "trained here")},
            word_vocabulary=len(words),
            entity_vocabulary=len(entities),
            tokenizer_sha256=sha256(directory / SENTENCEPIECE_FILE),
            knowledge_base_sha256=sha256(Path(knowledge_base) / "manifest.json"),
        )
    return Corpus.open(out)


def _advancing(articles: Iterable[Article], advance: Callable[[], None]) -> Iterator[Article]:
    for article in articles:
        advance()
        yield article


def _word_tokenizer(
    kb: KnowledgeBase, languages: Sequence[str], options: CorpusOptions, directory: Path
) -> WordTokenizer:
    if options.tokenizer is not None:
        words = WordTokenizer.from_directory(options.tokenizer)
        words.save(directory)
        return words
    with stage("corpus: tokenizer", total=len(languages), unit="languages") as progress:
        texts: list[str] = []
        for language in languages:
            texts += _sample(kb, language, options)
            progress.advance()
        progress.note(f"{len(texts):,} paragraphs")
        return train_word_tokenizer(texts, directory, vocabulary_size=options.vocabulary_size)


def _sample(kb: KnowledgeBase, language: str, options: CorpusOptions) -> list[str]:
    """A seeded draw of paragraphs that does not depend on how many there are."""
    paragraphs = (text.text for article in kb.articles(language) for text in article.paragraphs)
    keyed = (
        (derive_seed(options.seed, "tokenizer", language, number), paragraph)
        for number, paragraph in enumerate(paragraphs)
    )
    return [text for _, text in heapq.nsmallest(options.tokenizer_paragraphs, keyed)]


def _write_language(
    articles: Iterable[Article],
    tokenizer: EntityTokenizer,
    directory: Path,
    options: CorpusOptions,
) -> dict[str, int]:
    counts: Counter[str] = Counter(
        dict.fromkeys(("articles", "sentences", "sequences", "words", "entities"), 0)
    )
    with SequenceWriter(directory) as writer:
        for page in _encoded_pages(articles, tokenizer, counts):
            packed = pack_page(
                page,
                max_words=options.max_words,
                max_entities=options.max_entities,
                max_sentences=options.max_sentences,
                counts=counts,
            )
            for sequence in packed:
                writer.append(sequence.words, sequence.entities, sequence.spans)
                counts["sequences"] += 1
                counts["words"] += len(sequence.words)
                counts["entities"] += len(sequence.entities)
    return dict(counts)


def _encoded_pages(
    articles: Iterable[Article], tokenizer: EntityTokenizer, counts: Counter[str]
) -> Iterator[list[EncodedSentence]]:
    """Encode many pages in one call, which the tokenizer does in parallel."""
    iterator = iter(articles)
    while batch := list(itertools.islice(iterator, _BATCH_ARTICLES)):
        pages = [
            [sentence for text in article.paragraphs for sentence in split_sentences(text)]
            for article in batch
        ]
        encoded = _encode([s for page in pages for s in page], tokenizer, counts)
        counts["articles"] += len(batch)
        for page in pages:
            yield list(itertools.islice(encoded, len(page)))


def _encode(
    sentences: Sequence[AnnotatedText], tokenizer: EntityTokenizer, counts: Counter[str]
) -> Iterator[EncodedSentence]:
    unknown = tokenizer.entities.unk_row
    for sentence, (words, spans) in zip(sentences, tokenizer.pieces(sentences), strict=True):
        rows = tokenizer.rows(sentence.mentions)
        has_piece = spans[:, 0] < spans[:, 1]
        known = rows != unknown
        counts["sentences"] += 1
        counts["mentions without a piece"] += int((~has_piece).sum())
        counts["mentions not in the vocabulary"] += int((has_piece & ~known).sum())
        keep = has_piece & known
        yield EncodedSentence(words, rows[keep], spans[keep].astype(np.int32))
