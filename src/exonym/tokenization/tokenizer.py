"""`EntityTokenizer`: annotated text to word ids, entity rows and exact offsets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from tokenizers import Encoding

from exonym.foundation.errors import InputError
from exonym.text import AnnotatedText, Mention
from exonym.tokenization.encoded import EncodedBatch, EncodedText, Ids, pad_texts
from exonym.tokenization.words import WordTokenizer, trim_blanks

if TYPE_CHECKING:
    from exonym.knowledge import EntityVocabulary

ENTITY_DIRECTORY = "entities"
MOST_POSITIONS = 30  # positions kept per mention: the paper, section 3.1

Overflow = Literal["error", "cut"]


class EntityTokenizer:
    """Turns `AnnotatedText` into what `EntityEncoder` takes.

    No piece crosses a mention border, and no word-start piece is put in at a border inside
    running text (the behaviour that mLUKE was pretrained with).

    Args:
        words: the word pieces.
        entities: the entity rows; a mention whose entity is unknown to it gets ``[UNK]``, one
            without an entity gets ``[MASK]``.
    """

    def __init__(self, words: WordTokenizer, entities: EntityVocabulary) -> None:
        self.words, self.entities = words, entities

    @classmethod
    def from_pretrained(cls, directory: str | Path) -> EntityTokenizer:
        """Open the tokenizer of a checkpoint or corpus directory.

        Raises:
            InputError: the directory has no tokenizer or no entity vocabulary.
        """
        from exonym.knowledge import EntityVocabulary

        directory = Path(directory)
        words = WordTokenizer.from_directory(directory)
        return cls(words, EntityVocabulary.open(directory / ENTITY_DIRECTORY))

    def save_pretrained(self, directory: str | Path) -> None:
        """Write both halves into a checkpoint directory."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.words.save(directory)
        self.entities.copy_to(directory / ENTITY_DIRECTORY)

    def __call__(
        self,
        texts: AnnotatedText | Sequence[AnnotatedText],
        *,
        max_length: int = 512,
        overflow: Overflow = "error",
    ) -> EncodedBatch:
        """Encode and pad; see `encode`. The result's ``texts`` carry offsets and cut counts."""
        if isinstance(texts, AnnotatedText):
            texts = [texts]
        encoded = list(self.encode(texts, max_length=max_length, overflow=overflow))
        return pad_texts(
            encoded,
            pad_id=self.words.pad_id,
            pad_row=self.entities.pad_row,
            most_positions=MOST_POSITIONS,
        )

    def encode(
        self, texts: Sequence[AnnotatedText], *, max_length: int = 512, overflow: Overflow = "error"
    ) -> Iterator[EncodedText]:
        """Encode texts one by one, unpadded.

        Args:
            texts: with mentions; overlapping ones are fine.
            max_length: most pieces, ``<s>`` and ``</s>`` included.
            overflow: what to do with a longer text: ``"error"``, or ``"cut"`` its end, which the
                result counts in ``cut_pieces`` and ``cut_mentions``.

        Raises:
            InputError: a text is too long (``overflow="error"``), or a mention covers nothing
                that has a piece (only blanks, say).
        """
        for plan, pieces in self._planned(texts):
            ids = [i for piece in pieces for i in piece.ids]
            ids = [self.words.bos_id, *ids, self.words.eos_id]
            yield self._encoded(
                plan, ids, plan.piece_spans(pieces), plan.offsets(pieces), max_length, overflow
            )

    def pieces(self, texts: Sequence[AnnotatedText]) -> Iterator[tuple[Ids, Ids]]:
        """The bare pieces of each text, for building corpora: no special pieces, no offsets.

        Yields:
            (words,) piece ids and (mentions, 2) pieces [start, end) of every mention; the span
            of a mention that has no piece is empty.
        """
        for plan, encodings in self._planned(texts):
            ids = np.fromiter((i for piece in encodings for i in piece.ids), np.int32)
            yield ids, plan.piece_spans(encodings)

    def _planned(self, texts: Sequence[AnnotatedText]) -> Iterator[tuple[_Plan, list[Encoding]]]:
        segments: list[str] = []
        plans = [_Plan(text, self.words.blanks, segments) for text in texts]
        encodings = self.words.encode_segments(segments)
        for plan in plans:
            yield plan, encodings[plan.first : plan.first + len(plan.borders) - 1]

    def _encoded(
        self,
        plan: _Plan,
        ids: list[int],
        spans: Ids,
        offsets: Ids,
        max_length: int,
        overflow: Overflow,
    ) -> EncodedText:
        text = plan.text
        spans = spans + 1  # behind <s>
        for mention, (start, end) in zip(text.mentions, spans, strict=True):
            if start == end:
                raise InputError(
                    f"the mention [{mention.start}, {mention.end}) {text.surface(mention)!r} has "
                    f"no piece; leave it out",
                    where=text.source,
                )
        if max_length < 2:
            raise InputError(f"max_length must leave room for <s> and </s>, got {max_length}")
        cut = max(len(ids) - max_length, 0)
        keep = np.arange(len(text.mentions), dtype=np.int32)
        if cut:
            if overflow == "error":
                raise InputError(
                    f"the text has {len(ids)} pieces, more than max_length={max_length}",
                    where=text.source,
                    remedy='Pass overflow="cut", or a shorter text',
                )
            ids = [*ids[: max_length - 1], self.words.eos_id]
            offsets = offsets[:max_length].copy()
            offsets[-1] = offsets[-2, 1]
            keep = keep[spans[:, 1] <= max_length - 1]
        kept = [text.mentions[i] for i in keep]
        return EncodedText(
            input_ids=np.asarray(ids, dtype=np.int32),
            offsets=offsets,
            entity_ids=self.rows(kept),
            spans=spans[keep].astype(np.int32),
            mention_offsets=_pairs([(mention.start, mention.end) for mention in kept]),
            mention_index=keep,
            cut_pieces=cut,
            cut_mentions=len(text.mentions) - len(keep),
        )

    def rows(self, mentions: Sequence[Mention]) -> Ids:
        """(mentions,) rows of the entity vocabulary."""
        rows = np.full(len(mentions), self.entities.mask_row, dtype=np.int32)
        known = [i for i, mention in enumerate(mentions) if mention.entity is not None]
        if known:
            rows[known] = self.entities.rows([str(mentions[i].entity) for i in known])
        return rows


class _Plan:
    """Where one text is cut, so that no piece crosses a mention border.

    The text is encoded with a blank put in front (XLM-R's first piece starts a word). Blanks
    before a mention go with it: they become its "▁".
    """

    def __init__(self, text: AnnotatedText, blanks: str, segments: list[str]) -> None:
        self.text, self.first, self._blanks = text, len(segments), frozenset(blanks)
        content = text.text
        trimmed = [
            trim_blanks(content, mention.start, mention.end, blanks) for mention in text.mentions
        ]
        # A mention of blanks alone has no piece and cuts nothing: its span is (0, 0).
        spans = [
            (len(content[:start].rstrip(blanks)), end) if end > start else (0, 0)
            for start, end in trimmed
        ]
        self._starts, self._ends = [start for start, _ in spans], [end for _, end in spans]
        self.borders = sorted({0, len(content), *self._starts, *self._ends})
        for start, end in zip(self.borders[:-1], self.borders[1:], strict=True):
            segments.append((" " if start == 0 else "") + content[start:end])

    def piece_spans(self, pieces: Sequence[Encoding]) -> Ids:
        """(mentions, 2) pieces of each mention in the text's pieces."""
        starts = [0, *itertools.accumulate(len(piece.ids) for piece in pieces)]
        place = {border: index for index, border in enumerate(self.borders)}
        return _pairs(
            [
                (starts[place[start]], starts[place[end]])
                for start, end in zip(self._starts, self._ends, strict=True)
            ]
        )

    def offsets(self, pieces: Sequence[Encoding]) -> Ids:
        """(words, 2) characters of each piece, its leading blank left out.

        A piece that is nothing but a blank has the empty span before what follows it.
        """
        content = self.text.text
        spans = []
        for border, piece in zip(self.borders, pieces, strict=False):
            shift = border - 1 if border == 0 else border  # the blank put in front
            for start, end in piece.offsets:
                spans.append((max(start + shift, 0), max(end + shift, 0)))
        blank = np.fromiter((c in self._blanks for c in content), np.bool_, len(content))
        exact = _without_leading_blanks(_pairs(spans), blank)
        return np.concatenate([_pairs([(0, 0)]), exact, _pairs([(len(content), len(content))])])


def _without_leading_blanks(spans: Ids, blank: npt.NDArray[np.bool_]) -> Ids:
    if not blank.any():
        return spans
    # The next character that is no blank, for every position.
    following = np.where(blank, len(blank), np.arange(len(blank)))
    following = np.append(np.minimum.accumulate(following[::-1])[::-1], len(blank))
    starts = following[spans[:, 0]].astype(np.int32)
    return np.stack([starts, np.maximum(starts, spans[:, 1])], axis=1)


def _pairs(pairs: Sequence[tuple[int, int]]) -> Ids:
    return np.asarray(pairs, dtype=np.int32).reshape(-1, 2)
