"""The XML of MediaWiki exports (schemas 0.3 to 0.11), parsed as it streams in."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

# (parent, element) whose text is wanted. The XML namespace differs from version to version and
# says nothing more, so only local names are compared.
_SITE_FIELDS = frozenset({"sitename", "dbname", "base", "generator", "case"})
_PAGE_FIELDS = frozenset({"title", "ns", "id"})
_REVISION_FIELDS = frozenset({"model", "format", "text"})


class ForbiddenDeclarationError(Exception):
    """The file declares XML entities, which no export does and which may expand without end."""


@dataclass(slots=True)
class RawPage:
    """One ``<page>`` as it stands in the file; None where an element is missing.

    Args:
        line: the line of its ``<page>`` tag.
        redirect: the title in ``<redirect title="…"/>``; empty for a ``<redirect/>`` without.
    """

    line: int
    title: str | None = None
    ns: str | None = None
    id: str | None = None
    redirect: str | None = None
    model: str | None = None
    format: str | None = None
    text: str | None = None


@dataclass(slots=True)
class RawSite:
    """What the head of the file says; fields hold the text of ``<siteinfo>``'s elements."""

    language: str = ""
    version: str = ""
    seen: bool = False
    fields: dict[str, str] = field(default_factory=dict)
    namespaces: list[tuple[str, str, str]] = field(default_factory=list)


class ExportParser:
    """Feeds bytes in, collects finished pages in `pages`; never holds more than it must.

    Args:
        site: carried over when parsing goes on after damage; None for a fresh file.
        first_line: the number of the line that the first byte belongs to.
    """

    def __init__(self, site: RawSite | None = None, first_line: int = 1) -> None:
        self.site = site or RawSite()
        self.pages: list[RawPage] = []
        self.page: RawPage | None = None
        self.root: str | None = None
        self.bytes_fed = 0
        self._first_line = first_line
        self._stack: list[str] = []
        self._text: list[str] = []
        self._namespace = ("", "")
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.buffer_size = 1 << 20
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity

    @property
    def line(self) -> int:
        """The line that the parser has come to."""
        return self._first_line + self._parser.CurrentLineNumber - 1

    @property
    def error_byte(self) -> int:
        """How many bytes from the start of the input the parser stopped at."""
        return self._parser.ErrorByteIndex

    @property
    def closed(self) -> bool:
        """Whether the root element has been closed."""
        return self.root is not None and not self._stack

    def feed(self, data: bytes, *, last: bool = False) -> None:
        """Parse some more bytes.

        Raises:
            xml.parsers.expat.ExpatError: not well-formed, or ended early when ``last``.
            ForbiddenDeclarationError: an entity is declared.
        """
        self._parser.Parse(data, last)
        self.bytes_fed += len(data)

    def take(self) -> list[RawPage]:
        """The pages that were finished since the last call."""
        pages, self.pages = self.pages, []
        return pages

    def inside(self, element: str) -> bool:
        """Whether the parser stands inside an open element of that name."""
        return element in self._stack

    def _entity(self, *_: object) -> None:
        raise ForbiddenDeclarationError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        parent = self._stack[-1] if self._stack else None
        self._stack.append(name)
        if parent is None:
            self.root = name
            self.site.language = self.site.language or attributes.get("xml:lang", "")
            self.site.version = self.site.version or attributes.get("version", "")
            return
        if name == "page":
            self.page = RawPage(self.line)
        elif name == "siteinfo":
            self.site.seen = True
        elif name == "redirect" and parent == "page" and self.page is not None:
            self.page.redirect = attributes.get("title", "")
        elif name == "namespace":
            self._namespace = (attributes.get("key", ""), attributes.get("case", ""))
        if _is_wanted(parent, name):
            self._text = []
            self._parser.CharacterDataHandler = self._text.append

    def _end(self, name: str) -> None:
        name = self._stack.pop()
        parent = self._stack[-1] if self._stack else None
        if parent is not None and _is_wanted(parent, name):
            self._parser.CharacterDataHandler = None
            self._store(parent, name, "".join(self._text))
            self._text = []
        elif name == "page" and self.page is not None:
            self.pages.append(self.page)
            self.page = None

    def _store(self, parent: str, name: str, text: str) -> None:
        if parent == "siteinfo":
            self.site.fields[name] = text.strip()
        elif name == "namespace":
            self.site.namespaces.append((*self._namespace, text.strip()))
        elif self.page is not None:
            setattr(self.page, name, text)


def _is_wanted(parent: str, name: str) -> bool:
    # In a dump with several slots per revision only the main slot's text is a direct child.
    return (
        (parent == "revision" and name in _REVISION_FIELDS)
        or (parent == "page" and name in _PAGE_FIELDS)
        or (parent == "siteinfo" and name in _SITE_FIELDS)
        or (parent == "namespaces" and name == "namespace")
    )
