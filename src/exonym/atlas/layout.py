"""Placing sentences on pages, so that no page says by its company what its wiki does not tell.

One rule holds for every page of every wiki: if two entities are related in the table, and this
wiki does not tell it, then no page of it names both. So training text that is packed from a
whole page cannot give an untold fact away, and a control fact in no language at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from exonym.atlas.draws import Draw
from exonym.atlas.ledger import Ledger, Partners, Use
from exonym.atlas.options import TellingOptions
from exonym.atlas.table import Fact

_NEARBY_TRIES, _RANDOM_TRIES = 8, 16
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence: a fact in one of its wordings.

    Args:
        fact: what is said.
        wording: index among the relation's templates in the wiki's language.
    """

    fact: Fact
    wording: int

    @property
    def ends(self) -> tuple[str, str]:
        """Subject and object."""
        return self.fact.subject, self.fact.object


@dataclass(slots=True)
class PagePlan:
    """What stands on one page.

    Args:
        entity: whose page it is; None for a list page.
        relation: what a list page lists; None for an entity's page.
        own: sentences about the page's entity; the one that opens the page comes first.
        guests: sentences about other entities.
        see_also: entities that are only linked.
        present: every entity that the page names.
    """

    entity: str | None = None
    relation: str | None = None
    own: list[Statement] = field(default_factory=list)
    guests: list[Statement] = field(default_factory=list)
    see_also: list[str] = field(default_factory=list)
    present: set[str] = field(default_factory=set)


class Layout:
    """The pages of one wiki, filled by `lay_out`.

    Args:
        ledger: what the wiki tells.
        language: the wiki's language.
        entities: the entities with a page, in the table's order.
    """

    def __init__(self, ledger: Ledger, language: str, entities: Sequence[str]) -> None:
        self.language = language
        self.pages = {key: PagePlan(entity=key, present={key}) for key in entities}
        self.lists: dict[str, list[PagePlan]] = defaultdict(list)
        self.untold: Partners = ledger.untold_partners(language)

    def plans(self) -> list[PagePlan]:
        """Every page: entities in the table's order, then the list pages."""
        return [*self.pages.values(), *(plan for plans in self.lists.values() for plan in plans)]

    def admits(self, plan: PagePlan, keys: Iterable[str]) -> bool:
        """Whether a page that names some entities still keeps the rule."""
        return all(plan.present.isdisjoint(self.untold.get(key, _NOBODY)) for key in keys)

    def place_own(self, statement: Statement) -> bool:
        """Put a sentence on its subject's page, if that keeps the rule."""
        plan = self.pages[statement.fact.subject]
        if not self.admits(plan, statement.ends):
            return False
        plan.own.append(statement)
        plan.present.update(statement.ends)
        return True

    def place_guest(self, statement: Statement, hosts: Iterable[str]) -> bool:
        """Put a sentence on the first of ``hosts`` that may show it and does not yet say it."""
        for host in hosts:
            if host in statement.ends:
                continue
            plan = self.pages[host]
            if self._joins(plan, statement):
                return True
        return False

    def place_on_list(self, statement: Statement) -> None:
        """Put a sentence on a list page of its relation, a new one if need be."""
        plans = self.lists[statement.fact.relation]
        if not any(self._joins(plan, statement) for plan in plans):
            plan = PagePlan(relation=statement.fact.relation)
            self._joins(plan, statement)
            plans.append(plan)

    def _joins(self, plan: PagePlan, statement: Statement) -> bool:
        said = any(guest.fact == statement.fact for guest in plan.guests)
        if said or not self.admits(plan, statement.ends):
            return False
        plan.guests.append(statement)
        plan.present.update(statement.ends)
        return True


def lay_out(
    ledger: Ledger, language: str, entities: Sequence[str], options: TellingOptions, seed: int
) -> Layout:
    """Place every sentence that a language tells.

    Each told fact stands on its subject's page (unless that would break the rule above) and on
    pages of other entities, the number of sentences being drawn from ``options.repetitions``.
    What an entity is stands on its own page and, if fewer than ``options.linked_from`` others
    link to it, on some of them; an entity of which that is not known is linked from "see also"
    lists.
    """
    layout = Layout(ledger, language, entities)
    placer = _Placer(layout, ledger, options, seed)
    placer.place_kinds_at_home()
    placer.place_facts()
    placer.place_mentions()
    return layout


class _Placer:
    def __init__(self, layout: Layout, ledger: Ledger, options: TellingOptions, seed: int) -> None:
        self._layout, self._options, language = layout, options, layout.language
        self._draw = Draw(seed, "atlas layout", language)
        self._table, self._entities = ledger.table, list(layout.pages)
        self._kinds = list(ledger.told(language, Use.EVERYWHERE))
        self._facts = list(ledger.told(language, Use.TOLD))
        self._near: dict[str, list[str]] = defaultdict(list)
        for fact in self._facts:
            self._near[fact.subject].append(fact.object)
            self._near[fact.object].append(fact.subject)
        self._alike: dict[str | None, list[str]] = defaultdict(list)
        for key in self._entities:
            self._alike[self._table.entities[key].kind].append(key)
        self._homeless: set[Fact] = set()

    def place_kinds_at_home(self) -> None:
        for fact in self._kinds:
            if not self._layout.place_own(self._wordings(fact, 1)[0]):
                self._homeless.add(fact)

    def place_facts(self) -> None:
        """First every sentence at home, so that guests see whom they would meet."""
        waiting: list[Statement] = []
        for fact in self._facts:
            home, *away = self._wordings(fact, self._draw.integer(*self._options.repetitions))
            if not self._layout.place_own(home):
                away.append(home)
            waiting.extend(away)
        for statement in self._draw.shuffled(waiting):
            if not self._layout.place_guest(statement, self._hosts(statement.fact)):
                self._layout.place_on_list(statement)

    def place_mentions(self) -> None:
        """See to it that enough pages link to each entity."""
        linked = Counter(
            key
            for plan in self._layout.plans()
            for key in {end for said in (*plan.own, *plan.guests) for end in said.ends}
            if key != plan.entity
        )
        least = self._options.linked_from
        for fact in self._draw.shuffled(self._kinds):
            missing = max(0, least - linked[fact.subject], fact in self._homeless)
            for statement in self._wordings(fact, missing):
                linked[fact.subject] += 1
                pages = self._layout.pages
                new = (h for h in self._hosts(fact) if fact.subject not in pages[h].present)
                if not self._layout.place_guest(statement, new):
                    self._layout.place_on_list(statement)
        for key in self._draw.shuffled(self._entities):
            for _ in range(least - linked[key]):
                self._link_somewhere(key)

    def _link_somewhere(self, key: str) -> None:
        for _ in range(_RANDOM_TRIES):
            plan = self._layout.pages[self._draw.pick(self._entities)]
            if key not in plan.present and self._layout.admits(plan, [key]):
                plan.see_also.append(key)
                plan.present.add(key)
                return

    def _wordings(self, fact: Fact, count: int) -> list[Statement]:
        """``count`` sentences for a fact, each wording used once before any is used again."""
        templates = self._table.relations[fact.relation].templates[self._layout.language]
        order: list[int] = []
        while len(order) < count:
            order.extend(self._draw.shuffled(range(len(templates))))
        return [Statement(fact, wording) for wording in order[:count]]

    def _hosts(self, fact: Fact) -> Iterable[str]:
        """Pages to try for a guest sentence: of related entities, of its like, then of any."""
        draw, kind = self._draw, self._table.entities[fact.subject].kind
        for _ in range(_NEARBY_TRIES):
            near = self._near[fact.subject if draw.chance(0.5) else fact.object]
            pool = near if near and draw.chance(0.6) else self._alike[kind]
            if pool:
                yield draw.pick(pool)
        for _ in range(_RANDOM_TRIES):
            yield draw.pick(self._entities)
