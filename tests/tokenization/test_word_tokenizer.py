"""The word pieces: training, XLM-R's id layout, files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import VocabularyRow
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer, WordTokenizer, train_word_tokenizer

TEXTS = ["Tokyo is the capital of Japan", "東京都は日本の首都である", "القاهرة عاصمة مصر"] * 20


def test_a_trained_tokenizer_has_the_id_layout_of_xlm_r(tiny_tokenizer_directory: Path) -> None:
    import sentencepiece

    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    assert [words.piece(i) for i in range(4)] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert (words.bos_id, words.pad_id, words.eos_id, words.unk_id) == (0, 1, 2, 3)
    pieces = [words.piece(i) for i in range(words.mask_id, len(words))]
    assert pieces == ["<mask>", "<ent>", "<ent2>"]
    model = sentencepiece.SentencePieceProcessor(
        model_file=str(tiny_tokenizer_directory / "sentencepiece.bpe.model")
    )
    assert words.mask_id == model.get_piece_size() + 1
    for identifier in range(3, model.get_piece_size()):
        assert words.piece(identifier + 1) == model.id_to_piece(identifier)


@pytest.mark.parametrize(
    "text", ["Tokyo is the capital", "東京都は日本の首都", " Ｔｏｋｙｏ　 ist ﬁne "]
)
def test_our_ids_are_sentencepieces_ids_plus_one(text: str, tiny_tokenizer_directory: Path) -> None:
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(
        model_file=str(tiny_tokenizer_directory / "sentencepiece.bpe.model")
    )
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    expected = [i + 1 if i >= 3 else words.unk_id for i in model.encode(text)]
    assert words.encode_words([text])[0].tolist() == expected


def test_the_written_file_frames_a_text_as_xlm_r_does(tiny_tokenizer_directory: Path) -> None:
    standard = Tokenizer.from_file(str(tiny_tokenizer_directory / "tokenizer.json"))
    ids = standard.encode("Tokyo").ids
    assert (ids[0], ids[-1]) == (0, 2)
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    assert standard.token_to_id("<mask>") == words.mask_id
    assert standard.token_to_id("<ent>") == words.mask_id + 1
    assert standard.get_vocab_size() == len(words)


@pytest.mark.parametrize(
    "text", ["Tokyo is the capital", "東京都は日本の首都", "  Ｔｏｋｙｏ  ﬁne"]
)
def test_the_tokenizers_library_reads_the_written_file_as_we_do(
    text: str, tiny_tokenizer_directory: Path
) -> None:
    standard = Tokenizer.from_file(str(tiny_tokenizer_directory / "tokenizer.json"))
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    ids = standard.encode(text, add_special_tokens=False).ids
    assert words.encode_words([text])[0].tolist() == ids


def test_the_same_texts_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        train_word_tokenizer(iter(TEXTS), tmp_path / name, vocabulary_size=90)
    for file in ("tokenizer.json", "sentencepiece.bpe.model"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_save_writes_what_was_read(tiny_tokenizer_directory: Path, tmp_path: Path) -> None:
    WordTokenizer.from_directory(tiny_tokenizer_directory).save(tmp_path)
    for file in tiny_tokenizer_directory.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), file.name


def test_tokenizer_json_alone_gives_the_same_pieces(
    tiny_tokenizer_directory: Path, tmp_path: Path
) -> None:
    shutil.copy(tiny_tokenizer_directory / "tokenizer.json", tmp_path)
    both, alone = (
        WordTokenizer.from_directory(path) for path in (tiny_tokenizer_directory, tmp_path)
    )
    texts = [*TEXTS, " Ｔｏｋｙｏ　 ist ﬁne ", "e\u0323\u0302", "\U000f0000x"]
    assert both.added == alone.added
    assert len(both) == len(alone)
    for one, other in zip(both.encode_words(texts), alone.encode_words(texts), strict=True):
        assert one.tolist() == other.tolist()


def test_both_halves_survive_saving(tiny_tokenizer_directory: Path, tmp_path: Path) -> None:
    names = ("[MASK]", "Q1490", "[PAD]", "[UNK]", "[MASK2]")
    entities = EntityVocabulary.write(
        tmp_path / "entities", [VocabularyRow(name, {}, 0) for name in names]
    )
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    EntityTokenizer(words, entities).save_pretrained(tmp_path / "saved")
    again = EntityTokenizer.from_pretrained(tmp_path / "saved")
    text = AnnotatedText(
        "Tokyo", "en", (Mention(0, 5, "Q1490"), Mention(0, 5), Mention(0, 5, "Q9"))
    )
    assert again(text).entity_ids.tolist() == [[1, 0, 3]]
    assert (
        again(text).input_ids.tolist() == EntityTokenizer(words, entities)(text).input_ids.tolist()
    )


def test_an_id_outside_the_table_is_an_input_error(tiny_tokenizer_directory: Path) -> None:
    words = WordTokenizer.from_directory(tiny_tokenizer_directory)
    with pytest.raises(InputError, match="no piece has id -1"):
        words.piece(-1)


def test_too_little_text_for_the_vocabulary_gives_fewer_pieces(tmp_path: Path) -> None:
    assert len(train_word_tokenizer(TEXTS, tmp_path, vocabulary_size=5000)) < 5000


@pytest.mark.parametrize(("texts", "size"), [([], 100), (TEXTS, 12), ([""], 100)])
def test_a_vocabulary_that_cannot_be_trained_is_a_config_error(
    texts: list[str], size: int, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=rf"no unigram with {size} pieces .* Choose another"):
        train_word_tokenizer(texts, tmp_path, vocabulary_size=size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "expected a Unigram model"),
        (b'{"model": null}', "expected a Unigram model"),
        (b'{"model": {"type": "BPE"}}', "expected a Unigram model"),
        (b'{"model": {"type": "Unigram"}}', "not a tokenizer definition"),
        (
            b'{"model": {"type": "Unigram", "vocab": [["a", 0.0]]}, "added_tokens": []}',
            "expected the piece '<s>' of XLM-R at id 0, found 'a'",
        ),
        (
            b'{"model": {"type": "Unigram", "vocab": [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0],'
            b'["<unk>", 0.0], ["a", 0.0]]}, "added_tokens": []}',
            "the piece '<mask>' .* is missing",
        ),
        (
            b'{"model": {"type": "Unigram", "vocab": []}, "normalizer": {"type": "Lowercase"},'
            b'"added_tokens": []}',
            "the normaliser 'Lowercase' is not XLM-R's",
        ),
    ],
)
def test_a_damaged_tokenizer_file_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(FormatError, match=message) as raised:
        WordTokenizer.from_directory(tmp_path)
    assert str(tmp_path / "tokenizer.json") in str(raised.value)


def test_a_directory_without_a_tokenizer_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no sentencepiece\.bpe\.model or tokenizer\.json"):
        WordTokenizer.from_directory(tmp_path)
