"""Reading a dump file, or a span of it, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterator
from pathlib import Path
from types import TracebackType
from typing import cast

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.spans import Span, read_span_lines
from exonym.wikimedia.wikidata.decoding import Decoder
from exonym.wikimedia.wikidata.records import Item, ItemRedirect, Property, Ranks

_KEEP_GOING = "Pass --keep-going to use what can be read"


class WikidataReader:
    """The records of one dump file or of a span of it, in file order; can be read once.

    Attributes:
        path: the file.
        skipped: lines left out, by reason: ``"not an item or property"``, with ``wikis`` also
            ``"no article in the languages"``, and with ``keep_going`` also ``"malformed"`` and
            ``"truncated"``.
    """

    def __init__(
        self,
        path: Path,
        *,
        languages: Collection[str] | None = None,
        wikis: Collection[str] | None = None,
        ranks: Ranks = "best",
        keep_going: bool = False,
        span: Span | None = None,
    ) -> None:
        try:
            self._size = path.stat().st_size
        except OSError as error:
            message = f"cannot be opened ({error.strerror or error})"
            raise InputError(message, where=path) from error
        if ranks not in ("best", "all"):
            raise InputError(f"ranks are 'best' or 'all', not {ranks!r}")
        self.path = path
        self.skipped: Counter[str] = Counter()
        self._keep_going = keep_going
        self._span = Span(0, self._size) if span is None else span
        self._decoder = Decoder(languages, wikis, ranks)
        counts = self.skipped if keep_going else None
        lines = read_span_lines(path, self._span, skipped=counts)
        self._lines = cast("Generator[bytes, None, None]", lines)
        self._started = False

    def __enter__(self) -> WikidataReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def __iter__(self) -> Iterator[Item | Property | ItemRedirect]:
        if self._started:
            raise InputError("a dump is read once", where=self.path, remedy="Open it again")
        self._started = True
        return self._records()

    def _records(self) -> Iterator[Item | Property | ItemRedirect]:
        number, opened, closed = 0, False, False
        record_of = self._decoder.record
        for number, line in enumerate(self._lines, start=1):
            line = line.strip().rstrip(b",").rstrip()
            if line in (b"[", b"]", b"[]", b""):
                opened |= line[:1] == b"["
                closed |= line[-1:] == b"]"
                continue
            try:
                record = record_of(line)
            except ValueError as error:
                self._malformed(number, error)
                continue
            if isinstance(record, str):
                self.skipped[record] += 1
            else:
                yield record
        if not self.skipped["truncated"]:
            self._check_end(number, opened, closed)
        self.close()

    def _check_end(self, lines: int, opened: bool, closed: bool) -> None:
        """Whether the file's end is here and the array is closed that its start opens."""
        span = self._span
        if span.end < self._size or span.stripes > 1:
            return
        if not lines:
            if span.start > 0:
                return  # of a small .bz2 file an earlier span may hold all that is left
            raise FormatError("empty: expected one entity per line", where=self.path)
        if not closed and (opened or (span.start > 0 and self._starts_an_array())):
            what = "the array that starts in the first line is never closed"
            if not self._keep_going:
                raise FormatError(what, where=self.path, remedy=_KEEP_GOING)
            self.skipped["truncated"] += 1

    def _starts_an_array(self) -> bool:
        with open_binary(self.path) as stream:
            try:
                return stream.read(1) == b"["
            except DAMAGE:
                return False  # the reader of the first span says so

    def _malformed(self, number: int, error: ValueError) -> None:
        if not self._keep_going:
            span = self._span
            of_file = span.start == 0 and span.stripes == 1
            where = f"{self.path}:{number}" if of_file else f"{self.path}: line {number} of {span}"
            raise FormatError(str(error), where=where, remedy=_KEEP_GOING) from error
        self.skipped["malformed"] += 1


def open_wikidata(
    path: Path,
    *,
    languages: Collection[str] | None = None,
    wikis: Collection[str] | None = None,
    ranks: Ranks = "best",
    keep_going: bool = False,
    span: Span | None = None,
) -> WikidataReader:
    """Open a Wikidata JSON dump (.bz2 .gz .xz .zst or plain), one entity per line.

    What is not kept of a line is not looked at: whole lines of items that have no page in the
    wanted wikis, and the qualifiers and references of statements, are passed over.

    Args:
        path: the file.
        languages: keep labels, aliases and descriptions in these only; None keeps all.
        wikis: keep sitelinks to these databases (``"jawiki"``) only, and leave out items without
            one, counted as ``"no article in the languages"``, unless they are subclasses of
            something (then they come without sitelinks). None keeps all.
        ranks: ``"best"`` takes a property's preferred statements if it has any, else its normal
            ones; ``"all"`` takes both. Deprecated ones are never taken.
        keep_going: count broken lines and go on, instead of stopping at the first.
        span: read the lines of this part of the file only, see `exonym.foundation.spans`.

    Raises:
        InputError: the file cannot be opened.
        FormatError: while reading: a line is not a JSON entity (the message names file and
            line), or the file ends early.
    """
    return WikidataReader(
        Path(path),
        languages=languages,
        wikis=wikis,
        ranks=ranks,
        keep_going=keep_going,
        span=span,
    )
