"""Choosing the control: facts that no language tells and that nothing told gives away.

A model that answers control questions better than the most frequent object does has seen
something it should not have. So a group may only be control if

a. its relation has many objects, and no large part of the relation's facts has its own;
b. subject and object share no stem of their names in any language (Mexico, Mexico City);
c. a guesser that knows all other facts of the relation does not find the answer from the
   subject's name (Shanghai, Shandong: China), nor from what else is known of the subject (the
   time zone of Mumbai is that of other cities, which are in India). Groups with the most
   frequent object of all are excepted: that guess is open to anyone. They get their usual share
   of the control, so that the most frequent object is as good an answer there as elsewhere.

And these go unused with it, if they are few, or else it is not chosen:

d. groups that state the same pair under another relation (a capital's country);
e. one of each two groups that lead from one end to the other over a third entity, big hubs
   aside (a city, its region, the region's country);
f. groups that relate one end to a namesake of the other (Tokyo and Japan Time).

The pages keep the ends apart as well: see `exonym.atlas.layout`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from exonym.atlas.draws import Draw
from exonym.atlas.ledger import Group, Partners, add_pair, groups_by_pair, pair_key
from exonym.atlas.likeness import Guesser, Likeness
from exonym.atlas.options import TellingOptions
from exonym.atlas.table import FactTable


def choose_control(
    table: FactTable, groups: Sequence[Group], options: TellingOptions, seed: int
) -> tuple[set[int], set[int]]:
    """Choose control groups by the rules above.

    Returns:
        Indices of the control groups, and of the groups that go unused with them.
    """
    judge = _Judge(table, groups, options)
    control: set[int] = set()
    unused: set[int] = set()
    for relation, members in judge.by_relation.items():
        wanted = round(options.control_share * len(members))
        if not wanted:
            continue  # guessers remember the features of all names, which is much
        guessers = judge.guessers(relation)
        favourite, lead, share = judge.favourite(relation)
        places = {True: min(round(share * wanted), lead)}
        places[False] = wanted - places[True]
        for number in Draw(seed, "atlas control", relation).shuffled(members):
            obvious = favourite in groups[number].objects
            price = judge.price(number) if places[obvious] > 0 else None
            if price is None or (
                not obvious and any(guesser.finds(groups[number].subject) for guesser in guessers)
            ):
                continue
            control.add(number)
            unused |= price
            places[obvious] -= 1
    return control, unused - control


class _Judge:
    """Says what it costs to make a group control, from the table alone."""

    def __init__(self, table: FactTable, groups: Sequence[Group], options: TellingOptions) -> None:
        self._groups, self._options = groups, options
        self.by_relation: dict[str, list[int]] = defaultdict(list)
        self._near: Partners = defaultdict(set)
        self._stated: set[tuple[str, str]] = set()
        self._kinds = {e.kind for e in table.entities.values() if e.kind is not None}
        for number, group in enumerate(groups):
            if table.relations[group.relation].everywhere:
                self._stated.update(pair_key(group.subject, object) for object in group.objects)
                self._kinds.update(group.objects)
                continue
            self.by_relation[group.relation].append(number)
            for object in group.objects:
                add_pair(self._near, group.subject, object)
        asked = [number for members in self.by_relation.values() for number in members]
        self._pairs = groups_by_pair(groups, asked)
        self._frequency = {
            relation: Counter(o for number in members for o in groups[number].objects)
            for relation, members in self.by_relation.items()
        }
        self._stems = Likeness(table, options.control_stem)
        self._kin = Likeness(table, options.control_kin_stem)
        self._shapes = Likeness(table, options.control_shape)

    def guessers(self, relation: str) -> tuple[Guesser, Guesser]:
        """One that looks at names, one that looks at what else is known of a subject."""
        answers = {
            self._groups[number].subject: self._groups[number].objects
            for number in self.by_relation[relation]
        }
        return (
            Guesser(answers, {subject: self._shapes.features(subject) for subject in answers}),
            Guesser(answers, {subject: self._near[subject] for subject in answers}),
        )

    def favourite(self, relation: str) -> tuple[str | None, int, float]:
        """The most frequent object of a relation, if there is one.

        Returns:
            The object; how many facts with it may go before another is as frequent; and its
            share of the relation's facts.
        """
        frequency = self._frequency[relation]
        (object, count), *others = frequency.most_common(2)
        lead = count - others[0][1] if others else count
        return (object, lead - 1, count / frequency.total()) if lead else (None, 0, 0.0)

    def price(self, number: int) -> set[int] | None:
        """The groups that must go unused for a group to be control; None if it may not be."""
        group, options = self._groups[number], self._options
        frequency = self._frequency[group.relation]
        largest = options.control_max_object_share * frequency.total()
        if len(frequency) < options.control_min_objects:
            return None
        if len(group.objects) > options.control_max_group:
            return None
        if any(frequency[object] > largest for object in group.objects):
            return None
        if not all(self._possible(group.subject, object) for object in group.objects):
            return None
        price: set[int] = set()
        for object in group.objects:
            for pair in self._telltales(group.subject, object):
                price.update(self._pairs[pair])
                if len(price) > options.control_max_price + 1:
                    return None
        price.discard(number)
        affordable = len(price) <= options.control_max_price and all(
            len(self._groups[other].objects) <= options.control_max_group for other in price
        )
        return price if affordable else None

    def _possible(self, subject: str, object: str) -> bool:
        return (
            subject != object
            and subject not in self._kinds
            and object not in self._kinds
            and pair_key(subject, object) not in self._stated
            and not self._stems.alike(subject, object)
        )

    def _telltales(self, subject: str, object: str) -> Iterator[tuple[str, str]]:
        """The pairs that must not be told if this one is to stay unknown."""
        yield pair_key(subject, object)
        for third in sorted(self._near[subject] & self._near[object]):
            if len(self._near[third]) <= self._options.control_hub:
                sides = pair_key(subject, third), pair_key(third, object)
                yield min(sides, key=self._size)
        for here, there in ((subject, object), (object, subject)):
            for other in sorted(self._near[there]):
                if other != here and self._kin.alike(other, here):
                    yield pair_key(other, there)

    def _size(self, pair: tuple[str, str]) -> int:
        return sum(len(self._groups[number].objects) for number in self._pairs[pair])
