"""From dumps to sequences: what is in a corpus is what the pages say."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exonym.atlas import write_atlas
from exonym.corpus import (
    Corpus,
    CorpusOptions,
    LanguageSampling,
    PretrainingStream,
    build_corpus,
    export_text,
)
from exonym.foundation.errors import ConfigError, ExistsError, InputError
from exonym.knowledge import EntityVocabulary, KnowledgeBase, build_knowledge_base

TABLE = Path(__file__).resolve().parents[1] / "data" / "tiny_table.jsonl"
OPTIONS = CorpusOptions(vocabulary_size=600, min_languages=1, max_words=40)


@pytest.fixture(scope="module")
def knowledge_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_atlas(folder / "dumps", table=TABLE, seed=3)
    build_knowledge_base([folder / "dumps"], folder / "kb")
    return folder / "kb"


@pytest.fixture(scope="module")
def corpus(knowledge_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_corpus(knowledge_base, tmp_path_factory.mktemp("corpus") / "corpus", OPTIONS)


def test_every_mention_is_an_exact_span_of_pieces(corpus: Corpus, knowledge_base: Path) -> None:
    """Each span decodes to a surface that the pages link to that entity in that language."""
    kb, tokenizer = KnowledgeBase.open(knowledge_base), corpus.tokenizer()
    checked = 0
    for language, sequences in corpus.languages.items():
        surfaces: dict[str, set[str]] = {}
        for article in kb.articles(language):
            for text in article.paragraphs:
                for mention in text.mentions:
                    spelt = tokenizer.words.encode_words([text.surface(mention)])[0]
                    plain = tokenizer.words.decode(spelt.tolist())
                    surfaces.setdefault(str(mention.entity), set()).add(plain)
        for index in range(len(sequences)):
            words, rows, spans = sequences[index]
            for row, (start, end) in zip(rows, spans, strict=True):
                seen = tokenizer.words.decode(words[start:end].tolist())
                assert seen in surfaces[tokenizer.entities.key(int(row))]
                checked += 1
    assert checked > 100


def test_nothing_is_lost_that_is_not_counted(corpus: Corpus, knowledge_base: Path) -> None:
    kb = KnowledgeBase.open(knowledge_base)
    for language, counts in corpus.manifest["languages"].items():
        mentions = sum(
            len(text.mentions) for article in kb.articles(language) for text in article.paragraphs
        )
        lost = sum(
            counts.get(reason, 0)
            for reason in (
                "mentions cut",
                "mentions without a piece",
                "mentions not in the vocabulary",
            )
        )
        assert mentions == counts["entities"] + lost
        assert counts["sequences"] == len(corpus.languages[language])
        assert counts["words"] == len(corpus.languages[language].words)
        assert counts["entities"] == len(corpus.languages[language].entities)
        assert counts["articles"] == sum(1 for _ in kb.articles(language))


def test_the_limits_hold_and_the_totals_add_up(corpus: Corpus) -> None:
    totals: Counter[str] = Counter()
    for counts in corpus.manifest["languages"].values():
        totals += Counter(counts)
    assert corpus.manifest["totals"] == dict(totals)
    for sequences in corpus.languages.values():
        assert np.diff(sequences.word_offsets).max(initial=0) <= 40
        assert np.diff(sequences.entity_offsets).min(initial=1) >= 1
        assert (sequences.words >= 3).all()
        assert (sequences.words < corpus.manifest["word_vocabulary"] - 1).all()
    assert corpus.manifest["word_vocabulary"] == len(corpus.tokenizer().words) <= 600


def test_two_builds_are_the_same_bytes(
    corpus: Corpus, knowledge_base: Path, tmp_path: Path
) -> None:
    again = build_corpus(knowledge_base, tmp_path / "again", OPTIONS)
    assert contents(again.path) == contents(corpus.path)


def test_two_processes_write_the_same_bytes(
    corpus: Corpus, knowledge_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Languages are cut into parts; nothing shows where, nor in the order of training."""
    monkeypatch.setattr("exonym.corpus.sequences._LEAST_PAGES", 3)
    again = build_corpus(knowledge_base, tmp_path / "again", OPTIONS, processes=2)
    assert contents(again.path) == contents(corpus.path)
    orders = [
        PretrainingStream(c, batch_sequences=4, sampling=LanguageSampling(0.7), seed=1)
        for c in (corpus, again)
    ]
    assert orders[0].references(77).tolist() == orders[1].references(77).tolist()


def contents(directory: Path) -> dict[str, bytes]:
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("batch", [1, 1 << 30])
def test_how_much_is_encoded_at_a_time_changes_nothing(
    batch: int,
    corpus: Corpus,
    knowledge_base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("exonym.corpus.sequences._BATCH_CHARACTERS", batch)
    again = build_corpus(knowledge_base, tmp_path / "again", OPTIONS)
    assert contents(again.path) == contents(corpus.path)


def test_the_bytes_of_the_text_are_counted(corpus: Corpus, knowledge_base: Path) -> None:
    kb = KnowledgeBase.open(knowledge_base)
    for language, counts in corpus.manifest["languages"].items():
        texts = [text.text for article in kb.articles(language) for text in article.paragraphs]
        assert counts["bytes"] == sum(len(text.encode()) for text in texts) > 0
        assert counts["sentences"] >= len(texts)


def test_a_given_entity_vocabulary_is_used(
    corpus: Corpus, knowledge_base: Path, tmp_path: Path
) -> None:
    options = replace(OPTIONS, entities=corpus.path, tokenizer=corpus.path, min_languages=99)
    again = build_corpus(knowledge_base, tmp_path / "again", options)
    for name in ("entities.i32", "words.i32", "spans.i32"):
        assert (again.path / "ja" / name).read_bytes() == (corpus.path / "ja" / name).read_bytes()
    assert list(again.entities().names(9)) == list(corpus.entities().names(9))


def test_a_given_tokenizer_is_used_and_copied(
    corpus: Corpus, knowledge_base: Path, tmp_path: Path
) -> None:
    options = replace(OPTIONS, tokenizer=corpus.path, languages=("ja", "en", "ja"))
    again = build_corpus(knowledge_base, tmp_path / "again", options)
    assert list(again.languages) == ["en", "ja"]
    for name in ("tokenizer.json", "sentencepiece.bpe.model"):
        assert (again.path / name).read_bytes() == (corpus.path / name).read_bytes()
    assert again.languages["ja"].words.tolist() == corpus.languages["ja"].words.tolist()


def test_a_smaller_vocabulary_is_counted_in_what_it_leaves_out(
    corpus: Corpus, knowledge_base: Path, tmp_path: Path
) -> None:
    options = replace(OPTIONS, entity_vocabulary_size=5, tokenizer=corpus.path)
    small = build_corpus(knowledge_base, tmp_path / "small", options)
    assert len(small.entities()) == 4 + 5
    before, after = corpus.manifest["totals"], small.manifest["totals"]
    assert after["entities"] < before["entities"]
    assert after["mentions not in the vocabulary"] >= before["entities"] - after["entities"] > 0
    assert after["sequences without an entity"] > 0


def test_a_build_that_fails_leaves_nothing(knowledge_base: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="has no language 'xx'; it has "):
        build_corpus(knowledge_base, out, replace(OPTIONS, languages=("en", "xx")))
    with pytest.raises(ConfigError, match="no unigram with 8 pieces"):
        build_corpus(knowledge_base, out, replace(OPTIONS, vocabulary_size=8))
    with pytest.raises(InputError, match="no sequence with an entity was found"):
        build_corpus(knowledge_base, out, replace(OPTIONS, min_languages=99))
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="no such directory"):
        build_corpus(tmp_path / "none", out, OPTIONS)


def test_an_existing_corpus_is_not_overwritten_unasked(
    corpus: Corpus, knowledge_base: Path
) -> None:
    with pytest.raises(ExistsError, match="--overwrite"):
        build_corpus(knowledge_base, corpus.path, OPTIONS)
    assert len(Corpus.open(corpus.path).languages) == len(corpus.languages)


def test_no_process_is_a_config_error(knowledge_base: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="processes must be at least 1, got 0"):
        build_corpus(knowledge_base, tmp_path / "out", OPTIONS, processes=0)


@pytest.mark.parametrize("name", ["vocabulary_size", "max_words", "min_languages"])
def test_an_impossible_option_is_a_config_error(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be at least 1, got 0"):
        replace(OPTIONS, **{name: 0})


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A knowledge base of the same world in one language more."""
    folder = tmp_path_factory.mktemp("larger")
    write_atlas(folder / "dumps", table=TABLE, seed=3, languages=["en", "de", "ja", "sw"])
    build_knowledge_base([folder / "dumps"], folder / "kb")
    return folder / "kb"


def test_an_old_vocabulary_is_extended(larger: Path, tmp_path: Path) -> None:
    """Old rows stay, titles-only rows are recognised, and the text links to both kinds."""
    kb = KnowledgeBase.open(larger)
    small = EntityVocabulary.build(kb, tmp_path / "small", size=5, languages=["en", "de"])
    names = {f"de:{small.titles(r)['de']}": r for r in range(4, 9)} | {
        small.key(row): row for row in small.special_rows
    }
    old = tmp_path / "old"
    old.mkdir()
    (old / "entity_vocab.json").write_text(json.dumps(names), "utf-8")
    options = replace(OPTIONS, entities=old, add_entities=3)
    corpus = build_corpus(larger, tmp_path / "corpus", options)
    entities = corpus.tokenizer().entities
    assert len(entities) == corpus.manifest["entity_vocabulary"] == 12
    assert [entities.key(row) for row in range(9)] == [small.key(row) for row in range(9)]
    assert any("sw" in entities.titles(row) for row in range(4, 9))
    counts = corpus.manifest["entity_extension"]
    assert (counts["rows kept"], counts["rows added"], counts["items gained"]) == (9, 3, 5)
    used = {int(row) for each in corpus.languages.values() for row in np.asarray(each.entities)}
    assert used == set(range(4, 12))
    assert (
        "entity_extension"
        not in build_corpus(
            larger, tmp_path / "plain", replace(OPTIONS, entities=corpus.path)
        ).manifest
    )


def test_extending_needs_something_to_extend(larger: Path, corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"extends a vocabulary.*--entities OLD"):
        replace(OPTIONS, add_entities=1)
    with pytest.raises(ConfigError, match="add_entities must be at least 0, got -1"):
        replace(OPTIONS, entities=corpus.path, add_entities=-1)
    export_text(larger, tmp_path / "text")
    with pytest.raises(InputError, match="which entities could get a new row"):
        build_corpus(
            tmp_path / "text", tmp_path / "out",
            replace(OPTIONS, entities=corpus.path, add_entities=1),
        )  # fmt: skip
