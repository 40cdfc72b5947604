"""Building a corpus: tokenizer, entity vocabulary, sequences per language."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from exonym.corpus.sequences import Limits, write_languages
from exonym.corpus.shards import FORMAT, VERSION, Corpus
from exonym.corpus.sources import (
    MANIFEST,
    KnowledgeBaseText,
    TextSource,
    open_source,
    require_languages,
)
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON, atomic_directory, sha256, write_manifest
from exonym.foundation.progress import stage
from exonym.foundation.seeds import derive_seed
from exonym.knowledge import EntityVocabulary, NewEntities
from exonym.tokenization import WordTokenizer, train_word_tokenizer
from exonym.tokenization.tokenizer import ENTITY_DIRECTORY
from exonym.tokenization.words import SENTENCEPIECE_FILE


@dataclass(frozen=True, slots=True)
class CorpusOptions:
    """How a corpus is built; the defaults are the paper's (section 3.1, appendix A).

    Args:
        languages: which of the knowledge base's languages; None takes all.
        tokenizer: a directory with ``sentencepiece.bpe.model`` or ``tokenizer.json``, such as
            XLM-R's; None trains one.
        vocabulary_size: most ids of a tokenizer trained here.
        tokenizer_paragraphs: most paragraphs per language that it is trained on.
        entities: a directory with an entity vocabulary (``entities/`` or ``entity_vocab.json``),
            such as a corpus or a checkpoint; None chooses one from the knowledge base.
        add_entities: extend ``entities``: its rows stay and get the knowledge base's names, and at
            most this many new entities come behind them; None leaves it as it is.
        entity_vocabulary_size: most entity rows chosen here, without ``entities``; None keeps all.
        min_languages: an entity must occur in this many languages to get a new row.
        max_words: most pieces in a sequence, ``<s>`` and ``</s>`` not counted.
        max_entities: most entities in a sequence.
        max_sentences: most sentences in a sequence; None packs as many as fit.
        seed: of the draw of paragraphs for the tokenizer.
    """

    languages: tuple[str, ...] | None = None
    tokenizer: Path | None = None
    vocabulary_size: int = 250_002
    tokenizer_paragraphs: int = 200_000
    entities: Path | None = None
    add_entities: int | None = None
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
        if self.add_entities is not None:
            if self.entities is None:
                raise ConfigError(
                    "add_entities extends a vocabulary, and none is given",
                    remedy="Say which: --entities OLD, the checkpoint to go on with",
                )
            if self.add_entities < 0:
                raise ConfigError(f"add_entities must be at least 0, got {self.add_entities}")


def build_corpus(
    source: str | Path,
    out: str | Path,
    options: CorpusOptions | None = None,
    *,
    overwrite: bool = False,
    processes: int = 1,
) -> Corpus:
    """Build a corpus directory from a knowledge base, or from a text directory in Parquet.

    Args:
        source: directory made by `build_knowledge_base` or by `export_text`; the latter needs
            ``options.entities``.
        out: the corpus directory; it appears only when it is whole.
        options: what to build.
        overwrite: replace an existing ``out``.
        processes: how many encode at a time; the bytes are the same for any number.

    Raises:
        InputError: neither of the two, or without a requested language.
        ExistsError: ``out`` is already there.
        ConfigError: the options do not fit the text, or ``processes`` is not positive.
    """
    options = options or CorpusOptions()
    if processes < 1:
        raise ConfigError(f"processes must be at least 1, got {processes}")
    text = open_source(source)
    languages = require_languages(text, options.languages)
    with atomic_directory(Path(out), overwrite=overwrite) as directory:
        entities = _entities(text, options, directory / ENTITY_DIRECTORY)
        words = _word_tokenizer(text, languages, options, directory)
        limits = Limits(options.max_words, options.max_entities, options.max_sentences)
        total = sum(text.count(language) for language in languages)
        with stage("corpus: sequences", total=total, unit="articles") as progress:
            counts = write_languages(
                text.path, languages, directory, limits, processes=processes, progress=progress
            )
        if not any(count["sequences"] for count in counts.values()):
            raise InputError(
                "no sequence with an entity was found",
                where=source,
                remedy="Lower --min-languages, or build from dumps that hold links",
            )
        write_manifest(
            directory,
            format=FORMAT,
            version=VERSION,
            languages=counts,
            totals=dict(sum((Counter(count) for count in counts.values()), Counter())),
            options={
                **asdict(options),
                "tokenizer": str(options.tokenizer or "trained here"),
                "entities": str(options.entities or "chosen here"),
            },
            word_vocabulary=len(words),
            entity_vocabulary=len(entities),
            **_extension(entities, options),
            tokenizer_sha256=sha256(directory / SENTENCEPIECE_FILE),
            **{f"{text.kind}_sha256": sha256(text.path / MANIFEST)},
        )
    return Corpus.open(out)


def _entities(text: TextSource, options: CorpusOptions, directory: Path) -> EntityVocabulary:
    if options.entities is not None:
        found = EntityVocabulary.from_pretrained(options.entities)
        if options.add_entities is None:
            return found.copy_to(directory)
        if not isinstance(text, KnowledgeBaseText):
            raise InputError(
                "a text directory does not say which entities could get a new row",
                where=text.path,
                remedy="Build from the knowledge base (--kb), or leave --add-entities out",
            )
        wanted = NewEntities(size=options.add_entities, min_languages=options.min_languages)
        return found.extended(text.knowledge_base, directory, wanted)
    if not isinstance(text, KnowledgeBaseText):
        raise InputError(
            "a text directory does not say which entities get a row",
            where=text.path,
            remedy="Give the directory of a corpus or checkpoint with a vocabulary: --entities DIR",
        )
    return EntityVocabulary.build(
        text.knowledge_base,
        directory,
        size=options.entity_vocabulary_size,
        min_languages=options.min_languages,
    )


def _extension(entities: EntityVocabulary, options: CorpusOptions) -> JSON:
    """What extending the vocabulary did, as its own manifest says it."""
    if options.add_entities is None:
        return {}
    return {"entity_extension": entities.manifest["extension"]}


def _word_tokenizer(
    source: TextSource, languages: Sequence[str], options: CorpusOptions, directory: Path
) -> WordTokenizer:
    if options.tokenizer is not None:
        words = WordTokenizer.from_directory(options.tokenizer)
        words.save(directory)
        return words
    with stage("corpus: tokenizer", total=len(languages), unit="languages") as progress:
        texts: list[str] = []
        for language in languages:
            texts += _sample(source, language, options)
            progress.advance()
        progress.note(f"{len(texts):,} paragraphs")
        return train_word_tokenizer(texts, directory, vocabulary_size=options.vocabulary_size)


def _sample(source: TextSource, language: str, options: CorpusOptions) -> list[str]:
    """A seeded draw of paragraphs that does not depend on how many there are."""
    paragraphs = (text.text for page in source.pages(language) for text in page)
    keyed = (
        (derive_seed(options.seed, "tokenizer", language, number), paragraph)
        for number, paragraph in enumerate(paragraphs)
    )
    return [text for _, text in heapq.nsmallest(options.tokenizer_paragraphs, keyed)]
