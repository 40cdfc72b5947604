"""From pages to pieces, many pages at a time.

What `split_sentences` and then `EntityTokenizer.pieces` give sentence by sentence is computed here
on arrays over all characters of a batch: sentences, mentions and stretches are positions, not
objects, so that little time is spent beside SentencePiece itself. The ids are the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exonym.text import AnnotatedText
from exonym.text.sentences import sentence_cuts
from exonym.tokenization import EntityTokenizer
from exonym.tokenization.words import Pieces

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CODE_POINTS = 0x110000
_MOST_KEYS = 1 << 20  # entities whose rows are remembered, about 150 MB


@dataclass(frozen=True, slots=True)
class EncodedPages:
    """The sentences of several pages, one after the other.

    Args:
        words: (pieces,) word ids.
        word_starts: (sentences + 1,) where each sentence's pieces begin, and their number.
        entities: (entities,) rows of the entity vocabulary.
        spans: (entities, 2) pieces [start, end) within the sentence.
        entity_starts: (sentences + 1,) where each sentence's entities begin, and their number.
        page_starts: (pages + 1,) where each page's sentences begin, and their number.
    """

    words: Int32
    word_starts: Int64
    entities: Int32
    spans: Int32
    entity_starts: Int64
    page_starts: Int64


@dataclass(frozen=True, slots=True)
class _Sentences:
    """Sentences as places in the joint text: (sentences,) starts and ends, (pages + 1,) pages."""

    starts: Int64
    ends: Int64
    page_starts: Int64


class PageEncoder:
    """Encodes pages for a corpus.

    Args:
        tokenizer: with mLUKE's own borders of mentions, and no added tokens in the text.
        threads: of SentencePiece; None as many as the machine has processors.
    """

    def __init__(self, tokenizer: EntityTokenizer, *, threads: int | None = None) -> None:
        words = tokenizer.words
        self._tokenizer, self._threads = tokenizer, threads
        self._white = _table(c for c in map(chr, range(0x10000)) if c.isspace())
        self._blank = _table(words.blanks)
        self._space = _table([*words.spaces, " "])
        self._rows: dict[str | None, int] = {}

    def encode(
        self, pages: Sequence[Sequence[AnnotatedText]], counts: Counter[str]
    ) -> EncodedPages:
        """Split pages into sentences and encode them.

        Args:
            pages: the paragraphs of each page.
            counts: gets ``bytes`` (of text, in UTF-8), ``sentences`` and, of what is left out,
                ``mentions without a piece`` and ``mentions not in the vocabulary``.
        """
        texts = [text for page in pages for text in page]
        joint = "".join([text.text for text in texts])
        codes = np.frombuffer(joint.encode("utf-32-le", "surrogatepass"), np.uint32)
        bases = _starts([len(text.text) for text in texts])
        mentions, keys = _mentions(texts, bases)
        sentences = self._split(texts, codes, bases, _starts([len(page) for page in pages]))
        sentences = _merged(sentences, mentions)
        home, mentions = _placed(mentions, sentences)
        rows = self._find_rows(keys)
        order = np.argsort(home, kind="stable")
        order = order[home[order] >= 0]
        home, mentions, kept_rows = home[order], mentions[order], rows[order]
        pieces, firsts, spans = self._pieces(joint, codes, sentences, mentions, home)
        has_piece = spans[:, 0] < spans[:, 1]
        known = kept_rows != self._tokenizer.entities.unk_row
        keep = has_piece & known
        counts["bytes"] += _utf8_bytes(codes)
        counts["sentences"] += len(sentences.starts)
        counts["mentions without a piece"] += len(rows) - int(has_piece.sum())
        counts["mentions not in the vocabulary"] += int((has_piece & ~known).sum())
        return EncodedPages(
            pieces.ids,
            pieces.starts[firsts],
            kept_rows[keep],
            spans[keep].astype(np.int32),
            np.searchsorted(home[keep], np.arange(len(sentences.starts) + 1)),
            sentences.page_starts,
        )

    def _split(
        self, texts: Sequence[AnnotatedText], codes: npt.NDArray[np.uint32], bases: Int64,
        page_texts: Int64,
    ) -> _Sentences:  # fmt: skip
        """All sentences, without white space at their edges and without empty ones."""
        cuts = [sentence_cuts(text.text, text.language) for text in texts]
        numbers = np.array([len(found) for found in cuts], np.int64)
        flat = np.array([cut for found in cuts for cut in found], np.int64)
        ends = flat + np.repeat(bases[:-1], numbers)
        starts = np.empty_like(ends)
        starts[1:] = ends[:-1]  # texts lie one after the other, each is cut at its end
        starts[:1] = 0
        solid = np.flatnonzero(~self._white[codes])
        first, behind = np.searchsorted(solid, starts), np.searchsorted(solid, ends)
        full = first < behind
        starts, ends = solid[first[full]], solid[behind[full] - 1] + 1
        return _Sentences(starts, ends, np.searchsorted(starts, bases[page_texts]))

    def _pieces(
        self, joint: str, codes: npt.NDArray[np.uint32], sentences: _Sentences,
        mentions: Int64, home: Int64,
    ) -> tuple[Pieces, Int64, Int64]:  # fmt: skip
        """Encode the stretches between the borders of sentences and mentions.

        Returns:
            the pieces; (sentences + 1,) the first stretch of each; (mentions, 2) pieces of each
            mention within its sentence
        """
        begin, end, blank = self._without_blanks(codes, sentences, mentions, home)
        # Where a sentence ends nothing of it begins.
        inside = ~blank & (end < sentences.ends[home])
        border = np.zeros(len(codes), np.bool_)
        for places in (sentences.starts, begin[~blank], end[inside]):
            border[places] = True
        starts = np.flatnonzero(border)
        firsts = np.searchsorted(starts, sentences.starts)
        firsts = np.append(firsts, len(starts))
        limits = np.repeat(sentences.ends, np.diff(firsts))
        ends = np.minimum(np.append(starts[1:], len(codes)), limits)
        stretches = [joint[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        starting = self._start_words(codes, starts, ends)
        starting[firsts[:-1]] = True
        pieces = self._tokenizer.words.encode(stretches, starting.tolist(), threads=self._threads)
        spans = np.stack([np.searchsorted(starts, begin), np.searchsorted(starts, end)], axis=1)
        spans = pieces.starts[spans] - pieces.starts[firsts[:-1]][home][:, None]
        spans[blank] = 0
        return pieces, firsts, spans

    def _without_blanks(
        self, codes: npt.NDArray[np.uint32], sentences: _Sentences, mentions: Int64, home: Int64
    ) -> tuple[Int64, Int64, Flags]:
        """Mentions without the blanks at their end, with those before them; which are blank."""
        if not len(mentions):
            return mentions[:, 0], mentions[:, 1], np.zeros(0, np.bool_)
        solid = np.append(-1, np.flatnonzero(~self._blank[codes]))
        end = solid[np.searchsorted(solid, mentions[:, 1]) - 1] + 1
        blank = end <= mentions[:, 0]
        begin = solid[np.searchsorted(solid, mentions[:, 0]) - 1] + 1
        return np.maximum(begin, sentences.starts[home]), end, blank

    def _start_words(
        self, codes: npt.NDArray[np.uint32], starts: Int64, ends: Int64
    ) -> npt.NDArray[np.bool_]:
        """Whether a blank stands before the first character that the normalisation keeps."""
        first = codes[starts]
        found: Flags = self._space[first]
        unsure = np.flatnonzero(self._blank[first] & ~found)
        if len(unsure):  # characters that the normalisation drops: the next ones tell
            space = self._space[codes]
            telling = np.append(np.flatnonzero(space | ~self._blank[codes]), len(codes))
            place = telling[np.searchsorted(telling, starts[unsure])]
            found[unsure] = np.append(space, False)[place] & (place < ends[unsure])
        return found

    def _find_rows(self, keys: Sequence[str | None]) -> Int32:
        """(keys,) rows; [UNK] for what the vocabulary lacks and for mentions of no entity."""
        known, entities = self._rows, self._tokenizer.entities
        new = [key for key in dict.fromkeys(keys) if key is not None and key not in known]
        if len(known) + len(new) > _MOST_KEYS:
            known.clear()
            new = [key for key in dict.fromkeys(keys) if key is not None]
        known[None] = entities.unk_row
        if new:
            known.update(zip(new, entities.rows(new).tolist(), strict=True))
        return np.fromiter(map(known.__getitem__, keys), np.int32, len(keys))


def _table(characters: Iterable[str]) -> Flags:
    """(code points,) whether each is among the characters."""
    table = np.zeros(_CODE_POINTS, np.bool_)
    table[[ord(c) for c in characters]] = True
    return table


def _starts(lengths: Sequence[int]) -> Int64:
    """(lengths + 1,) where each begins, and their sum."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(np.array(lengths, np.int64), out=starts[1:])
    return starts


def _mentions(
    texts: Sequence[AnnotatedText], bases: Int64
) -> tuple[Int64, list[str | None]]:  # fmt: skip
    """(mentions, 2) places in the joint text, and their entities."""
    found = [mention for text in texts for mention in text.mentions]
    places = np.array([(mention.start, mention.end) for mention in found], np.int64).reshape(-1, 2)
    numbers = [len(text.mentions) for text in texts]
    return places + np.repeat(bases[:-1], numbers)[:, None], [mention.entity for mention in found]


def _merged(sentences: _Sentences, mentions: Int64) -> _Sentences:
    """Join the sentences that a mention straddles."""
    first = np.searchsorted(sentences.ends, mentions[:, 0], side="right")
    last = np.searchsorted(sentences.starts, mentions[:, 1]) - 1
    wide = first < last
    if not wide.any():
        return sentences
    # Raised from the second of the joined sentences to the last.
    change = np.zeros(len(sentences.starts) + 1, np.int64)
    np.add.at(change, first[wide] + 1, 1)
    np.add.at(change, last[wide] + 1, -1)
    joined = np.cumsum(change[:-1]) > 0
    alone = np.flatnonzero(~joined)
    ends = sentences.ends[np.append(alone[1:], len(joined)) - 1]
    pages = np.searchsorted(alone, sentences.page_starts)
    return _Sentences(sentences.starts[alone], ends, pages)


def _placed(mentions: Int64, sentences: _Sentences) -> tuple[Int64, Int64]:
    """The sentence of each mention, -1 for blanks outside of all; the mentions cut to fit it."""
    home = np.searchsorted(sentences.ends, mentions[:, 0], side="right")
    starts = np.append(sentences.starts, np.iinfo(np.int64).max)[home]
    ends = np.append(sentences.ends, 0)[home]
    fitted = np.stack([np.maximum(mentions[:, 0], starts), np.minimum(mentions[:, 1], ends)], 1)
    return np.where(fitted[:, 0] < fitted[:, 1], home, -1), fitted


def _utf8_bytes(codes: npt.NDArray[np.uint32]) -> int:
    return len(codes) + sum(int((codes >= first).sum()) for first in (0x80, 0x800, 0x10000))
