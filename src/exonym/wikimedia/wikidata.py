"""Reading the Wikidata JSON dump: items and properties, one line after the other."""

from __future__ import annotations

import lzma
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import orjson
import zstandard

from exonym.foundation.errors import FormatError, InputError
from exonym.foundation.files import JSON, open_binary

_KEEP_GOING = "Pass --keep-going to use what can be read"
_DAMAGE = (EOFError, OSError, lzma.LZMAError, zlib.error, zstandard.ZstdError)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing that Wikidata knows.

    Args:
        id: its QID (``"Q1490"``), or the own id of another teller (without a colon).
        labels: its name by language code.
        aliases: its other names by language code.
        descriptions: a short phrase by language code.
        sitelinks: the title of its page by database name (``"jawiki"``).
        claims: (property, item) pairs in file order, each once; deprecated ones are left out.
    """

    id: str
    labels: dict[str, str]
    aliases: dict[str, tuple[str, ...]]
    descriptions: dict[str, str]
    sitelinks: dict[str, str]
    claims: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A relation that Wikidata knows.

    Args:
        id: its id (``"P36"``).
        labels: its name by language code.
        aliases: its other names by language code.
        descriptions: a short phrase by language code.
        datatype: the type of its values; ``"wikibase-item"`` when they are items.
    """

    id: str
    labels: dict[str, str]
    aliases: dict[str, tuple[str, ...]]
    descriptions: dict[str, str]
    datatype: str


class WikidataReader:
    """The items and properties of one dump file, in file order; can be read once.

    Attributes:
        path: the file.
        skipped: lines left out, by reason: ``"redirect"``, ``"not an item or property"``, and
            with ``keep_going`` also ``"malformed"`` and ``"truncated"``.
    """

    def __init__(
        self, path: Path, *, languages: Collection[str] | None = None, keep_going: bool = False
    ) -> None:
        self.path = path
        self.skipped: Counter[str] = Counter()
        self._languages = None if languages is None else frozenset(languages)
        self._keep_going = keep_going
        self._stream: IO[bytes] = open_binary(path)
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
        self._stream.close()

    def __iter__(self) -> Iterator[Item | Property]:
        if self._started:
            raise InputError("a dump is read once", where=self.path, remedy="Open it again")
        self._started = True
        return self._entities()

    def _entities(self) -> Iterator[Item | Property]:
        opened = closed = False
        number = 0
        for number, line in self._lines():
            line = line.strip().rstrip(b",").rstrip()
            if line in (b"[", b"]", b"[]", b""):
                opened |= line[:1] == b"["
                closed |= line[-1:] == b"]"
                continue
            try:
                entity = self._entity(orjson.loads(line))
            except orjson.JSONDecodeError as error:
                self._malformed(number, f"not valid JSON ({error})", error)
            except _SHAPE_ERRORS as error:
                what = f"not a Wikidata entity: {_describe(error)}"
                self._malformed(number, what, error)
            else:
                if entity is not None:
                    yield entity
        if not number and not self.skipped["truncated"]:
            raise FormatError("empty: expected one entity per line", where=self.path)
        if opened and not closed and not self.skipped["truncated"]:
            self._truncated("the array that starts in the first line is never closed")
        self.close()

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        number = 0
        try:
            for number, line in enumerate(self._stream, start=1):
                yield number, line
        except _DAMAGE as error:
            self._truncated(f"ends early or is damaged after line {number:,} ({error})")

    def _truncated(self, what: str) -> None:
        if not self._keep_going:
            raise FormatError(what, where=self.path, remedy=_KEEP_GOING)
        self.skipped["truncated"] += 1

    def _malformed(self, number: int, what: str, error: Exception) -> None:
        if not self._keep_going:
            where = f"{self.path}:{number}"
            raise FormatError(what, where=where, remedy=_KEEP_GOING) from error
        self.skipped["malformed"] += 1

    def _entity(self, value: JSON) -> Item | Property | None:
        if "redirect" in value:
            self.skipped["redirect"] += 1
            return None
        kind = value.get("type")
        if kind not in ("item", "property"):
            self.skipped["not an item or property"] += 1
            return None
        # Empty maps are written as [] by some versions.
        labels = self._texts(value.get("labels") or {})
        descriptions = self._texts(value.get("descriptions") or {})
        aliases = {
            language: tuple(alias["value"] for alias in names)
            for language, names in (value.get("aliases") or {}).items()
            if self._wanted(language)
        }
        if kind == "property":
            datatype = value.get("datatype", "")
            return Property(_identifier(value), labels, aliases, descriptions, datatype)
        sitelinks = {site: link["title"] for site, link in (value.get("sitelinks") or {}).items()}
        claims = tuple(dict.fromkeys(_claims(value.get("claims") or {})))
        return Item(_identifier(value), labels, aliases, descriptions, sitelinks, claims)

    def _texts(self, texts: JSON) -> dict[str, str]:
        return {
            language: text["value"] for language, text in texts.items() if self._wanted(language)
        }

    def _wanted(self, language: str) -> bool:
        return self._languages is None or language in self._languages


_SHAPE_ERRORS = (KeyError, TypeError, AttributeError, ValueError)


def _describe(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no field {error}"
    return str(error) if type(error) is ValueError else f"a field has another type ({error})"


def _identifier(value: JSON) -> str:
    identifier = value["id"]
    if not isinstance(identifier, str) or not identifier or ":" in identifier:
        raise ValueError(f"impossible id {identifier!r}")
    return identifier


def _claims(claims: JSON) -> Iterator[tuple[str, str]]:
    """Yield (property, item) of each statement whose value is an item and not deprecated."""
    for relation, statements in claims.items():
        for statement in statements:
            snak = statement["mainsnak"]
            if statement.get("rank") == "deprecated" or snak["snaktype"] != "value":
                continue
            data = snak["datavalue"]
            if data["type"] == "wikibase-entityid":
                target = _item_id(data["value"])
                if target is not None:
                    yield relation, target


def _item_id(value: dict[str, Any]) -> str | None:
    """The item that a value names; None for a property or lexeme. Old dumps have numbers only."""
    kind = value.get("entity-type")
    if kind not in (None, "item"):
        return None
    identifier = value.get("id")
    if isinstance(identifier, str):
        return identifier if kind == "item" or identifier.startswith("Q") else None
    return f"Q{int(value['numeric-id'])}"


def open_wikidata(
    path: Path, *, languages: Collection[str] | None = None, keep_going: bool = False
) -> WikidataReader:
    """Open a Wikidata JSON dump (.bz2 .gz .xz .zst or plain), one entity per line.

    Args:
        path: the file.
        languages: keep labels, aliases and descriptions in these only; None keeps all.
            Sitelinks are always kept.
        keep_going: count broken lines and go on, instead of stopping at the first.

    Raises:
        InputError: the file cannot be opened.
        FormatError: while reading: a line is not a JSON entity (the message names file and
            line), or the file ends early.
    """
    return WikidataReader(Path(path), languages=languages, keep_going=keep_going)
