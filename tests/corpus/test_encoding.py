"""Encoding pages on arrays gives what encoding sentence by sentence gives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exonym.corpus.encoding import PageEncoder
from exonym.foundation.errors import InputError
from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES, VocabularyRow
from exonym.text import AnnotatedText, Mention, split_sentences
from exonym.tokenization import EntityTokenizer, WordTokenizer

SENTENCES = (
    "Tokyo is the capital of Japan.",
    "東京都は日本の首都である。大阪府は西にある。",
    "北京是中华人民共和国的首都，上海是最大的城市。",
    "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย",
    "Berlin ist groß!",
)
PARTS = [
    *SENTENCES,
    *SENTENCES[1].split("。"),
    " ",
    "  ",
    ". ",
    "。",
    "! ",
    "\u200b",
    "\u00ad",
    "\u3000",
]
TEXTS = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=7).map("".join)


@st.composite
def pages(draw: st.DrawFn) -> list[list[AnnotatedText]]:
    """Pages of paragraphs with mentions anywhere; some entities have no row."""
    found: list[list[AnnotatedText]] = []
    for texts in draw(st.lists(st.lists(TEXTS, max_size=3), max_size=3)):
        found.append([])
        for text in texts:
            places = st.integers(0, len(text))
            spans = draw(st.lists(st.tuples(places, places).map(sorted), max_size=5))
            keys = draw(st.lists(st.sampled_from(["Q1", "Q2", "Q9", None]), min_size=5, max_size=5))
            mentions = [
                Mention(start, end, key)
                for (start, end), key in zip(spans, keys, strict=False)
                if start < end
            ]
            language = draw(st.sampled_from(["en", "ja", "th", "zh"]))
            found[-1].append(AnnotatedText(text, language, tuple(mentions)))
    return found


@pytest.fixture(scope="module")
def tokenizer(
    tiny_tokenizer_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> EntityTokenizer:
    rows = [VocabularyRow(name, {}, 0) for name in [*SPECIAL_ENTITIES, "Q1", "Q2"]]
    entities = EntityVocabulary.write(tmp_path_factory.mktemp("rows") / "entities", rows)
    return EntityTokenizer(WordTokenizer.from_directory(tiny_tokenizer_directory), entities)


@pytest.fixture(scope="module")
def encoder(tokenizer: EntityTokenizer) -> PageEncoder:
    return PageEncoder(tokenizer, threads=1)


@settings(max_examples=80)
@given(pages=pages())
def test_pages_have_the_pieces_rows_and_spans_of_their_sentences(
    pages: list[list[AnnotatedText]], tokenizer: EntityTokenizer, encoder: PageEncoder
) -> None:
    counts: Counter[str] = Counter()
    encoded = encoder.encode(pages, counts)
    split = [[s for text in page for s in split_sentences(text)] for page in pages]
    sentences = [sentence for page in split for sentence in page]
    assert encoded.page_starts.tolist() == [sum(map(len, split[:n])) for n in range(len(pages) + 1)]
    assert counts["sentences"] == len(sentences)
    kept = 0
    for number, (sentence, (words, spans)) in enumerate(
        zip(sentences, tokenizer.pieces(sentences), strict=True)
    ):
        start, end = encoded.word_starts[number : number + 2]
        assert encoded.words[start:end].tolist() == words.tolist()
        expected = [
            (tokenizer.entities.row(mention.entity), span)
            for mention, span in zip(sentence.mentions, spans.tolist(), strict=True)
            if mention.entity in ("Q1", "Q2") and span[0] < span[1]
        ]
        start, end = encoded.entity_starts[number : number + 2]
        assert encoded.entities[start:end].tolist() == [row for row, _ in expected]
        assert encoded.spans[start:end].tolist() == [span for _, span in expected]
        kept += len(expected)
    mentions = sum(len(text.mentions) for page in pages for text in page)
    lost = counts["mentions without a piece"] + counts["mentions not in the vocabulary"]
    assert kept + lost == mentions
    assert counts["bytes"] == sum(len(text.text.encode()) for page in pages for text in page)


def test_how_pages_are_batched_changes_nothing(encoder: PageEncoder) -> None:
    mention = (Mention(0, 4, "Q1"),)
    page = [AnnotatedText(text, "en", mention) for text in SENTENCES]
    together = encoder.encode([page, [], page], Counter())
    alone = encoder.encode([page], Counter())
    assert together.words.tolist() == alone.words.tolist() * 2
    assert together.spans.tolist() == alone.spans.tolist() * 2
    assert together.entities.tolist() == [4] * 2 * len(page)
    assert together.page_starts[1] == together.page_starts[2] == alone.page_starts[1]


def test_half_of_a_surrogate_pair_is_an_input_error(encoder: PageEncoder) -> None:
    with pytest.raises(InputError, match="half of a surrogate pair"):
        encoder.encode([[AnnotatedText("a \ud800 b", "th")]], Counter())


def test_many_entities_do_not_fill_the_memory(
    encoder: PageEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exonym.corpus.encoding._MOST_KEYS", 3)
    keys = ["Q1", "Q7", "Q2", "Q8", "Q1", "Q2", "Q9", "Q2"]
    for first in range(0, len(keys), 2):
        texts = [AnnotatedText("Japan", "en", (Mention(0, 5, key),)) for key in keys[first:][:2]]
        rows = encoder.encode([texts], Counter()).entities.tolist()
        assert rows == [{"Q1": 4, "Q2": 5}[key] for key in keys[first:][:2] if key in ("Q1", "Q2")]
        assert len(encoder._rows) <= 4
