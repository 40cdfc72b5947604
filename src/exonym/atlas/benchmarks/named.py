"""Named entities: short texts of true sentences in which every name is marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exonym.atlas.benchmarks.options import BenchmarkOptions
from exonym.atlas.benchmarks.splits import Pool
from exonym.atlas.benchmarks.tally import Tally, first_obstacle
from exonym.atlas.benchmarks.wording import Sentence, Writer
from exonym.atlas.benchmarks.world import World
from exonym.atlas.draws import Draw
from exonym.atlas.table import Fact, FactTable
from exonym.foundation.files import JSON

OTHER = "other"
_MORE_TRIES = 4
_LISTED = (2, 4)


@dataclass(frozen=True, slots=True)
class NamedPlan:
    """A text with named entities, to be told in any language.

    Args:
        id: the same in all languages.
        sentences: what it says.
        listed: entities that a list at its end names.
    """

    id: str
    sentences: tuple[Sentence, ...]
    listed: tuple[str, ...]


def entity_types(table: FactTable, most: int) -> dict[str, str]:
    """The type of each entity, for its kind.

    The kinds with most entities are types, called by their English names (``country``,
    ``country_subdivision``) or else ids; all others are ``other``.

    Args:
        table: the entities.
        most: how many kinds are types.
    """
    kinds = Counter(entity.kind for entity in table.entities.values() if entity.kind)
    names: dict[str, str] = {}
    for kind, _ in kinds.most_common(most):  # equal ones in the table's order
        name = table.entities[kind].name("en") or kind
        label = "_".join(name.split())
        names[kind] = label if label not in (OTHER, *names.values()) else kind
    return {
        key: names.get(entity.kind, OTHER) if entity.kind else OTHER
        for key, entity in table.entities.items()
    }


def plan_named(pool: Pool, options: BenchmarkOptions) -> list[NamedPlan]:
    """The texts of a split; every relation begins as many of them as it can."""
    draw = pool.draw("ner")
    plans: list[NamedPlan] = []
    anchors = [fact for _ in range(options.rounds) for fact in pool.in_turn(draw)]
    for fact in anchors[: options.size(pool.split)]:
        facts = [fact, *_company(pool, fact, draw, draw.integer(*options.sentences) - 1)]
        sentences = tuple(Sentence(one, draw.integer(0, 5)) for one in draw.shuffled(facts))
        listed: tuple[str, ...] = ()
        if draw.chance(options.listing):
            present = {end for one in facts for end in (one.subject, one.object)}
            some = (draw.pick(pool.facts) for _ in range(draw.integer(*_LISTED)))
            ends = (f.subject if draw.chance(0.5) else f.object for f in some)
            listed = tuple(key for key in dict.fromkeys(ends) if key not in present)
        plans.append(NamedPlan(f"ner-{pool.split}-{len(plans) + 1}", sentences, listed))
    return plans


def _company(pool: Pool, fact: Fact, draw: Draw, count: int) -> list[Fact]:
    """Up to ``count`` other facts, about the same entities or of the same relation."""
    chosen: list[Fact] = []
    for _ in range(count * _MORE_TRIES):
        ends = [end for one in (fact, *chosen) for end in (one.subject, one.object)]
        other = pool.companion(draw, ends, fact.relation)
        if len(chosen) < count and other != fact and other not in chosen:
            chosen.append(other)
    return chosen


def write_named(
    plans: Sequence[NamedPlan],
    world: World,
    language: str,
    types: Mapping[str, str],
    tally: Tally,
) -> Iterator[JSON]:
    """The lines of a file: ``id``, ``text``, ``language``, ``spans``, ``named`` (whose names)."""
    writer = Writer(world.ledger.table, language)
    for plan in plans:
        reason = first_obstacle(writer, plan.sentences)
        if reason is not None:
            tally.left_out[reason] += 1
            continue
        written = writer.write(plan.sentences, plan.listed)
        told = sum(name.sentence == len(plan.sentences) for name in written.names)
        if told < len(plan.listed):
            tally.left_out["listed names: no name"] += len(plan.listed) - told
        tally.examples += 1
        tally.labels.update(types[name.entity] for name in written.names)
        tally.add_sentences(world, language, plan.sentences)
        yield {
            "id": plan.id,
            "text": written.text,
            "language": language,
            "spans": [[name.start, name.end, types[name.entity]] for name in written.names],
            "named": [name.entity for name in written.names],
        }
