"""Names and entities that a user adds to a knowledge base, without building it anew.

They are lines of ``additions.jsonl`` in the folder that linking keeps beside the knowledge base
(``KB.linking``), each a name of an entity in a language::

    {"surface": "Big Blue", "language": "en", "entity": "Q37156"}
    {"surface": "Exonym", "language": "en", "entity": "Q999", "label": "Exonym", "description": "…"}

An entity that the knowledge base does not have needs a ``label`` in at least one line. A linker
reads the file again when it has changed.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import orjson

from exonym.foundation.errors import ExonymError, FormatError, InputError
from exonym.foundation.files import JSON, atomic_file
from exonym.foundation.json_lines import read_json_lines
from exonym.knowledge import KnowledgeBase
from exonym.linking.folding import fold

FILE = "additions.jsonl"
_LANGUAGE = re.compile(r"[a-z]+(?:-[a-z]+)*")
_REMEDY = "Correct the line, or delete it"


@dataclass(frozen=True, slots=True)
class Addition:
    """A name that was added.

    Args:
        surface: the name.
        language: Wikipedia's code of the language in which it is one.
        entity: a key of the knowledge base, or a new one.
        label: what the entity is called in the language; a new entity needs one.
        description: what it is, in the language.
    """

    surface: str
    language: str
    entity: str
    label: str | None = None
    description: str | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is None:
                continue
            if not isinstance(value, str) or not value.strip():
                raise InputError(f"the {field.name} of an addition must be text, got {value!r}")
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise InputError(
                    f"the {field.name} of an addition is no Unicode text: {value!r}"
                ) from error
        if not _LANGUAGE.fullmatch(self.language):
            raise InputError(
                f"{self.language!r} is no language code",
                remedy="Write it as Wikipedia does: en, ja, zh-yue",
            )
        if not fold(self.surface):
            raise InputError(f"the name {self.surface!r} has nothing that could be found in a text")
        if self.entity != self.entity.strip() or "\n" in self.entity:
            raise InputError(f"{self.entity!r} cannot be the key of an entity")

    def to_json(self) -> JSON:
        """The line's object; what is None is left out."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value for name, value in values if value is not None}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Addition:
        """The inverse of `to_json`.

        Raises:
            InputError: a field is missing, unknown or impossible.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(value.keys() - known):
            raise InputError(f"unknown field {unknown[0]!r} in an addition")
        if missing := [name for name in ("surface", "language", "entity") if name not in value]:
            raise InputError(f"an addition needs the field {missing[0]!r}")
        return cls(**value)


def linking_folder(kb: KnowledgeBase) -> Path:
    """Where linking keeps what it needs of a knowledge base: ``KB.linking``, beside it."""
    path = kb.path.absolute()
    return path.with_name(f"{path.name}.linking")


def read_additions(kb: KnowledgeBase, folder: Path) -> list[Addition]:
    """The additions to a knowledge base, in the order of the file; none where there is no file.

    Keys that the knowledge base knows are given as it gives them.

    Raises:
        FormatError: a line cannot be used; names the file and the line.
    """
    path = folder / FILE
    found: list[tuple[int, Addition]] = []
    for number, value in read_json_lines(path) if path.is_file() else ():
        try:
            found.append((number, Addition.from_json(value)))
        except ExonymError as error:
            raise FormatError(
                error.what, where=f"{path}:{number}", remedy=error.remedy or _REMEDY
            ) from error
    rows = kb.rows([addition.entity for _, addition in found]).tolist() if found else []
    labelled = {addition.entity for _, addition in found if addition.label is not None}
    result = []
    for (number, addition), row in zip(found, rows, strict=True):
        if row >= 0:
            addition = _with_key(addition, kb.key(row))
        elif addition.entity not in labelled:
            raise FormatError(
                f"the knowledge base has no entity {addition.entity!r}, and no line gives a label",
                where=f"{path}:{number}",
                remedy='Give it one: "label": "…"',
            )
        result.append(addition)
    return result


def add_alias(
    kb: KnowledgeBase, surface: str, language: str, entity: str, *, folder: Path | None = None
) -> bool:
    """Add a name of an entity, of the knowledge base or one that was added before.

    Args:
        kb: whose names are added to; its own files stay as they are.
        surface: the name.
        language: in which it is one.
        entity: its key.
        folder: where the additions are; None: beside the knowledge base.

    Returns:
        Whether it is new; False for a name that had been added already.

    Raises:
        InputError: there is no such entity, or a value is impossible.
    """
    if entity in kb:
        entity = kb.entity(entity).key
    addition = Addition(surface, language, entity)
    return _add(kb, [addition], folder or linking_folder(kb), known=entity in kb)


def add_entity(
    kb: KnowledgeBase,
    key: str,
    label: str,
    language: str,
    *,
    description: str | None = None,
    aliases: Sequence[str] = (),
    folder: Path | None = None,
) -> bool:
    """Add an entity that the knowledge base does not have, by its name in one language.

    Further names, also in other languages, are added with `add_alias`.

    Args:
        kb: what is added to; its own files stay as they are.
        key: its key: a Wikidata item id, or any other that no entity has.
        label: what it is called.
        language: in which.
        description: what it is.
        aliases: what else it is called in the language.
        folder: where the additions are; None: beside the knowledge base.

    Returns:
        Whether it is new; False for one that had been added in the same words.

    Raises:
        InputError: the knowledge base has the entity, or a value is impossible.
    """
    if key in kb:
        raise InputError(
            f"the knowledge base has the entity {key!r} already",
            where=kb.path,
            remedy="Add a name of it instead",
        )
    additions = [Addition(label, language, key, label, description)]
    additions += [Addition(alias, language, key) for alias in aliases]
    return _add(kb, additions, folder or linking_folder(kb), known=True)


def _add(kb: KnowledgeBase, additions: Sequence[Addition], folder: Path, *, known: bool) -> bool:
    """Write additions behind those that there are, one process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f".{FILE}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        there = read_additions(kb, folder)
        if not known and additions[0].entity not in {addition.entity for addition in there}:
            raise InputError(
                f"no entity {additions[0].entity!r} in this knowledge base or among the additions",
                where=kb.path,
                remedy="Add the entity first, with a label",
            )
        new = [addition for addition in additions if addition not in there]
        if new:
            path = folder / FILE
            before = path.read_bytes() if path.is_file() else b""
            with atomic_file(path) as stream:
                stream.write(before if before.endswith(b"\n") or not before else before + b"\n")
                for addition in new:
                    line = orjson.dumps(addition.to_json(), option=orjson.OPT_APPEND_NEWLINE)
                    stream.write(line)
        return bool(new)
    finally:
        os.close(descriptor)


def _with_key(addition: Addition, key: str) -> Addition:
    if key == addition.entity:
        return addition
    return Addition(addition.surface, addition.language, key, addition.label, addition.description)
