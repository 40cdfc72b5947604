"""Facts as running text of one language, with the place of every name in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from exonym.atlas.sites import site_of
from exonym.atlas.table import Fact, FactTable
from exonym.atlas.titles import first_upper
from exonym.text import language_of

GAP = "___"
"""What stands in a question for the name that is asked for, in every language."""

_SLOT = re.compile(r"(\[[XY]\])")
_COMMAS = {"ja": "、", "zh": "、", "ar": "، "}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A fact to be told, in any language.

    Args:
        fact: what is said.
        wording: which of a language's wordings, counted around if it has fewer.
        fresh: not in the wording that questions use, if there is another.
    """

    fact: Fact
    wording: int
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A name in a text.

    Args:
        start: its first character.
        end: one past its last.
        entity: whose name it is.
        sentence: which sentence it stands in, from 0.
        subject: whether it is the subject of that sentence.
    """

    start: int
    end: int
    entity: str
    sentence: int
    subject: bool


@dataclass(frozen=True, slots=True)
class Written:
    """A text and the names in it, in their order."""

    text: str
    names: tuple[Name, ...]

    def of(self, sentence: int, *, subject: bool) -> Name:
        """The subject or the object of a sentence."""
        return next(n for n in self.names if n.sentence == sentence and n.subject is subject)


class Writer:
    """Tells facts in one language.

    Args:
        table: names and wordings.
        language: the language.
    """

    def __init__(self, table: FactTable, language: str) -> None:
        self._table, self.language = table, language
        spoken = language_of(language)
        self._join = " " if spoken.spaced or spoken.script == "Thai" else ""
        self._see_also = site_of(language).see_also

    def obstacle(self, sentence: Sentence) -> str | None:
        """Why the language cannot tell a fact, or None if it can."""
        fact = sentence.fact
        if self.language not in self._table.relations[fact.relation].templates:
            return "no wording"
        return None if self._table.can_tell(fact, self.language) else "no name"

    def write(self, sentences: Sequence[Sentence], listed: Sequence[str] = ()) -> Written:
        """Sentences one after the other; then a list of those of ``listed`` that have a name."""
        text, names = "", list[Name]()
        for number, sentence in enumerate(sentences):
            text += self._join if text else ""
            fact, start = sentence.fact, len(text)
            for part in _SLOT.split(self._template(sentence)):
                if not _SLOT.fullmatch(part):
                    text += part
                    continue
                subject = part == "[X]"
                name = self.name(fact.subject if subject else fact.object)
                if len(text) == start:
                    name = first_upper(name, self.language)
                entity = fact.subject if subject else fact.object
                names.append(Name(len(text), len(text) + len(name), entity, number, subject))
                text += name
        known = [key for key in listed if self.language in self._table.entities[key].names]
        for number, key in enumerate(known):
            lead = f"{self._join}{self._see_also}: " if not number else None
            text += _COMMAS.get(self.language, ", ") if lead is None else lead
            name = self.name(key)
            names.append(Name(len(text), len(text) + len(name), key, len(sentences), False))
            text += name
        return Written(text, tuple(names))

    def question(self, fact: Fact) -> str:
        """The wording that questions use, with a gap for the object."""
        template = self._table.relations[fact.relation].templates[self.language][0]
        name = self.name(fact.subject)
        if template.startswith("[X]"):
            name = first_upper(name, self.language)
        return GAP.join(part.replace("[X]", name) for part in template.split("[Y]"))

    def name(self, entity: str) -> str:
        """The plain name of an entity."""
        return self._table.entities[entity].names[self.language][0]

    def _template(self, sentence: Sentence) -> str:
        wordings = self._table.relations[sentence.fact.relation].templates[self.language]
        if sentence.fresh and len(wordings) > 1:
            wordings = wordings[1:]
        return wordings[sentence.wording % len(wordings)]
