"""Self-test of a checkpoint's ids: word pieces, markers, entity rows, against the tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from exonym.foundation.errors import ExonymError
from exonym.foundation.files import JSON, read_json
from exonym.knowledge import EntityVocabulary
from exonym.knowledge.vocabulary import SPECIAL_ENTITIES
from exonym.modeling.config import EncoderConfig
from exonym.modeling.inspection import TRANSFORMERS_5, tokenizer_style
from exonym.tokenization import WordTokenizer
from exonym.tokenization.added import TOKENIZER_CONFIG_FILE, TOKENIZER_FILE
from exonym.tokenization.layout import FIRST_PIECES
from exonym.tokenization.tokenizer import ENTITY_DIRECTORY, ENTITY_FILE
from exonym.tokenization.words import SENTENCEPIECE_FILE, TOKENIZER_FILES

OK, WARNING, FAIL = "ok", "warning", "FAIL"

_SHIFTED = ["<unk>", "<s>", "</s>"]  # the first pieces of a tokenizer.json of transformers 5
_RESTORE = (
    f"Put {SENTENCEPIECE_FILE} of the model it came from here, and delete {TOKENIZER_FILE} and "
    f"{TOKENIZER_CONFIG_FILE}"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Args:
        verdict: `OK`, `WARNING` or `FAIL`.
        subject: what was checked.
        text: what was found, and what to do about it.
    """

    verdict: str
    subject: str
    text: str

    def to_json(self) -> JSON:
        """The same as plain values."""
        return {"verdict": self.verdict, "subject": self.subject, "text": self.text}


def check_words(
    directory: Path, config: EncoderConfig
) -> tuple[list[Finding], WordTokenizer | None]:
    """Check the word ids; also gives the tokenizer, if it can be read."""
    if not any((directory / name).is_file() for name in TOKENIZER_FILES):
        return [Finding(WARNING, "word ids", "not checked: no tokenizer here")], None
    try:
        words = WordTokenizer.from_directory(directory)
    except ExonymError as error:
        return [Finding(FAIL, "word ids", _why_unreadable(directory, error))], None
    findings = [_layout(words), _table(words, config), _markers(words, config)]
    if all((directory / name).is_file() for name in (SENTENCEPIECE_FILE, TOKENIZER_FILE)):
        findings.append(_second_form(words, directory))
    return findings, words


def _why_unreadable(directory: Path, error: ExonymError) -> str:
    pieces, _ = _pieces_of(directory)
    if pieces[:3] == _SHIFTED:
        return _shifted(pieces)
    if tokenizer_style(directory) == TRANSFORMERS_5:
        return f"{error}. {TOKENIZER_CONFIG_FILE} is of {TRANSFORMERS_5}. {_RESTORE}"
    return str(error)


def _shifted(pieces: list[str]) -> str:
    shown = f"{pieces[3]!r} is 3" if len(pieces) > 3 else "the first piece is 3"
    return (
        f"{TOKENIZER_FILE} was written by {TRANSFORMERS_5}, whose word ids are off by one: "
        f"<unk> is 0 and {shown}, where XLM-R has 3 and 4; <pad> is no longer 1, and text is not "
        f"normalised. {_RESTORE}"
    )


def _pieces_of(directory: Path) -> tuple[list[str], list[JSON]]:
    """The pieces and the added tokens in ``tokenizer.json``; nothing where it is not readable."""
    try:
        content = read_json(directory / TOKENIZER_FILE)
        pieces = [str(piece) for piece, _ in content["model"]["vocab"]]
        return pieces, list(content.get("added_tokens", ()))
    except (ExonymError, KeyError, TypeError, ValueError):
        return [], []


def _layout(words: WordTokenizer) -> Finding:
    """What the layout is; reading the tokenizer has made sure that it is XLM-R's."""
    return Finding(
        OK,
        "word ids",
        f"XLM-R's layout: <s> 0, <pad> 1, </s> 2, <unk> 3, <mask> {words.mask_id} behind "
        f"{words.mask_id - len(FIRST_PIECES):,} pieces",
    )


def _table(words: WordTokenizer, config: EncoderConfig) -> Finding:
    if config.pad_token_id != words.pad_id:
        return Finding(
            FAIL,
            "word table",
            f"config.json has pad_token_id {config.pad_token_id}, the tokenizer pads with "
            f"{words.pad_id}; positions are counted from it",
        )
    ids, rows = len(words), config.vocab_size
    if ids > rows:
        return Finding(
            FAIL,
            "word table",
            f"the tokenizer has {ids:,} ids, the table {rows:,} rows: {words.piece(rows)!r} and "
            f"what follows have none",
        )
    spare = f"; {rows - ids} rows are spare" if rows > ids else ""
    return Finding(OK, "word table", f"{rows:,} rows for {ids:,} ids{spare}")


def _markers(words: WordTokenizer, config: EncoderConfig) -> Finding:
    first, second = words.added.markers
    shown = f"{words.piece(first)} {first}, {words.piece(second)} {second}"
    if max(first, second) >= config.vocab_size:
        return Finding(FAIL, "markers", f"{shown}: beyond the table's {config.vocab_size:,} rows")
    if (first, second) != (words.mask_id + 1, words.mask_id + 2):
        return Finding(
            WARNING,
            "markers",
            f"{shown}; released checkpoints have them right behind <mask> ({words.mask_id})",
        )
    return Finding(OK, "markers", f"{shown}, inside the table")


def _second_form(words: WordTokenizer, directory: Path) -> Finding:
    """``tokenizer.json`` beside ``sentencepiece.bpe.model`` says the same."""
    pieces, _ = _pieces_of(directory)
    own = [words.piece(identifier) for identifier in range(words.mask_id)]
    if pieces[: words.mask_id] == own:
        return Finding(OK, TOKENIZER_FILE, f"the same pieces as {SENTENCEPIECE_FILE}")
    text = (
        _shifted(pieces)
        if pieces[:3] == _SHIFTED
        else f"{TOKENIZER_FILE} has other pieces than {SENTENCEPIECE_FILE}, or cannot be read"
    )
    return Finding(
        WARNING,
        TOKENIZER_FILE,
        f"Exonym reads {SENTENCEPIECE_FILE}, but {text[0].lower() + text[1:]}",
    )


def check_entities(
    directory: Path, config: EncoderConfig, tensors: Mapping[str, Tensor]
) -> tuple[list[Finding], EntityVocabulary | None]:
    """Check the entity rows; also gives the vocabulary, if it can be read.

    Args:
        directory: of the checkpoint.
        config: its shape.
        tensors: under the names of a model with a head.
    """
    if not any((directory / name).exists() for name in (ENTITY_DIRECTORY, ENTITY_FILE)):
        return [_without_vocabulary(directory)], None
    try:
        vocabulary = EntityVocabulary.from_pretrained(directory)
    except ExonymError as error:
        return [Finding(FAIL, "entity rows", str(error))], None
    rows = _rows(vocabulary, config)
    if rows.verdict == FAIL:
        return [rows], vocabulary
    return [rows, *_special_vectors(vocabulary, tensors)], vocabulary


def _without_vocabulary(directory: Path) -> Finding:
    content: Any = {}
    if tokenizer_style(directory) == TRANSFORMERS_5:
        content = read_json(directory / TOKENIZER_CONFIG_FILE)
    if "entity_vocab" in content:
        return Finding(
            FAIL,
            "entity rows",
            f"{TRANSFORMERS_5} has put the entity vocabulary into {TOKENIZER_CONFIG_FILE}. Put "
            f"{ENTITY_FILE} of the model it came from here",
        )
    return Finding(
        WARNING,
        "entity rows",
        f"not checked: no entity vocabulary here (neither {ENTITY_DIRECTORY}/ nor {ENTITY_FILE})",
    )


def _rows(vocabulary: EntityVocabulary, config: EncoderConfig) -> Finding:
    have, table = len(vocabulary), config.entity_vocab_size
    special = dict(zip(SPECIAL_ENTITIES, vocabulary.special_rows, strict=True))
    shown = ", ".join(f"{name} {row}" for name, row in special.items())
    if have > table:
        return Finding(
            FAIL,
            "entity rows",
            f"the vocabulary has {have:,} rows, the table {table:,}: they do not belong together",
        )
    if len(set(special.values())) < len(special):
        return Finding(FAIL, "entity rows", f"special entities share a row: {shown}")
    if have < table:
        return Finding(
            WARNING,
            "entity rows",
            f"the vocabulary has {have:,} rows, the table {table:,}; the last {table - have:,} "
            f"stand for no entity; {shown}",
        )
    return Finding(OK, "entity rows", f"{have:,}, as many as the table has; {shown}")


def _special_vectors(
    vocabulary: EntityVocabulary, tensors: Mapping[str, Tensor]
) -> Iterator[Finding]:
    """[UNK], [MASK] and [MASK2] have vectors that say something."""
    table = tensors.get("luke.entity_embeddings.entity_embeddings.weight")
    if table is None or table.shape[0] <= max(vocabulary.special_rows):
        return  # said by the check of tensors
    rows = dict(zip(SPECIAL_ENTITIES, vocabulary.special_rows, strict=True))
    del rows["[PAD]"]
    empty = {name: row for name, row in rows.items() if not bool(torch.any(table[row] != 0))}
    if not empty:
        yield Finding(OK, "special entities", f"{', '.join(rows)} have vectors")
    for name, row in empty.items():
        why = "as in a new model of transformers, which begins with zeros in row 0"
        yield Finding(
            WARNING if row == 0 or name == "[UNK]" else FAIL,
            "special entities",
            f"the vector of {name} (row {row}) is all zeros" + (f", {why}" if row == 0 else ""),
        )
