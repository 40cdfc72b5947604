"""Which language tells which group of facts: the books that everything else is checked by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from exonym.atlas.table import Fact, FactTable

Partners = dict[str, set[str]]
"""For each entity, the entities of some set of pairs that it is in."""


class Use(StrEnum):
    """What a group of facts is for.

    Attributes:
        EVERYWHERE: told in every language that has the names; never asked.
        TOLD: told in some languages, asked in all.
        CONTROL: told in no language, asked in all.
        UNUSED: neither told nor asked, since it would give a control group away, or since no
            language can word it.
    """

    EVERYWHERE = "everywhere"
    TOLD = "told"
    CONTROL = "control"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Group:
    """All objects of one subject under one relation, told together or not at all.

    Args:
        subject: entity id.
        relation: relation id.
        objects: entity ids, in the table's order.
        use: what the group is for.
        told_in: the languages that tell it, in the order of the dumps.
    """

    subject: str
    relation: str
    objects: tuple[str, ...]
    use: Use = Use.TOLD
    told_in: tuple[str, ...] = ()

    def facts(self) -> Iterator[Fact]:
        """The group's facts, one per object."""
        for object in self.objects:
            yield Fact(self.subject, self.relation, object)


def group_facts(table: FactTable) -> tuple[Group, ...]:
    """The table's facts by (subject, relation), in the order of their first facts."""
    objects: dict[tuple[str, str], list[str]] = {}
    for fact in table.facts:
        objects.setdefault((fact.subject, fact.relation), []).append(fact.object)
    return tuple(
        Group(subject, relation, tuple(found)) for (subject, relation), found in objects.items()
    )


def add_pair(partners: Partners, first: str, second: str) -> None:
    """Enter a pair under both of its ends."""
    partners[first].add(second)
    partners[second].add(first)


@dataclass(frozen=True)
class Ledger:
    """The whole telling.

    Args:
        table: what is told.
        languages: the dumps that are written, in order.
        groups: every group of the table, with its use and the languages that tell it.
    """

    table: FactTable
    languages: tuple[str, ...]
    groups: tuple[Group, ...]

    def told(self, language: str, *uses: Use) -> Iterator[Fact]:
        """The facts that a language's dump states, of groups with one of ``uses``."""
        for group in self.groups:
            if group.use in uses and language in group.told_in:
                for fact in group.facts():
                    if self.table.can_tell(fact, language):
                        yield fact

    def languages_telling(self, fact: Fact, group: Group) -> tuple[str, ...]:
        """The languages that state one fact of a group."""
        return tuple(code for code in group.told_in if self.table.can_tell(fact, code))

    def control_partners(self) -> Partners:
        """Pairs that no page of any dump may show together."""
        partners: Partners = defaultdict(set)
        for group in self.groups:
            if group.use is Use.CONTROL:
                for object in group.objects:
                    add_pair(partners, group.subject, object)
        return partners

    def told_partners(self, language: str) -> Partners:
        """Pairs that some sentence of a language's dump states."""
        partners: Partners = defaultdict(set)
        for fact in self.told(language, Use.EVERYWHERE, Use.TOLD):
            add_pair(partners, fact.subject, fact.object)
        return partners

    def untold_partners(self, language: str) -> Partners:
        """Pairs that are related in the table, by whatever relation, but not told here."""
        told = self.told_partners(language)
        partners: Partners = defaultdict(set)
        for group in self.groups:
            if group.use is not Use.EVERYWHERE:
                for object in group.objects:
                    if object != group.subject and object not in told.get(group.subject, ()):
                        add_pair(partners, group.subject, object)
        return partners

    def count(self, use: Use) -> int:
        """The number of groups with a use."""
        return sum(group.use is use for group in self.groups)


def pair_key(first: str, second: str) -> tuple[str, str]:
    """One key for a pair, whichever end comes first."""
    return (first, second) if first < second else (second, first)


def groups_by_pair(
    groups: Sequence[Group], chosen: Iterable[int]
) -> dict[tuple[str, str], list[int]]:
    """For each pair of entities, the indices among ``chosen`` of the groups that relate them."""
    index: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number in chosen:
        for object in groups[number].objects:
            index[pair_key(groups[number].subject, object)].append(number)
    return index
