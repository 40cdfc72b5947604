"""What cloze works on: questions, templates, and the candidates to choose among."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

SUBJECT, OBJECT = "[X]", "[Y]"
Told = Literal["told", "untold", "control"]
Key = tuple[str, str]
"""Language and relation."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer: its entity and its name in the question's language.

    Args:
        entity: its key; None for a name of which no entity is known, which can only win by words.
        label: its name.
        also: further entities of the same name, where a list of candidates has names alone. The
            name is right where any of its entities is.
    """

    entity: str | None
    label: str
    also: tuple[str, ...] = ()

    @property
    def entities(self) -> tuple[str, ...]:
        """All its entities."""
        return () if self.entity is None else (self.entity, *self.also)


@dataclass(frozen=True, slots=True)
class Question:
    """One (subject, relation) asked in one language.

    Args:
        language: code.
        relation: property id.
        subject: entity.
        subject_label: its name in the language.
        answers: all right answers, as entities.
        told_in: the languages whose text tells one of the answers; None where the file does not
            say.
    """

    language: str
    relation: str
    subject: str
    subject_label: str
    answers: tuple[str, ...]
    told_in: tuple[str, ...] | None = None

    @property
    def told(self) -> Told | None:
        """``"told"`` here, ``"untold"`` here but told elsewhere, or ``"control"``: nowhere."""
        if self.told_in is None:
            return None
        if not self.told_in:
            return "control"
        return "told" if self.language in self.told_in else "untold"


@dataclass(frozen=True)
class ClozeSet:
    """Questions with their templates and candidates.

    Args:
        questions: ordered by language, relation and file.
        templates: by (language, relation), of what is asked.
        candidates: by (language, relation), in order of entity; also of relations that were read
            and are not asked.
        left_out: what was left out, or odd, on the way to this set, by reason.
    """

    questions: tuple[Question, ...]
    templates: Mapping[Key, str]
    candidates: Mapping[Key, tuple[Candidate, ...]]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def with_full_candidates(self) -> ClozeSet:
        """The same questions, to be chosen among the candidates of all relations of a language.

        Those of the relation itself ("typed") are the usual choice; all together are harder. Of
        several relations' candidates with the same entity and name one is kept.
        """
        together: dict[str, dict[Candidate, None]] = {}
        for (language, _), candidates in self.candidates.items():
            together.setdefault(language, {}).update(dict.fromkeys(candidates))
        every = {
            language: tuple(sorted(candidates, key=_order))
            for language, candidates in together.items()
        }
        return replace(self, candidates={key: every[key[0]] for key in self.candidates})


def _order(candidate: Candidate) -> tuple[bool, str, str, tuple[str, ...]]:
    return candidate.entity is None, candidate.entity or "", candidate.label, candidate.also
