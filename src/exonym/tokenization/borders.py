"""Where a text is cut, so that no piece crosses the border of a mention.

``"faithful"`` is what mLUKE was pretrained with: running text goes on behind a border, and "▁"
stands only where a blank is. ``"hf"`` is what transformers does: every stretch between two borders
is encoded as if it stood alone, and begins with "▁".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from exonym.tokenization.added import AddedToken
from exonym.tokenization.words import WordTokenizer

Boundary = Literal["faithful", "hf"]
Span = tuple[int, int]


@dataclass(slots=True)
class Stretches:
    """The stretches of several texts, as `WordTokenizer.encode` takes them."""

    texts: list[str] = field(default_factory=list)
    starting: list[bool] = field(default_factory=list)
    fixed: dict[int, int] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)

    def add(self, text: str, place: int, *, starting: bool) -> None:
        """Add a stretch that begins at the character ``place`` of its text."""
        self.texts.append(text)
        self.starting.append(starting)
        self.places.append(place)


@dataclass(frozen=True, slots=True)
class Cut:
    """How one text was cut.

    Args:
        first: its first stretch among all.
        last: one past its last stretch.
        mentions: characters [start, end) of each mention.
        spans: the stretch at which each mention starts, and at which what follows it starts.
    """

    first: int
    last: int
    mentions: Sequence[Span]
    spans: Sequence[Span]


class Cutter:
    """Cuts texts at the borders of their mentions, and around added tokens.

    Args:
        words: whose normalisation says what a blank is.
        boundary: ``"faithful"`` or ``"hf"``.
        added_tokens: whether added tokens (``<mask>``, say) count where a text has them.
    """

    def __init__(self, words: WordTokenizer, boundary: Boundary, *, added_tokens: bool) -> None:
        self._faithful = boundary == "faithful"
        # What is blank takes a while to find out, and the other boundary does not ask.
        nothing = frozenset[str]()
        self._blanks = words.blanks if self._faithful else nothing
        self._spaces = words.spaces if self._faithful else nothing
        tokens = words.added.by_id if added_tokens else {}
        self._tokens = {token.content: (i, token) for i, token in tokens.items()}
        longest_first = sorted(self._tokens, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if tokens else None

    def cut(self, text: str, mentions: Sequence[Span], stretches: Stretches) -> Cut:
        """Cut one text; appends its stretches."""
        first = len(stretches.texts)
        if self._faithful:
            spans = self._without_blanks(text, mentions)
        else:
            spans = [(_before_blank(text, a), _before_blank(text, b)) for a, b in mentions]
        borders = sorted({0, len(text)}.union(*spans))
        if self._pattern is None or not self._pattern.search(text):
            found = self._add_plainly(text, borders, stretches)
        else:
            found = self._add_with_tokens(text, borders, stretches)
        pairs = [(found[start], found[end]) for start, end in spans]
        return Cut(first, len(stretches.texts), mentions, pairs)

    def _add_plainly(self, text: str, borders: list[int], stretches: Stretches) -> dict[int, int]:
        """Add what lies between the borders; returns the stretch that begins at each."""
        first, starts = len(stretches.texts), borders[:-1]
        stretches.texts += [text[start:end] for start, end in itertools.pairwise(borders)]
        stretches.places += starts
        if self._faithful:
            stretches.starting += [
                start == 0 or self._starts_word(text, start, end)
                for start, end in itertools.pairwise(borders)
            ]
        else:
            stretches.starting += [True] * len(starts)
        return dict(zip(borders, range(first, first + len(borders)), strict=True))

    def _add_with_tokens(
        self, text: str, borders: list[int], stretches: Stretches
    ) -> dict[int, int]:
        """The same for a text with added tokens in it."""
        found = {}
        for start, end in itertools.pairwise(borders):
            found[start] = len(stretches.texts)
            self._add(text, start, end, stretches)
        found[borders[-1]] = len(stretches.texts)
        return found

    def _without_blanks(self, text: str, mentions: Sequence[Span]) -> list[Span]:
        """Mentions without the blanks at their end, and with those before them.

        The blanks before a mention become its "▁". A mention of blanks alone has no piece and
        cuts nothing: its span is (0, 0).
        """
        blanks, spans = self._blanks, []
        for start, end in mentions:
            while end > start and text[end - 1] in blanks:
                end -= 1
            if start == end:
                spans.append((0, 0))
                continue
            while start and text[start - 1] in blanks:
                start -= 1
            spans.append((start, end))
        return spans

    def _add(self, text: str, start: int, end: int, stretches: Stretches) -> None:
        assert self._pattern is not None, "there are tokens to look for"
        place = start
        swallows: AddedToken | None = None
        for match in self._pattern.finditer(text, start, end):
            identifier, token = self._tokens[match[0]]
            before = match.start()
            place = _swallowed(text, place, before, swallows)
            if token.lstrip:
                before = place + len(text[place:before].rstrip())
            self._add_plain(text, place, before, stretches)
            stretches.fixed[len(stretches.texts)] = identifier
            stretches.add(match[0], match.start(), starting=True)
            place, swallows = match.end(), token
        self._add_plain(text, _swallowed(text, place, end, swallows), end, stretches)

    def _add_plain(self, text: str, start: int, end: int, stretches: Stretches) -> None:
        if start < end:
            starting = not self._faithful or start == 0 or self._starts_word(text, start, end)
            stretches.add(text[start:end], start, starting=starting)

    def _starts_word(self, text: str, start: int, end: int) -> bool:
        """Whether a blank stands before the first character that the normalisation keeps."""
        if text[start] == " ":
            return True
        for place in range(start, end):
            if text[place] in self._spaces:
                return True
            if text[place] not in self._blanks:
                return False
        return False


def _before_blank(text: str, border: int) -> int:
    """transformers gives a single blank before a border to what follows it."""
    return border - 1 if border > 0 and text[border - 1] == " " else border


def _swallowed(text: str, start: int, end: int, token: AddedToken | None) -> int:
    """Where a stretch begins behind a token that swallows the blanks behind it."""
    if token is None or not token.rstrip:
        return start
    return end - len(text[start:end].lstrip())
