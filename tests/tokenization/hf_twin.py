"""A slow twin of ``boundary="hf"``: transformers' rules for borders, a call for each stretch."""

from __future__ import annotations

from collections.abc import Sequence

from sentencepiece import SentencePieceProcessor


def ids_and_spans(
    model: SentencePieceProcessor, text: str, mentions: Sequence[tuple[int, int]]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Ids without special pieces, and the pieces of each mention; typed tokens are text."""
    ids: list[int] = []
    begins: dict[int, int] = {}
    done = 0
    for border in sorted({place for mention in mentions for place in mention}):
        place = border - 1 if text[max(border - 1, 0) : border] == " " else border
        if place > done:
            ids += encode(model, text[done:place])
            done = place
        begins[border] = len(ids)
    ids += encode(model, text[done:])
    return ids, [(begins[start], begins[end]) for start, end in mentions]


def encode(model: SentencePieceProcessor, text: str) -> list[int]:
    """XLM-R's ids by their definition: SentencePiece's, one more; its <unk> is 3."""
    return [i + 1 if i else 3 for i in model.encode(text)]


def with_markers(
    ids: list[int], spans: list[tuple[int, int]], markers: Sequence[int]
) -> tuple[list[int], list[tuple[int, int]]]:
    """One or two mentions that do not overlap, in markers; their spans take the markers in."""
    order = sorted(range(len(spans)), key=lambda i: spans[i])
    ids, moved = list(ids), list(spans)
    for rank, index in reversed(list(enumerate(order))):
        start, end = spans[index]
        ids[end:end] = [markers[index]]
        ids[start:start] = [markers[index]]
        moved[index] = (start + 2 * rank, end + 2 * rank + 2)
    return ids, moved
