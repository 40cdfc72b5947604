"""Reading MediaWiki XML dumps: one page after the other, in constant memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast
from xml.parsers import expat

from exonym.foundation.compression import DAMAGE, open_binary
from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.spans import Span, SpanReader
from exonym.wikimedia.export import ExportParser, ForbiddenDeclarationError, RawPage
from exonym.wikimedia.site import read_site
from exonym.wikimedia.siteinfo import SiteInfo

_CHUNK = 1 << 20
_KEEP_GOING = "Pass --keep-going to use what can be read"
# Stands only where a page starts: in text it would be escaped.
_PAGE = b"<page>"
# "#REDIRECT [[Target]]" with the magic word of any language.
_REDIRECT = re.compile(r"\s*#[^\s\[\]:|]+\s*:?\s*\[\[([^\[\]|{}<>\n]+)")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a wiki.

    Args:
        id: the wiki's page id (0 where the file has none).
        namespace: the number of its namespace; 0 holds the articles.
        title: the full title, with the namespace's local prefix.
        redirect: the title that the page leads to, as the file gives it; None for a real page.
        text: its wikitext.
    """

    id: int
    namespace: int
    title: str
    redirect: str | None
    text: str


class DumpReader:
    """The pages of one dump file or of a span of it, in file order; can be read once.

    Pages of all namespaces are given. About one MiB of XML is held at a time, and the page that
    is being read.

    Attributes:
        path: the file.
        span: the part of the file whose pages are read; None for all of it.
        siteinfo: what the file says of its wiki; known as soon as the file is open.
        skipped: pages left out, by reason: ``"no title"``, ``"no text"``, ``"not wikitext"``,
            and with ``keep_going`` also ``"malformed"`` and ``"truncated"`` (each counts a
            place where something was lost, not pages).
        warnings: sentences about what was odd in the file's head and how it was taken.
    """

    def __init__(self, path: Path, *, keep_going: bool = False, span: Span | None = None) -> None:
        self.path = path
        self.span = span
        self.skipped: Counter[str] = Counter()
        self._keep_going = keep_going
        self._stream: IO[bytes] | SpanReader = open_binary(path)
        self._parser = ExportParser()
        self._pending = b""
        self._finished = self._started = False
        self._head_read = False  # of a span's file only the head is wanted
        try:
            self.siteinfo, self.warnings = self._read_head()
            if span is not None:
                self._turn_to(span)
        except BaseException:
            self.close()
            raise
        version = re.fullmatch(r"0\.(\d+)", self._parser.site.version)
        # Until version 0.4 a redirect is known by its text alone.
        self._redirects_by_text = version is None or int(version[1]) < 4

    def __enter__(self) -> DumpReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; reading ends."""
        self._finished = True
        self._stream.close()

    def __iter__(self) -> Iterator[Page]:
        if self._started:
            raise InputError("a dump is read once", where=self.path, remedy="Open it again")
        self._started = True
        return self._pages()

    def _pages(self) -> Iterator[Page]:
        while True:
            for raw in self._parser.take():
                page = self._page(raw)
                if page is not None:
                    yield page
            if self._finished:
                self.close()
                return
            self._advance()

    def _page(self, raw: RawPage) -> Page | None:
        reason = _why_not(raw)
        if reason is not None:
            self.skipped[reason] += 1
            return None
        title, text = cast("str", raw.title), cast("str", raw.text)
        title = " ".join(title.replace("_", " ").split())
        try:
            namespace = int(raw.ns or "")
        except ValueError:
            namespace = self.siteinfo.split_title(title)[0]
        redirect = raw.redirect
        if redirect == "" or (redirect is None and self._redirects_by_text):
            match = _REDIRECT.match(text)
            redirect = match[1].strip() if match else None
        number = int(raw.id) if raw.id and raw.id.strip().isdecimal() else 0
        return Page(number, namespace, title, redirect, text)

    def _read_head(self) -> tuple[SiteInfo, list[str]]:
        site = self._parser.site
        while not (self._parser.pages or self._parser.page or self._finished or self._head_read):
            if site.seen and not self._parser.inside("siteinfo"):
                break
            self._advance()
            if self._parser.root not in (None, "mediawiki"):
                raise FormatError(
                    f"not a MediaWiki export: the root element is <{self._parser.root}>, "
                    "not <mediawiki>",
                    where=self.path,
                    remedy="Give an XML dump such as jawiki-20240101-pages-articles.xml.bz2",
                )
        return read_site(site, self.path, keep_going=self._keep_going)

    def _turn_to(self, span: Span) -> None:
        """Leave the head of the file; the pages of the span come next."""
        self._stream.close()
        self._stream = SpanReader(self.path, span, _PAGE, behind=False)
        self._pending, self._finished = b"", False
        if span.start == 0:
            self._parser = ExportParser()
        else:
            self._parser.pages.clear()
            self._start_afresh(0)

    def _advance(self) -> None:
        """Parse one more chunk; at the end of the file, or of what is usable, finish."""
        chunk = self._read()
        if chunk is None:
            return
        # The last page of a span is whole, but the root element that holds it goes on.
        cut = not chunk and isinstance(self._stream, SpanReader) and not self._stream.at_file_end
        ending = b"</mediawiki>" if cut and not self._parser.closed else b""
        try:
            self._parser.feed(chunk or ending, last=not chunk)
            self._finished = not chunk
        except ForbiddenDeclarationError as error:
            raise FormatError(
                f"declares XML entities (line {self._parser.line}), which no export does",
                where=self.path,
            ) from error
        except expat.ExpatError as error:
            if chunk or ending or self._parser.root is None:
                self._malformed(error, chunk)
            else:
                self._truncated("the XML ends early")

    def _read(self) -> bytes | None:
        """Some more bytes, none at the end of the file; None where the compression is damaged."""
        if self._pending:
            chunk, self._pending = self._pending, b""
            return chunk
        try:
            if isinstance(self._stream, SpanReader):
                return self._stream.read()
            # read1 hands out what was decompressed before the damage; read would lose it.
            chunk = cast("bytes", cast("Any", self._stream).read1(_CHUNK))
            if self.span is not None and (start := chunk.find(_PAGE)) >= 0:
                self._head_read = True
                return chunk[:start] or None  # none is not the end of the file
            return chunk
        except DAMAGE as error:
            self._truncated(f"the compressed data end early or are damaged ({error})")
            if isinstance(self._stream, SpanReader):
                # There may be more of the span behind the damage.
                self._finished = False
                self._start_afresh(self._parser.line)
            return None

    def _truncated(self, what: str) -> None:
        if self._parser.root is None:
            raise FormatError(f"nothing in it can be read: {what}", where=self.path)
        if not self._keep_going:
            raise FormatError(f"{what}, {self._place()}", where=self.path, remedy=_KEEP_GOING)
        self.skipped["truncated"] += 1
        self._finished = True

    def _malformed(self, error: expat.ExpatError, chunk: bytes) -> None:
        """Stop, or with ``keep_going`` go on at the next page."""
        reason = expat.ErrorString(error.code)
        if self._parser.root != "mediawiki":
            raise FormatError(
                f"not a MediaWiki export: not XML ({reason} in line {self._parser.line})",
                where=self.path,
                remedy="Give an XML dump such as jawiki-20240101-pages-articles.xml.bz2",
            ) from error
        if not self._keep_going:
            raise FormatError(
                f"not well-formed XML ({reason}), {self._place()}",
                where=self.path,
                remedy=_KEEP_GOING,
            ) from error
        self.skipped["malformed"] += 1
        start = max(0, self._parser.error_byte + 1 - self._parser.bytes_fed)
        self._resume(chunk[start:])

    def _resume(self, rest: bytes) -> None:
        """Skip to the next ``<page>``; parsing goes on there with a fresh parser."""
        line = self._parser.line
        while (start := rest.find(_PAGE)) < 0:
            line += rest.count(b"\n", 0, max(0, len(rest) - 5))
            chunk = self._read()
            if chunk is None and not self._finished:
                rest = b""
                continue
            if not chunk:
                self._finished = True
                return
            rest = rest[-5:] + chunk
        line += rest.count(b"\n", 0, start)
        self._start_afresh(line)
        self._pending = rest[start:]

    def _start_afresh(self, line: int) -> None:
        """Put a new parser in the place of one that cannot go on; what it finished is kept."""
        fresh = ExportParser(self._parser.site, line)
        fresh.pages = self._parser.take()
        fresh.feed(b"<mediawiki>")
        self._parser = fresh

    def _place(self) -> str:
        page = self._parser.page
        if self.span is not None and self.span.start:
            title = f" {page.title!r}" if page is not None and page.title else ""
            what = f"in the page{title}" if page is not None else "between two pages"
            return f"{what} of {self.span}"
        line = f"line {self._parser.line:,}"
        if page is None:
            return f"between two pages ({line})"
        title = f" {page.title!r}" if page.title else ""
        return f"in the page{title} that starts in line {page.line:,} ({line})"


def _why_not(raw: RawPage) -> str | None:
    """The reason why a page cannot be used, or None."""
    if not raw.title:
        return "no title"
    if raw.model not in (None, "wikitext") or raw.format not in (None, "text/x-wiki"):
        return "not wikitext"
    if not raw.text:
        return "no text"
    return None


def open_dump(path: Path, *, keep_going: bool = False, span: Span | None = None) -> DumpReader:
    """Open a MediaWiki XML dump (.bz2, also multistream, .gz .xz .zst or plain).

    Args:
        path: the file.
        keep_going: use what can be read of a damaged file and count the rest.
        span: read only the pages that start in this part of the file, from
            `exonym.foundation.spans.cut_file`. The head of the file is read in any case.

    Raises:
        InputError: the file cannot be opened.
        FormatError: not XML, not an export, without ``<siteinfo>``, or (here or while
            reading) truncated or malformed; the message names the page and the line, or the
            page and the span.
    """
    return DumpReader(Path(path), keep_going=keep_going, span=span)
