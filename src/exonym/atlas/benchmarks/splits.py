"""Which entities and facts are for training, for validation, and for tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from exonym.atlas.benchmarks.options import BenchmarkOptions
from exonym.atlas.benchmarks.world import World
from exonym.atlas.draws import Draw
from exonym.atlas.ledger import Partners, add_pair
from exonym.atlas.table import Fact, FactTable

SPLITS = ("train", "validation", "test")
_DRAWS_ITSELF = 6  # neighbours; with fewer, an entity goes where one of them is
_TURNS = 16


def split_entities(world: World, options: BenchmarkOptions) -> dict[str, str]:
    """Say for which split each entity is.

    Entities that share a name in some language stay together (Luxembourg and its capital). Those
    with many neighbours are drawn, kind by kind; another one follows the least connected of its
    neighbours that has been placed, so that fewer facts lie between splits. Of several such draws
    that one is taken whose poorest split has most facts for its share.
    """
    members = _namesakes(world.ledger.table)
    home = {key: first for first, keys in members.items() for key in keys}
    facts = [(home[fact.subject], home[fact.object]) for fact in world.told_in]
    near: Partners = defaultdict(set)
    for one, two in facts:
        if one != two:
            add_pair(near, one, two)
    best: dict[str, str] = {}
    most = -1.0
    for turn in range(_TURNS):
        found = _draw_homes(world.ledger.table, list(members), near, options, turn)
        usable = Counter(found[one] for one, two in facts if found[one] == found[two])
        poorest = min(usable[split] / options.share(split) for split in SPLITS)
        if poorest > most:
            best, most = found, poorest
    return {key: best[home[key]] for key in world.ledger.table.entities}


def _draw_homes(
    table: FactTable, firsts: Sequence[str], near: Partners, options: BenchmarkOptions, turn: int
) -> dict[str, str]:
    """One draw: the split of each set of namesakes, by the first of them."""
    order = sorted(firsts, key=lambda first: -len(near[first]))  # stable: the table's order
    lone: dict[str | None, list[str]] = defaultdict(list)
    for first in order:
        if len(near[first]) >= _DRAWS_ITSELF:
            lone[table.entities[first].kind].append(first)
    found: dict[str, str] = {}
    for kind, some in lone.items():
        draw = Draw(options.seed, "atlas benchmarks", "entities", kind or "", turn)
        shift = draw.unit()
        for place, first in enumerate(draw.shuffled(some)):
            found[first] = _split_at((place + shift) / len(some) % 1.0, options)
    draw = Draw(options.seed, "atlas benchmarks", "other entities", turn)
    for first in order:
        mark = draw.unit()
        if first not in found:
            placed = [other for other in near[first] if other in found]
            least = min(placed, key=lambda other: (len(near[other]), other), default=None)
            found[first] = found[least] if least else _split_at(mark, options)
    return found


def _namesakes(table: FactTable) -> dict[str, list[str]]:
    """Entities that share names with one another, by the first of them."""
    parent = {key: key for key in table.entities}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    seen: dict[tuple[str, str], str] = {}
    for key, entity in table.entities.items():
        for code, names in entity.names.items():
            other = root(seen.setdefault((code, names[0].casefold()), key))
            parent[root(key)] = other
    members: dict[str, list[str]] = defaultdict(list)
    for key in table.entities:
        members[root(key)].append(key)
    return {keys[0]: keys for keys in members.values()}


def _split_at(mark: float, options: BenchmarkOptions) -> str:
    """The split of a draw in [0, 1)."""
    if mark < options.train_share:
        return "train"
    return "validation" if mark < options.train_share + options.validation_share else "test"


class Pool:
    """The facts of one split: both of their ends are for it.

    Training and validation have facts that the source language can tell and some dump tells, so
    that no control is trained on. Tests have any fact; those come first that stand in the fewest
    dumps and can be told in most languages.

    Args:
        world: where the facts are from.
        homes: the split of each entity.
        split: which one.
        options: seed and source language.
    """

    def __init__(
        self, world: World, homes: Mapping[str, str], split: str, options: BenchmarkOptions
    ) -> None:
        table, source = world.ledger.table, options.source
        self.split, self._options = split, options
        self.entities = tuple(key for key, home in homes.items() if home == split)
        self.facts = tuple(
            fact
            for fact, told_in in world.told_in.items()
            if homes[fact.subject] == homes[fact.object] == split
            and (split == "test" or (told_in and table.can_tell(fact, source)))
        )
        self._cost = {fact: world.obstacles(fact) if split == "test" else 0 for fact in self.facts}
        self._of: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            self._of[fact.subject].append(fact)
            self._of[fact.object].append(fact)
        self._like: dict[str, list[Fact]] = defaultdict(list)
        for fact in self.facts:
            self._like[fact.relation].append(fact)

    def draw(self, task: str) -> Draw:
        """The stream of draws for a task."""
        return Draw(self._options.seed, "atlas benchmarks", task, self.split)

    def rounds(self) -> int:
        """How often a fact may be used."""
        return self._options.rounds if self.split == "train" else 1

    def in_turn(self, draw: Draw) -> list[Fact]:
        """All facts, the relations taking turns, so that each has its share of any beginning."""
        waiting = [
            sorted(draw.shuffled(facts), key=self._cost.__getitem__)
            for facts in self._like.values()
        ]
        longest = max(map(len, waiting), default=0)
        return [facts[turn] for turn in range(longest) for facts in waiting if turn < len(facts)]

    def about(self, entity: str) -> Sequence[Fact]:
        """The facts that an entity is in."""
        return self._of[entity]

    def companion(self, draw: Draw, ends: Sequence[str], relation: str) -> Fact:
        """A fact about one of some entities, or of the relation: of three drawn the cheapest."""
        tries = []
        for _ in range(3):
            near = self._of[draw.pick(ends)]
            tries.append(draw.pick(near if draw.chance(0.5) else self._like[relation]))
        return min(tries, key=self._cost.__getitem__)
