"""The two forms of XLM-R's word pieces: SentencePiece's model file and ``tokenizer.json``.

Both hold the same unigram. SentencePiece puts three special pieces in front of its own; XLM-R puts
``<s> <pad> </s> <unk>`` in front and ``<mask>`` at the end, so that SentencePiece's piece number i
(from 3 on) has id i + 1.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from exonym.foundation.errors import FormatError
from exonym.foundation.files import JSON

FIRST_PIECES = ("<s>", "<pad>", "</s>", "<unk>")
MASK_PIECE = "<mask>"
SPECIAL_PIECES = (*FIRST_PIECES, MASK_PIECE)
SHIFT = 1
"""What XLM-R's id of a piece is more than SentencePiece's."""

_OWN_SPECIALS = ("<unk>", "<s>", "</s>")  # SentencePiece's pieces 0 to 2
_UNIGRAM, _NORMAL, _UNKNOWN, _CONTROL = 1, 1, 2, 3  # SentencePiece's enumerations


def parse_model(model: bytes) -> Any:
    """The protocol buffer of a SentencePiece model.

    Raises:
        FormatError: it is none, or not a unigram in the layout that XLM-R's ids are made from.
    """
    from google.protobuf.message import DecodeError
    from sentencepiece import sentencepiece_model_pb2

    try:
        proto = sentencepiece_model_pb2.ModelProto.FromString(model)  # type: ignore[attr-defined]
    except DecodeError as error:
        raise FormatError("not a SentencePiece model, or a damaged one") from error
    if proto.trainer_spec.model_type != _UNIGRAM:
        raise FormatError("expected a unigram model, as XLM-R has")
    first = tuple(piece.piece for piece in proto.pieces[:3])
    if first != _OWN_SPECIALS:
        raise FormatError(f"expected the pieces {_OWN_SPECIALS} first, found {first}")
    return proto


def model_of(definition: Any) -> bytes:
    """The SentencePiece model that a ``tokenizer.json`` was made from.

    Raises:
        FormatError: not a unigram tokenizer in XLM-R's layout.
    """
    from sentencepiece import sentencepiece_model_pb2

    unigram = definition.get("model") if isinstance(definition, dict) else None
    if not isinstance(unigram, dict) or unigram.get("type") != "Unigram":
        raise FormatError("expected a Unigram model, as XLM-R has")
    try:
        vocabulary = [(str(piece), float(score)) for piece, score in unigram["vocab"]]
        charsmap = _charsmap(definition.get("normalizer"))
        added = {str(token["content"]): int(token["id"]) for token in definition["added_tokens"]}
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise FormatError(f"not a tokenizer definition ({error!r})") from error
    _check_layout([piece for piece, _ in vocabulary], added)
    proto = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    for piece, kind in zip(_OWN_SPECIALS, (_UNKNOWN, _CONTROL, _CONTROL), strict=True):
        proto.pieces.add(piece=piece, score=0.0, type=kind)
    for piece, score in vocabulary[len(FIRST_PIECES) :]:
        if piece != MASK_PIECE:
            proto.pieces.add(piece=piece, score=score, type=_NORMAL)
    proto.trainer_spec.model_type = _UNIGRAM
    proto.trainer_spec.vocab_size = len(proto.pieces)
    normalizer = proto.normalizer_spec
    normalizer.name, normalizer.precompiled_charsmap = "nmt_nfkc", charsmap
    normalizer.add_dummy_prefix = normalizer.remove_extra_whitespaces = True
    normalizer.escape_whitespaces = True
    return bytes(proto.SerializeToString(deterministic=True))


def _check_layout(pieces: Sequence[str], added: dict[str, int]) -> None:
    for place, piece in enumerate(FIRST_PIECES):
        if pieces[place : place + 1] != [piece]:
            found = pieces[place] if place < len(pieces) else None
            raise FormatError(
                f"expected the piece {piece!r} of XLM-R at id {place}, found {found!r}"
            )
    last = len(pieces) - 1 if pieces[-1] == MASK_PIECE else len(pieces)
    if last == len(pieces) and added.get(MASK_PIECE) != last:
        raise FormatError(
            f"the piece {MASK_PIECE!r} of XLM-R's layout is missing behind the others"
        )


def _charsmap(normalizer: Any) -> bytes:
    """SentencePiece's table of characters in the normaliser; nothing where there is none."""
    if normalizer is None:
        return b""
    if normalizer["type"] == "Precompiled":
        return base64.b64decode(normalizer["precompiled_charsmap"], validate=True)
    if normalizer["type"] == "Sequence":
        tables = [_charsmap(part) for part in normalizer["normalizers"]]
        return next((table for table in tables if table), b"")
    if normalizer["type"] in ("Replace", "Strip", "Prepend"):
        return b""  # blanks, which SentencePiece's own rules cover
    raise FormatError(f"the normaliser {normalizer['type']!r} is not XLM-R's")


def definition_of(model: bytes, added_tokens: Sequence[JSON]) -> JSON:
    """The content of ``tokenizer.json`` for a SentencePiece model.

    Args:
        model: the serialised SentencePiece model.
        added_tokens: the entries of ``added_tokens``, special pieces included.

    Raises:
        FormatError: the model is no unigram in the expected layout.
    """
    proto = parse_model(model)
    charsmap = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    blanks = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    normalizers = [{"type": "Precompiled", "precompiled_charsmap": charsmap}] if charsmap else []
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": list(added_tokens),
        "normalizer": {"type": "Sequence", "normalizers": [*normalizers, blanks]},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": _template("<s>", "A", "</s>"),
            "pair": _template("<s>", "A", "</s>", "</s>", "B", "</s>"),
            "special_tokens": {
                piece: {"id": piece, "ids": [FIRST_PIECES.index(piece)], "tokens": [piece]}
                for piece in ("</s>", "<s>")
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": FIRST_PIECES.index("<unk>"),
            "vocab": [
                *([piece, 0.0] for piece in FIRST_PIECES),
                *([piece.piece, piece.score] for piece in proto.pieces[len(_OWN_SPECIALS) :]),
                [MASK_PIECE, 0.0],
            ],
            "byte_fallback": False,
        },
    }


def _template(*parts: str) -> list[JSON]:
    return [
        {"Sequence" if part in "AB" else "SpecialToken": {"id": part, "type_id": 0}}
        for part in parts
    ]


def continuing(model: bytes) -> bytes:
    """The same model without the "▁" that SentencePiece puts before every text."""
    proto = parse_model(model)
    proto.normalizer_spec.add_dummy_prefix = False
    return bytes(proto.SerializeToString())
