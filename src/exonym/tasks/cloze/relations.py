"""A relation in one language while its facts are read: from triples to questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from exonym.tasks.cloze.records import OBJECT, SUBJECT, Candidate, Key, Question
from exonym.tasks.cloze.tables import Row


@dataclass
class Relation:
    """A relation in one language.

    Args:
        template: with both slots.
        subjects: by entity, its name and its answers.
        told_in: by subject, the languages that tell its facts, of those whose lines say so.
        labels: by object, its name.
    """

    template: str
    subjects: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    told_in: dict[str, dict[str, None]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def add(self, row: Row) -> Iterator[tuple[str, str]]:
        """Take a fact; what is odd about it, and under which reason it counts.

        A subject or object keeps its first name.
        """
        label = self.labels.setdefault(row.object, row.object_label)
        if label != row.object_label:
            yield _renamed(row.object, label, row.object_label), "second names"
        name, answers = self.subjects.setdefault(row.subject, (row.subject_label, []))
        if name != row.subject_label:
            yield _renamed(row.subject, name, row.subject_label), "second names"
        if row.told_in is not None:
            self.told_in.setdefault(row.subject, {}).update(dict.fromkeys(row.told_in))
        if row.object in answers:
            yield f"the fact {row.subject}, {row.object} for the second time", "repeated facts"
        else:
            answers.append(row.object)

    def questions(self, key: Key) -> Iterator[Question]:
        """One for each subject, in the order of the file."""
        language, relation = key
        for subject, (label, answers) in self.subjects.items():
            told = tuple(self.told_in[subject]) if subject in self.told_in else None
            yield Question(language, relation, subject, label, tuple(answers), told)

    def candidates(self) -> tuple[Candidate, ...]:
        """All its objects, in order of entity."""
        return tuple(Candidate(entity, self.labels[entity]) for entity in sorted(self.labels))


def fault_of(template: str) -> str | None:
    """What is wrong with a template; either slot may come first."""
    for slot in (SUBJECT, OBJECT):
        if template.count(slot) != 1:
            return f"the template {template!r} needs the slot {slot} exactly once"
    return None


def _renamed(entity: str, first: str, second: str) -> str:
    return f"{entity} is called {second!r} here, but {first!r} before"
