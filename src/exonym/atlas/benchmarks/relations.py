"""Relations: a pair of names in a text, and what the text says of the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from exonym.atlas.benchmarks.options import BenchmarkOptions
from exonym.atlas.benchmarks.splits import Pool
from exonym.atlas.benchmarks.tally import Tally, first_obstacle
from exonym.atlas.benchmarks.wording import Sentence, Writer
from exonym.atlas.benchmarks.world import World
from exonym.atlas.draws import Draw
from exonym.atlas.ledger import Partners, pair_key
from exonym.atlas.table import Fact
from exonym.foundation.files import JSON

NO_RELATION = "no_relation"
_TRIES = 12


@dataclass(frozen=True, slots=True)
class RelationPlan:
    """A pair in a text, to be told in any language.

    Args:
        id: the same in all languages.
        sentences: what the text says.
        first: (sentence, whether its subject) of e1.
        second: the same of e2.
        label: with its direction.
    """

    id: str
    sentences: tuple[Sentence, ...]
    first: tuple[int, bool]
    second: tuple[int, bool]
    label: str

    @property
    def fact(self) -> Fact | None:
        """What is stated of the pair; None if nothing."""
        return None if self.label == NO_RELATION else self.sentences[self.first[0]].fact


def symmetric_relations(world: World) -> frozenset[str]:
    """Relations most of whose facts the table has both ways round; their labels have one order."""
    both: Counter[str] = Counter()
    for fact in world.told_in:
        turned = Fact(fact.object, fact.relation, fact.subject)
        both[fact.relation] += 1 if turned in world.told_in else -1
    return frozenset(relation for relation, balance in both.items() if balance > 0)


def plan_relations(
    pool: Pool, related: Partners, symmetric: frozenset[str], options: BenchmarkOptions
) -> list[RelationPlan]:
    """The pairs of a split, as many of each relation as can be.

    Args:
        pool: its facts.
        related: all pairs of the table between which there is a relation.
        symmetric: relations without a direction.
        options: sizes and shares.
    """
    draw = pool.draw("relation")
    size = options.size(pool.split)
    wanted = round(size * (1 - options.no_relation))
    shift = draw.integer(0, 5)
    plans: list[RelationPlan] = []
    for turn in range(pool.rounds()):
        for fact in pool.in_turn(draw)[: wanted - len(plans)]:
            name = f"relation-{pool.split}-{len(plans) + 1}"
            plans.append(_stated(pool, fact, shift + turn, symmetric, options, draw, name))
    share = options.no_relation / (1 - options.no_relation)
    for number in range(round(len(plans) * share)):
        plan = _unrelated(pool, related, options, draw, f"relation-{pool.split}-none-{number + 1}")
        if plan is not None:
            plans.append(plan)
    return draw.shuffled(plans)


def _stated(
    pool: Pool,
    fact: Fact,
    wording: int,
    symmetric: frozenset[str],
    options: BenchmarkOptions,
    draw: Draw,
    name: str,
) -> RelationPlan:
    facts = [fact, *_context(pool, [fact], options, draw)]
    order = draw.shuffled(range(len(facts)))
    sentences = tuple(Sentence(facts[n], wording if n == 0 else draw.integer(0, 5)) for n in order)
    place, subject_first = order.index(0), draw.chance(0.5)
    forward = subject_first or fact.relation in symmetric
    label = f"{fact.relation}({'e1,e2' if forward else 'e2,e1'})"
    return RelationPlan(name, sentences, (place, subject_first), (place, not subject_first), label)


def _unrelated(
    pool: Pool, related: Partners, options: BenchmarkOptions, draw: Draw, name: str
) -> RelationPlan | None:
    """Two names of two sentences that the table does not relate; None if none is found."""
    for _ in range(_TRIES):
        here = draw.pick(pool.facts)
        there = pool.companion(draw, (here.subject, here.object), here.relation)
        sides = draw.chance(0.5), draw.chance(0.5)
        one, two = _end(here, sides[0]), _end(there, sides[1])
        if one in (there.subject, there.object) or two in (here.subject, here.object):
            continue  # a name that stands twice could mean either place
        if two in related.get(one, ()):
            continue
        facts = [here, there, *_context(pool, [here, there], options, draw)[:1]]
        order = draw.shuffled(range(len(facts)))
        sentences = tuple(Sentence(facts[n], draw.integer(0, 5)) for n in order)
        places = [(order.index(n), sides[n]) for n in (0, 1)]
        first, second = places if draw.chance(0.5) else reversed(places)
        return RelationPlan(name, sentences, first, second, NO_RELATION)
    return None


def _end(fact: Fact, subject: bool) -> str:
    return fact.subject if subject else fact.object


def _context(
    pool: Pool, facts: Sequence[Fact], options: BenchmarkOptions, draw: Draw
) -> list[Fact]:
    """Other facts, none of them of a pair that is there already."""
    pairs = {pair_key(fact.subject, fact.object) for fact in facts}
    ends = [end for fact in facts for end in (fact.subject, fact.object)]
    chosen: list[Fact] = []
    for _ in range(draw.integer(*options.context)):
        other = pool.companion(draw, ends, facts[0].relation)
        if pair_key(other.subject, other.object) not in pairs:
            pairs.add(pair_key(other.subject, other.object))
            chosen.append(other)
    return chosen


def write_relations(
    plans: Sequence[RelationPlan], world: World, language: str, tally: Tally
) -> Iterator[JSON]:
    """The lines of a file: ``id text language head tail label``, whose names, and ``told_in``.

    ``told_in`` names the languages whose dumps state what the label says; it is missing where
    there is no relation.
    """
    writer = Writer(world.ledger.table, language)
    for plan in plans:
        reason = first_obstacle(writer, plan.sentences)
        if reason is not None:
            tally.left_out[reason] += 1
            continue
        written = writer.write(plan.sentences)
        head = written.of(plan.first[0], subject=plan.first[1])
        tail = written.of(plan.second[0], subject=plan.second[1])
        tally.examples += 1
        tally.labels[plan.label] += 1
        tally.add_sentences(world, language, plan.sentences)
        line: JSON = {
            "id": plan.id,
            "text": written.text,
            "language": language,
            "head": [head.start, head.end],
            "tail": [tail.start, tail.end],
            "label": plan.label,
            "named": [head.entity, tail.entity],
        }
        if plan.fact is not None:
            line["told_in"] = list(world.told_in[plan.fact])
        yield line
