"""The table of facts that Atlas tells: names, relations with wordings, and triples.

The format (JSON Lines) is described in ``docs/atlas.md``; every rule there is checked here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from exonym.foundation.errors import ConfigError, FormatError, InputError
from exonym.foundation.files import JSON, sha256
from exonym.foundation.json_lines import read_json_lines

DEFAULT_TABLE = Path(__file__).parent / "data" / "atlas.jsonl.xz"

_ORDER = ("table", "relation", "entity", "fact")
_FIELDS = {
    "table": ({"name", "version"}, {"licence", "sources"}),
    "relation": ({"id", "names", "templates"}, {"everywhere"}),
    "entity": ({"id", "names"}, {"kind", "descriptions"}),
    "fact": ({"subject", "relation", "object"}, set[str]()),
}
_ENTITY_ID = re.compile(r"Q[1-9][0-9]*|X[A-Za-z0-9-]*")
_RELATION_ID = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_LANGUAGE = re.compile(r"[a-z]{2,}(-[a-z0-9]+)*")
_MARKUP = re.compile(r"[\[\]{}|<>]")


@dataclass(frozen=True, slots=True)
class Entity:
    """Something with names.

    Args:
        id: a QID, or an own id that starts with ``X``.
        kind: the id of the entity that says what this one is; None when not stated.
        names: by language; the first is the article's title, the others are aliases.
        descriptions: by language, for the Wikidata dump only.
    """

    id: str
    kind: str | None
    names: Mapping[str, tuple[str, ...]]
    descriptions: Mapping[str, str]

    def name(self, language: str) -> str | None:
        """The plain name in a language, None when it has none there."""
        names = self.names.get(language)
        return names[0] if names else None


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation and its wordings.

    Args:
        id: a Wikidata property id or an own one.
        names: the relation's name by language.
        templates: wordings by language, with ``[X]`` for the subject and ``[Y]`` for the
            object, once each; the first is the one that questions use (mLAMA).
        everywhere: told in every language and never asked (what kind of thing it is).
    """

    id: str
    names: Mapping[str, str]
    templates: Mapping[str, tuple[str, ...]]
    everywhere: bool

    def label(self, language: str) -> str:
        """The relation's name in a language, in English, or else its id."""
        return self.names.get(language) or self.names.get("en") or self.id


@dataclass(frozen=True, slots=True)
class Fact:
    """One triple, by ids."""

    subject: str
    relation: str
    object: str


@dataclass(frozen=True, slots=True)
class FactTable:
    """A checked table.

    Args:
        name: the table's name.
        version: its version.
        licence: the licence of its contents; empty when not stated.
        sources: where its contents come from.
        relations: by id, in the file's order.
        entities: by id, in the file's order, which is the order of importance.
        facts: in the file's order.
        digest: SHA-256 of the file.
    """

    name: str
    version: str
    licence: str
    sources: tuple[str, ...]
    relations: Mapping[str, Relation]
    entities: Mapping[str, Entity]
    facts: tuple[Fact, ...]
    digest: str

    def languages(self) -> tuple[str, ...]:
        """The languages in which at least one entity has a name, sorted."""
        return tuple(sorted({code for entity in self.entities.values() for code in entity.names}))

    def can_tell(self, fact: Fact, language: str) -> bool:
        """Whether a language has both names and a wording for a fact."""
        return (
            language in self.relations[fact.relation].templates
            and language in self.entities[fact.subject].names
            and language in self.entities[fact.object].names
        )

    def first(self, count: int) -> FactTable:
        """The smaller world of the first ``count`` entities and the kinds that they need.

        Facts with an end outside are left out.

        Raises:
            ConfigError: ``count`` is below 1.
        """
        if count < 1:
            raise ConfigError(f"the number of entities must be at least 1, got {count}")
        kept = list(self.entities)[:count]
        wanted = set(kept)
        for key in kept:  # grows while it is read, so that kinds of kinds come along
            kind = self.entities[key].kind
            if kind is not None and kind not in wanted:
                wanted.add(kind)
                kept.append(kind)
        entities = {key: entity for key, entity in self.entities.items() if key in wanted}
        facts = tuple(f for f in self.facts if f.subject in wanted and f.object in wanted)
        return replace(self, entities=entities, facts=facts)


def load_table(path: Path | None = None) -> FactTable:
    """Read and check a table of facts.

    Args:
        path: JSON Lines, plain or .gz .bz2 .xz .zst; None is the table that comes with Exonym.

    Raises:
        InputError: there is no such file.
        FormatError: a line breaks a rule of the format; the message names file and line.
    """
    path = path or DEFAULT_TABLE
    if not path.is_file():
        raise InputError("no such table of facts", where=path, remedy="Pass --table FILE")
    reader = _TableReader(path)
    for number, value in read_json_lines(path):
        reader.read(_Line(f"{path}:{number}", number, value))
    return reader.finish()


class _Line:
    """One line's object, with checks that name its file and line."""

    def __init__(self, where: str, number: int, value: JSON) -> None:
        self.where, self.number, self.value = where, number, value

    def error(self, what: str) -> FormatError:
        return FormatError(what, where=self.where, remedy="The format is in docs/atlas.md")

    def check_fields(self, kind: str) -> None:
        required, optional = _FIELDS[kind]
        missing = sorted(required - self.value.keys())
        if missing:
            raise self.error(f"a line of type {kind!r} needs the field {missing[0]!r}")
        unknown = sorted(self.value.keys() - required - optional - {"type"})
        if unknown:
            raise self.error(f"a line of type {kind!r} has no field {unknown[0]!r}")

    def text(self, field: str, default: str | None = None) -> str:
        value = self.value.get(field, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self.error(f"field {field!r}: expected a non-empty string, got {value!r}")
        return value

    def strings(self, field: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(f"field {field!r}: expected a list of strings, got {value!r}")
        return tuple(value)

    def by_language(self, field: str) -> dict[str, object]:
        value = self.value.get(field, {})
        if not isinstance(value, dict):
            raise self.error(f"field {field!r}: expected an object keyed by language")
        for code in value:
            if not _LANGUAGE.fullmatch(code):
                raise self.error(f"field {field!r}: {code!r} is not a language code")
        return value

    def words(self, field: str, value: object) -> str:
        """A name: text that is not blank and holds no wiki markup or control characters."""
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"field {field!r}: expected a name, got {value!r}")
        markup = _MARKUP.search(value)
        if markup:
            raise self.error(f"field {field!r}: {value!r} contains {markup[0]!r}")
        if not value.isprintable() and any(
            unicodedata.category(character) in ("Cc", "Cs", "Cn", "Zl", "Zp") for character in value
        ):
            raise self.error(f"field {field!r}: {value!r} contains a control character")
        return unicodedata.normalize("NFC", " ".join(value.split()))


class _TableReader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._header: _Line | None = None
        self._stage = 0
        self._relations: dict[str, Relation] = {}
        self._entities: dict[str, Entity] = {}
        self._facts: dict[Fact, int] = {}
        self._defined: dict[tuple[str, str], int] = {}
        self._lines: dict[str, _Line] = {}  # without their values, which may be many

    def read(self, line: _Line) -> None:
        kind = line.value.get("type")
        if kind not in _ORDER:
            raise line.error(f"field 'type': expected one of {', '.join(_ORDER)}, got {kind!r}")
        if (kind == "table") != (self._header is None):
            raise line.error("the first line, and only the first, must be of type 'table'")
        stage = _ORDER.index(kind)
        if stage < self._stage:
            raise line.error(
                f"a line of type {kind!r} after one of type {_ORDER[self._stage]!r}; "
                "the order is table, relations, entities, facts"
            )
        self._stage = stage
        line.check_fields(kind)
        match kind:
            case "table":
                self._header = line
                line.text("name"), line.text("version"), line.text("licence", "")
                line.strings("sources", line.value.get("sources", []))
            case "relation":
                self._read_relation(line)
            case "entity":
                self._read_entity(line)
            case _:
                self._read_fact(line)

    def _define(self, line: _Line, kind: str, pattern: re.Pattern[str], shape: str) -> str:
        key = line.text("id")
        if not pattern.fullmatch(key):
            raise line.error(f"field 'id': expected {shape}, got {key!r}")
        first = self._defined.setdefault((kind, key), line.number)
        if first != line.number:
            raise line.error(f"{kind} {key!r} is already defined on line {first}")
        return key

    def _read_relation(self, line: _Line) -> None:
        key = self._define(line, "relation", _RELATION_ID, "letters, digits and '-'")
        names = {
            code: line.words("names", name) for code, name in line.by_language("names").items()
        }
        templates = {}
        for code, value in line.by_language("templates").items():
            wordings = line.strings("templates", value)
            if not wordings:
                raise line.error(f"field 'templates': no wording for language {code!r}")
            templates[code] = tuple(self._template(line, wording) for wording in wordings)
        everywhere = line.value.get("everywhere", False)
        if not isinstance(everywhere, bool):
            raise line.error(f"field 'everywhere': expected true or false, got {everywhere!r}")
        self._relations[key] = Relation(key, names, templates, everywhere)

    @staticmethod
    def _template(line: _Line, wording: str) -> str:
        if wording.count("[X]") != 1 or wording.count("[Y]") != 1:
            raise line.error(
                f"field 'templates': {wording!r} must contain [X] and [Y] exactly once each"
            )
        if not wording.replace("[X]", "").replace("[Y]", "").strip():
            raise line.error(f"field 'templates': {wording!r} has no words of its own")
        line.words("templates", wording.replace("[X]", "X").replace("[Y]", "Y"))
        return unicodedata.normalize("NFC", wording.strip())

    def _read_entity(self, line: _Line) -> None:
        key = self._define(
            line, "entity", _ENTITY_ID, "a QID, or 'X' and then letters, digits and '-'"
        )
        kind = line.value.get("kind")
        if kind is not None and not isinstance(kind, str):
            raise line.error(f"field 'kind': expected the id of an entity, got {kind!r}")
        names = {}
        for code, value in line.by_language("names").items():
            found = tuple(line.words("names", name) for name in line.strings("names", value))
            if not found:
                raise line.error(f"field 'names': no name for language {code!r}")
            if len(set(found)) < len(found):
                raise line.error(f"field 'names': a name of language {code!r} is given twice")
            names[code] = found
        if not names:
            raise line.error("field 'names': an entity needs a name in some language")
        descriptions = {
            code: line.words("descriptions", text)
            for code, text in line.by_language("descriptions").items()
        }
        self._entities[key] = Entity(key, kind, names, descriptions)
        self._lines[key] = _Line(line.where, line.number, {})

    def _read_fact(self, line: _Line) -> None:
        fact = Fact(line.text("subject"), line.text("relation"), line.text("object"))
        for field, key in (("subject", fact.subject), ("object", fact.object)):
            if key not in self._entities:
                raise line.error(f"field {field!r}: entity {key!r} is not defined above")
        if fact.relation not in self._relations:
            raise line.error(f"field 'relation': relation {fact.relation!r} is not defined above")
        first = self._facts.setdefault(fact, line.number)
        if first != line.number:
            raise line.error(f"this fact is already on line {first}")

    def finish(self) -> FactTable:
        if self._header is None or not self._entities:
            raise FormatError(
                "expected a table with at least one entity, found none",
                where=self._path,
                remedy="The format is in docs/atlas.md",
            )
        for key, entity in self._entities.items():
            if entity.kind is not None and entity.kind not in self._entities:
                raise self._lines[key].error(
                    f"field 'kind': no entity {entity.kind!r} in the table"
                )
        header = self._header
        return FactTable(
            name=header.text("name"),
            version=header.text("version"),
            licence=header.text("licence", ""),
            sources=header.strings("sources", header.value.get("sources", [])),
            relations=self._relations,
            entities=self._entities,
            facts=tuple(self._facts),
            digest=sha256(self._path),
        )
