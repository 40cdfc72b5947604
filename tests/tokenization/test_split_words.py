"""Words instead of text: the word that each piece begins in."""

from __future__ import annotations

import pytest
from fake_vocabulary import FakeVocabulary

from exonym.text import Mention, SplitText
from exonym.tokenization import EntityTokenizer, WordTokenizer


@pytest.mark.parametrize("language", ["de", "ja"])
@pytest.mark.parametrize("boundary", ["faithful", "hf"])
def test_every_piece_knows_its_word(language: str, boundary: str, words: WordTokenizer) -> None:
    tokenizer = EntityTokenizer(words, FakeVocabulary(), boundary=boundary)  # type: ignore
    given = ("München", "東京都", "ﬁne", "Ｔｏｋｙｏ", ",", "は")
    text = SplitText(given, language, (Mention(1, 3, "Q64"),))
    (encoded,) = tokenizer.encode([text])
    index = encoded.word_index
    assert index is not None
    assert index[0] == index[-1] == -1
    assert sorted(set(index[1:-1].tolist())) == list(range(len(given)))
    start, end = encoded.spans[0]
    assert set(index[start:end].tolist()) == {1, 2}
    for word in range(len(given)):
        pieces = encoded.input_ids[index == word].tolist()
        spelt = words.decode(pieces).replace(" ", "")
        assert (
            words.unk_id in pieces
            or spelt == ["München", "東京都", "fine", "Tokyo", ",", "は"][word]
        )


def test_windows_of_words_know_their_words(words: WordTokenizer) -> None:
    tokenizer = EntityTokenizer(words, FakeVocabulary())  # type: ignore[arg-type]
    text = SplitText(tuple(f"w{i}" for i in range(60)), "en")
    parts = list(tokenizer.encode([text], max_length=30, overflow="window", overlap=4))
    assert len(parts) > 2
    seen = [part.word_index[1:-1].tolist() for part in parts if part.word_index is not None]
    assert seen[0][0] == 0
    assert seen[-1][-1] == 59
    assert {index for part in seen for index in part} == set(range(60))


def test_other_texts_have_no_words(words: WordTokenizer) -> None:
    tokenizer = EntityTokenizer(words, FakeVocabulary())  # type: ignore[arg-type]
    assert tokenizer("Tokyo").texts[0].word_index is None
