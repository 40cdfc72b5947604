"""Word pieces: a SentencePiece unigram in XLM-R's id layout, cut exactly at mention borders.

The layout (fixed by XLM-R): ``<s>`` 0, ``<pad>`` 1, ``</s>`` 2, ``<unk>`` 3, the pieces, and
``<mask>`` behind the last piece (added tokens such as ``<ent>`` may follow).

The public mLUKE tokenizer encodes every stretch between mention borders as if it stood alone, so
a word-start piece ("▁") appears at a border inside a word or in unspaced text; in pretraining none
did. `WordTokenizer.encode_segments` keeps the pretraining behaviour: "▁" only where a blank is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from tokenizers import Encoding, Tokenizer

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import atomic_file, read_json

TOKENIZER_FILE = "tokenizer.json"
SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


class WordTokenizer:
    """The word side of `EntityTokenizer`.

    Args:
        definition: the parsed content of a ``tokenizer.json`` with XLM-R's pieces.

    Raises:
        FormatError: not a unigram tokenizer, or one of XLM-R's special pieces is missing.
    """

    def __init__(self, definition: dict[str, Any]) -> None:
        model = definition.get("model") if isinstance(definition, dict) else None
        if not isinstance(model, dict) or model.get("type") != "Unigram":
            raise FormatError("expected a Unigram model, as XLM-R has")
        self._definition = definition
        try:
            self._pieces = _pieces(definition)
        except (KeyError, TypeError, ValueError) as error:
            raise FormatError(f"not a tokenizer definition ({error!r})") from error
        identifiers = {piece: identifier for identifier, piece in enumerate(self._pieces)}
        missing = [piece for piece in SPECIAL_PIECES if piece not in identifiers]
        if missing:
            raise FormatError(f"the piece {missing[0]!r} of XLM-R's layout is missing")
        self.bos_id, self.pad_id, self.eos_id, self.unk_id, self.mask_id = (
            identifiers[piece] for piece in SPECIAL_PIECES
        )
        self._tokenizer = _continuing(definition)
        self.blanks = _blanks(self._tokenizer)

    @classmethod
    def from_directory(cls, directory: Path) -> WordTokenizer:
        """Read ``tokenizer.json``.

        Raises:
            InputError: there is no such file.
            FormatError: it is not a tokenizer in XLM-R's layout.
        """
        path = Path(directory) / TOKENIZER_FILE
        if not path.is_file():
            raise InputError(f"no {TOKENIZER_FILE} here", where=directory)
        try:
            return cls(read_json(path))
        except FormatError as error:
            raise FormatError(error.what, where=path) from error

    def save(self, directory: Path) -> None:
        """Write ``tokenizer.json`` into a directory."""
        with atomic_file(Path(directory) / TOKENIZER_FILE) as stream:
            stream.write(orjson.dumps(self._definition, option=orjson.OPT_INDENT_2))

    def __len__(self) -> int:
        """The number of ids, added tokens included."""
        return len(self._pieces)

    def piece(self, identifier: int) -> str:
        """The piece of an id; ``"▁"`` marks a word start."""
        if not 0 <= identifier < len(self):
            raise InputError(f"no piece has id {identifier}; ids run from 0 to {len(self) - 1}")
        return self._pieces[identifier]

    def decode(self, identifiers: Sequence[int]) -> str:
        """Readable text of pieces; for display, not lossless."""
        return "".join(self.piece(i) for i in identifiers).replace("▁", " ").strip()

    def encode_segments(self, segments: Sequence[str]) -> list[Encoding]:
        """Encode stretches of running text, without special pieces.

        A stretch starts with "▁" only if it starts with a blank, so the concatenated pieces of
        consecutive stretches of a text that begins with a blank are pieces of the whole text.
        Blanks at its end give no piece.
        """
        return list(self._tokenizer.encode_batch(list(segments), add_special_tokens=False))

    def encode_words(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """Word ids of whole texts without mentions, without special pieces."""
        encodings = self.encode_segments([" " + text for text in texts])
        return [np.asarray(encoding.ids, dtype=np.int32) for encoding in encodings]


def _pieces(definition: dict[str, Any]) -> list[str]:
    """All pieces by id; added tokens may lie behind the model's own."""
    pieces = [str(piece) for piece, _ in definition["model"]["vocab"]]
    added = {token["id"]: str(token["content"]) for token in definition.get("added_tokens", ())}
    for identifier in sorted(added):
        if identifier == len(pieces):
            pieces.append(added[identifier])
    return pieces


def _continuing(definition: dict[str, Any]) -> Tokenizer:
    """The same model, but "▁" stands for blanks that are there, and none is put in front."""
    changed = dict(definition)
    normalizers = [definition["normalizer"]] if definition.get("normalizer") else []
    collapse = {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "}
    strip = {"type": "Strip", "strip_left": False, "strip_right": True}
    changed["normalizer"] = {"type": "Sequence", "normalizers": [*normalizers, collapse, strip]}
    changed["pre_tokenizer"] = {
        "type": "Metaspace",
        "replacement": "▁",
        "prepend_scheme": "never",
        "split": True,
    }
    changed["post_processor"] = changed["truncation"] = changed["padding"] = None
    # "<mask>" typed by a user is text; only we put special pieces in. No blank survives the
    # pre-tokeniser, so no text matches the renamed pieces.
    changed["added_tokens"] = []
    vocabulary = [
        [" " + piece if piece in SPECIAL_PIECES else piece, score]
        for piece, score in definition["model"]["vocab"]
    ]
    changed["model"] = {**definition["model"], "vocab": vocabulary}
    try:
        return Tokenizer.from_str(orjson.dumps(changed).decode())
    except Exception as error:  # the library raises bare Exception for whatever it cannot parse
        raise FormatError(f"not a tokenizer definition ({error})") from error


def _blanks(tokenizer: Tokenizer) -> str:
    """The characters that the normalisation makes blank or drops; more than white space."""
    kinds = ("Cc", "Cf", "Zs", "Zl", "Zp")
    candidates = [c for c in map(chr, range(0x10000)) if unicodedata.category(c) in kinds]
    normalizer = tokenizer.normalizer
    return "".join(
        c for c in [*candidates, "\u2581", "\ufffd"] if not normalizer.normalize_str(c).strip()
    )


def trim_blanks(text: str, start: int, end: int, blanks: str) -> tuple[int, int]:
    """Shrink a span so that it neither starts nor ends with a blank (may become empty)."""
    stretch = text[start:end].rstrip(blanks)
    if not stretch.lstrip(blanks):
        return start, start
    return start + len(stretch) - len(stretch.lstrip(blanks)), start + len(stretch)
