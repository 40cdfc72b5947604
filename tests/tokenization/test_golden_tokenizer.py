"""What transformers 4.57.6 says in 24 languages (tools/golden_tokenizer.py); its directories."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from exonym.foundation.errors import FormatError
from exonym.text import AnnotatedText, Mention
from exonym.tokenization import EntityTokenizer, WordTokenizer

GOLDEN = Path(__file__).parent / "golden"
STYLES = ("style2021", "style457")


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    with gzip.open(GOLDEN / "answers.json.gz") as stream:
        found: list[dict[str, Any]] = orjson.loads(stream.read())
    return found


@pytest.fixture(params=STYLES)
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A directory as transformers' users have it; opening it may write beside it."""
    return Path(shutil.copytree(GOLDEN / request.param, tmp_path / "checkpoint"))


def annotated(text: str, places: list[list[int]], keys: list[str] | None) -> AnnotatedText:
    pairs = zip(places, keys or [None] * len(places), strict=True)  # type: ignore[list-item]
    return AnnotatedText(text, "und", tuple(Mention(a, b, key) for (a, b), key in pairs))


def test_every_field_is_the_oracles(answers: list[dict[str, Any]], directory: Path) -> None:
    count = 0
    for group in answers:
        tokenizer = EntityTokenizer.from_pretrained(directory, boundary="hf", task=group["task"])
        for case, expected in zip(group["cases"], group["answers"], strict=True):
            text = annotated(case["text"], case.get("spans", []), case.get("entities"))
            pair = case.get("pair")
            if pair is not None:
                pair = annotated(pair, case.get("pair_spans", []), case.get("pair_entities"))
            most = case.get("options", {}).get("max_length", 10**6)
            batch = tokenizer(text, pair, max_length=most, overflow="cut")
            wanted = {name: value for name, value in expected.items() if value}
            if not expected.get("entity_ids", True):
                wanted = {name: wanted[name] for name in ("input_ids", "attention_mask")}
            found = {name: np.asarray(batch[name][0], dtype=int).tolist() for name in batch}
            assert found == wanted, case
            count += 1
    assert count > 1000


def test_what_is_saved_is_read_alike(directory: Path, tmp_path: Path) -> None:
    text = AnnotatedText("Tokyo 東京 <mask>", "en", (Mention(0, 5, "en:Tokyo"), Mention(6, 8)))
    one = EntityTokenizer.from_pretrained(directory, boundary="hf")
    one.save_pretrained(tmp_path / "saved")
    other = EntityTokenizer.from_pretrained(tmp_path / "saved", boundary="hf")
    assert one.words.added.ids == other.words.added.ids
    assert one.words.added.markers == other.words.added.markers
    for name, array in one(text).items():
        assert array.tolist() == other(text)[name].tolist()


def test_the_task_of_the_directory_is_the_default(directory: Path) -> None:
    config = orjson.loads((directory / "tokenizer_config.json").read_bytes())
    config["task"] = "entity_span_classification"
    (directory / "tokenizer_config.json").write_bytes(orjson.dumps(config))
    assert EntityTokenizer.from_pretrained(directory).task == "entity_span_classification"
    tokenizer = EntityTokenizer.from_pretrained(directory, task="entity_classification")
    assert tokenizer.task == "entity_classification"


def test_added_tokens_may_lie_anywhere_behind_the_pieces(directory: Path) -> None:
    size = WordTokenizer.from_directory(directory).mask_id + 1
    path = directory / "tokenizer_config.json"
    config = orjson.loads(path.read_bytes())
    tokens = config.pop("added_tokens_decoder", {})
    (directory / "added_tokens.json").write_bytes(
        orjson.dumps({"<x>": size, "<ent2>": size + 1, "<ent>": size + 2})
    )
    if tokens:
        kept = {i: token for i, token in tokens.items() if int(i) < size}
        for place, content in enumerate(("<x>", "<ent2>", "<ent>")):
            kept[str(size + place)] = {**tokens["0"], "content": content}
        config["added_tokens_decoder"] = kept
    path.write_bytes(orjson.dumps(config))
    words = WordTokenizer.from_directory(directory)
    assert len(words) == size + 3
    assert words.added.markers == (size + 2, size + 1)
    assert words.piece(size) == "<x>"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer_config.json", b"[]", "expected a JSON object"),
        ("tokenizer_config.json", b'{"added_tokens_decoder": {"x": {}}}', "cannot be read"),
        (
            "tokenizer_config.json",
            b'{"added_tokens_decoder": {"0": {"content": "<x>"}}}',
            "id 0 is claimed by '<x>' and '<s>'",
        ),
        (
            "tokenizer_config.json",
            b'{"added_tokens_decoder": {"1": {"content": "<s>"}, "9": {"content": "<pad>"}}}',
            "<s> has id 1, but 0 in XLM-R: so writes transformers 5",
        ),
        ("sentencepiece.bpe.model", b"no model", "not a SentencePiece model"),
        ("sentencepiece.bpe.model", b"", "expected the pieces"),
    ],
)
def test_a_damaged_file_is_named(name: str, content: bytes, message: str, directory: Path) -> None:
    (directory / name).write_bytes(content)
    with pytest.raises(FormatError, match=message) as raised:
        EntityTokenizer.from_pretrained(directory)
    assert str(directory) in str(raised.value)


def test_saving_again_replaces_what_was_saved_even_in_place(directory: Path) -> None:
    tokenizer = EntityTokenizer.from_pretrained(directory, boundary="hf")
    text = AnnotatedText("Tokyo", "en", (Mention(0, 5, "en:Tokyo"),))
    before = tokenizer(text)
    for _ in range(2):
        tokenizer.save_pretrained(directory)
        again = EntityTokenizer.from_pretrained(directory, boundary="hf")
        for name, array in before.items():
            assert array.tolist() == again(text)[name].tolist() == tokenizer(text)[name].tolist()


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"entity_vocab_size": 6}, r"the entity vocabulary has 7 rows, the table .* 6 \(entity_"),
        ({"vocab_size": 1000}, r"the word vocabulary has \d+ rows, the table .* 1000 \(vocab_size"),
    ],
)
def test_a_vocabulary_larger_than_the_models_table_is_refused(
    sizes: dict[str, int], message: str, directory: Path
) -> None:
    (directory / "config.json").write_bytes(orjson.dumps(sizes))
    with pytest.raises(FormatError, match=message):
        EntityTokenizer.from_pretrained(directory)
