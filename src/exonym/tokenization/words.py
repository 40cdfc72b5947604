"""Word pieces: a SentencePiece unigram in XLM-R's id layout, cut exactly at mention borders.

The layout (fixed by XLM-R): ``<s>`` 0, ``<pad>`` 1, ``</s>`` 2, ``<unk>`` 3, the pieces, ``<mask>``
behind the last piece, then added tokens such as ``<ent>``.

SentencePiece itself does the work, since its normalisation is the reference: the twin in the
`tokenizers` library looks at one grapheme at a time and loses accents of decomposed text.
"""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
import sentencepiece

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import atomic_file, read_json, write_json
from exonym.tokenization.added import (
    ADDED_TOKENS_FILE,
    SPECIAL_TOKENS_FILE,
    TOKENIZER_CONFIG_FILE,
    TOKENIZER_FILE,
    AddedTokens,
    read_added_tokens,
    special_tokens_map,
    tokenizer_config,
)
from exonym.tokenization.layout import (
    FIRST_PIECES,
    MASK_PIECE,
    SHIFT,
    SPECIAL_PIECES,
    continuing,
    definition_of,
    model_of,
    parse_model,
)
from exonym.tokenization.offsets import Normaliser, PieceTable, Places, piece_offsets

SENTENCEPIECE_FILE = "sentencepiece.bpe.model"  # the name that XLM-R's repositories use
TOKENIZER_FILES = (
    SENTENCEPIECE_FILE,
    TOKENIZER_FILE,
    TOKENIZER_CONFIG_FILE,
    SPECIAL_TOKENS_FILE,
    ADDED_TOKENS_FILE,
)
_SMALL = 6_000  # characters that are not worth a second thread

Ids = npt.NDArray[np.int32]


class Pieces:
    """The pieces of several stretches of text, one stretch after the other.

    Args:
        ids: (pieces,) word ids.
        starts: (stretches + 1,) where each stretch's pieces begin, and their number.
        offsets: makes what `offsets` gives, when it is first asked for.
    """

    def __init__(self, ids: Ids, starts: Places, offsets: Callable[[], Ids]) -> None:
        self.ids, self.starts, self._count = ids, starts, offsets

    @cached_property
    def offsets(self) -> Ids:
        """(pieces, 2) characters [start, end) of each piece within its stretch."""
        return self._count()


class WordTokenizer:
    """The word side of `EntityTokenizer`.

    Args:
        model: a serialised SentencePiece unigram model.
        added: added tokens and their ids; None for ``<ent>`` and ``<ent2>`` behind ``<mask>``.

    Raises:
        FormatError: not a unigram, or not in the layout of XLM-R.
    """

    def __init__(self, model: bytes, added: AddedTokens | None = None) -> None:
        parse_model(model)
        self._model = model
        self._starting = _processor(model)
        self.mask_id = len(self._starting) + SHIFT
        self.bos_id, self.pad_id, self.eos_id, self.unk_id = range(len(FIRST_PIECES))
        self.added = added or read_added_tokens(None, self._piece_id, self.mask_id + 1)

    @classmethod
    def from_directory(cls, directory: Path) -> WordTokenizer:
        """Read ``sentencepiece.bpe.model``, or ``tokenizer.json`` where that is all there is.

        Raises:
            InputError: there is neither.
            FormatError: a file is damaged, or not a tokenizer in XLM-R's layout.
        """
        directory = Path(directory)
        path = directory / SENTENCEPIECE_FILE
        try:
            if path.is_file():
                words = cls(path.read_bytes())
            elif (path := directory / TOKENIZER_FILE).is_file():
                words = cls(model_of(read_json(path)))
            else:
                raise InputError(
                    f"no {SENTENCEPIECE_FILE} or {TOKENIZER_FILE} here",
                    where=directory,
                    remedy="Copy all files of the model, its tokenizer's too",
                )
        except FormatError as error:
            remedy = error.remedy or "Fetch the file again"
            raise FormatError(error.what, where=error.where or path, remedy=remedy) from error
        words.added = read_added_tokens(directory, words._piece_id, words.mask_id + 1)
        words._require_layout(directory)
        return words

    def _require_layout(self, directory: Path) -> None:
        """Refuse added tokens that give XLM-R's special pieces other ids than the model."""
        for piece in SPECIAL_PIECES:
            found, expected = self.added.ids.get(piece), self._piece_id(piece)
            if found is not None and found != expected:
                raise FormatError(
                    f"{piece} has id {found}, but {expected} in XLM-R: so writes transformers 5",
                    where=directory,
                    remedy=f"Delete {TOKENIZER_CONFIG_FILE} and {TOKENIZER_FILE}, and put the "
                    f"original {SENTENCEPIECE_FILE} in their place",
                )

    def save(self, directory: Path, **fields: object) -> None:
        """Write the files of XLM-R's and mLUKE's repositories into a directory.

        Args:
            directory: an existing directory.
            **fields: what else ``tokenizer_config.json`` should say.
        """
        directory = Path(directory)
        with atomic_file(directory / SENTENCEPIECE_FILE) as stream:
            stream.write(self._model)
        with atomic_file(directory / TOKENIZER_FILE) as stream:
            tokens = [{"id": i, **token.to_json()} for i, token in self.added.by_id.items()]
            stream.write(orjson.dumps(definition_of(self._model, tokens)))
        write_json(directory / TOKENIZER_CONFIG_FILE, tokenizer_config(self.added, **fields))
        write_json(directory / SPECIAL_TOKENS_FILE, special_tokens_map(self.added))

    def __reduce__(self) -> tuple[Callable[..., WordTokenizer], tuple[bytes, AddedTokens]]:
        return WordTokenizer, (self._model, self.added)

    def __len__(self) -> int:
        """The number of ids, added tokens included."""
        return max(self.mask_id, *self.added.by_id) + 1

    def piece(self, identifier: int) -> str:
        """The piece of an id; ``"▁"`` marks a word start."""
        if token := self.added.by_id.get(identifier):
            return token.content
        if not len(FIRST_PIECES) <= identifier < self.mask_id:
            raise InputError(f"no piece has id {identifier}; ids run from 0 to {len(self) - 1}")
        return str(self._starting.id_to_piece(identifier - SHIFT))

    def decode(self, identifiers: Sequence[int]) -> str:
        """Readable text of pieces; for display, not lossless."""
        return "".join(self.piece(int(i)) for i in identifiers).replace("▁", " ").strip()

    def encode(
        self,
        stretches: Sequence[str],
        starting: Sequence[bool],
        *,
        fixed: Mapping[int, int] | None = None,
        threads: int | None = None,
    ) -> Pieces:
        """Encode stretches of text, without special pieces.

        Args:
            stretches: texts, or parts of them.
            starting: whether each begins a word, so that its first piece gets "▁". Of running text
                cut in two, the second part begins one where it starts with a blank.
            fixed: ids of stretches that are added tokens, by their place.
            threads: None: as many as there are processors, where the texts are worth it.

        Raises:
            InputError: a stretch is no Unicode text (it has half of a surrogate pair).
        """
        fixed = fixed or {}
        ids = self._encoded(stretches, starting, threads)
        for place, identifier in fixed.items():
            ids[place] = [identifier - SHIFT]
        starts = np.zeros(len(stretches) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, ids), np.int64, len(ids)), out=starts[1:])
        flat = np.fromiter(itertools.chain.from_iterable(ids), np.int32, int(starts[-1]))
        # SentencePiece's <unk> is 0.
        flat = np.where(flat == 0, np.int32(self.unk_id), flat + np.int32(SHIFT))

        def offsets() -> Ids:
            normaliser = Normaliser(self._starting, self._continuing, self.blanks)
            return piece_offsets(stretches, starting, flat, starts, normaliser, self._table, fixed)

        return Pieces(flat, starts, offsets)

    def encode_words(self, texts: Sequence[str]) -> list[Ids]:
        """Word ids of whole texts without mentions, without special pieces."""
        return self.encode_stretches(texts, [True] * len(texts))

    def encode_stretches(self, stretches: Sequence[str], starting: Sequence[bool]) -> list[Ids]:
        """Word ids of each stretch; see `encode`."""
        pieces = self.encode(stretches, starting)
        return np.split(pieces.ids, pieces.starts[1:-1]) if stretches else []

    def _encoded(
        self, stretches: Sequence[str], starting: Sequence[bool], threads: int | None
    ) -> list[list[int]]:
        """SentencePiece's ids of every stretch."""
        try:
            if all(starting):
                return _encode(self._starting, list(stretches), threads)
            encoded: list[list[int]] = [[]] * len(stretches)
            for flag in (True, False):
                places = [place for place, chosen in enumerate(starting) if chosen is flag]
                processor = self._starting if flag else self._continuing
                found = _encode(processor, [stretches[place] for place in places], threads)
                for place, ids in zip(places, found, strict=True):
                    encoded[place] = ids
        except TypeError as error:
            _refuse_surrogates(stretches)
            raise error
        return encoded

    @cached_property
    def _continuing(self) -> sentencepiece.SentencePieceProcessor:
        return _processor(continuing(self._model))

    @cached_property
    def _table(self) -> PieceTable:
        pieces = self._starting.id_to_piece(list(range(len(self._starting))))
        return PieceTable.of(pieces, shift=SHIFT, unknown=self.unk_id)

    @cached_property
    def spaces(self) -> frozenset[str]:
        """The characters that the normalisation makes a blank; more than white space."""
        between = self._starting.normalize([f"a{c}a" for c in self.blanks])
        return frozenset(c for c, text in zip(self.blanks, between, strict=True) if text == "▁a▁a")

    @cached_property
    def blanks(self) -> frozenset[str]:
        """The characters that the normalisation makes a blank or drops."""
        kinds = ("Cc", "Cf", "Zs", "Zl", "Zp")
        candidates = [c for c in map(chr, range(0x10000)) if unicodedata.category(c) in kinds]
        candidates += ["\u2581", "\ufffd"]
        normal = self._starting.normalize(candidates)
        return frozenset(c for c, text in zip(candidates, normal, strict=True) if not text)

    def _piece_id(self, piece: str) -> int | None:
        """The id of a piece, not counting added tokens."""
        if piece in FIRST_PIECES:
            return FIRST_PIECES.index(piece)
        if piece == MASK_PIECE:
            return self.mask_id
        identifier = int(self._starting.piece_to_id(piece))
        return identifier + SHIFT if identifier else None


def _processor(model: bytes) -> sentencepiece.SentencePieceProcessor:
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def _encode(
    processor: sentencepiece.SentencePieceProcessor, texts: list[str], threads: int | None
) -> list[list[int]]:
    # Lists, since most stretches are short and an array each would take longer than encoding.
    if threads is None:
        threads = (os.cpu_count() or 1) if sum(map(len, texts)) > _SMALL else 1
    return list(processor.encode(texts, out_type=int, num_threads=threads))


def _refuse_surrogates(texts: Sequence[str]) -> None:
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"the text has half of a surrogate pair, which is no character: "
                f"{text[max(error.start - 10, 0) : error.end + 10]!r}"
            ) from error
