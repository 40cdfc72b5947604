"""Questions about passages: a cloze in one wording, the answer in a passage in another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from exonym.atlas.benchmarks.options import BenchmarkOptions
from exonym.atlas.benchmarks.splits import Pool
from exonym.atlas.benchmarks.tally import Tally
from exonym.atlas.benchmarks.wording import Sentence, Writer, Written
from exonym.atlas.benchmarks.world import World
from exonym.atlas.draws import Draw
from exonym.atlas.table import Fact
from exonym.foundation.files import JSON

_TRIES = 8
_LEAST = 3  # sentences that a language must have of a passage


@dataclass(frozen=True, slots=True)
class PassagePlan:
    """A passage and its questions, to be told in any language.

    Args:
        subject: what it is about.
        sentences: what it says.
        asked: ids of questions, and which sentence each asks about.
    """

    subject: str
    sentences: tuple[Sentence, ...]
    asked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage in one language.

    Args:
        title: of the subject's article.
        text: the passage.
        questions: by id: the question, the answer's first and last but one character, its fact.
    """

    title: str
    written: Written
    questions: Mapping[str, tuple[str, int, int, Fact]]


def plan_passages(pool: Pool, world: World, options: BenchmarkOptions) -> list[PassagePlan]:
    """The passages of a split, so that each relation is asked about as often as can be.

    No passage names two right answers to one of its questions.
    """
    draw = pool.draw("qa")
    objects = {(g.subject, g.relation): g.objects for g in world.ledger.groups}
    plans: list[PassagePlan] = []
    count = 0
    for _ in range(pool.rounds()):
        done: set[Fact] = set()
        for fact in pool.in_turn(draw):
            if count < options.size(pool.split) and fact not in done:
                most = min(options.questions, options.size(pool.split) - count)
                facts, asked = _passage(pool, fact, objects, options, draw, most)
                done.update(facts[:asked])
                order = draw.shuffled(range(len(facts)))
                wording = draw.integer(0, 5)
                sentences = tuple(Sentence(facts[n], wording + n, fresh=True) for n in order)
                ids = {f"qa-{pool.split}-{count + n + 1}": order.index(n) for n in range(asked)}
                plans.append(PassagePlan(fact.subject, sentences, ids))
                count += asked
    return plans


def _passage(
    pool: Pool,
    fact: Fact,
    objects: Mapping[tuple[str, str], Sequence[str]],
    options: BenchmarkOptions,
    draw: Draw,
    most: int,
) -> tuple[list[Fact], int]:
    """The facts of a passage, and how many of them, the first ones, are asked about.

    After questions come facts about the subject's neighbours, most of them of relations that are
    asked about, so that finding the relation is not enough.
    """
    present, chosen = {fact.subject, fact.object}, [fact]

    def fits(other: Fact) -> bool:
        named = present | {other.subject, other.object}
        return other not in chosen and all(
            sum(end in named for end in objects[one.subject, one.relation]) == 1
            for one in chosen[:asked]
        )

    asked = 1
    for other in draw.shuffled(pool.about(fact.subject)):
        new = other.subject == fact.subject and other.relation not in {f.relation for f in chosen}
        own = sum(end in present | {other.object} for end in objects[other.subject, other.relation])
        if asked < most and new and own == 1 and fits(other):
            chosen.append(other)
            present.add(other.object)
            asked += 1
    size = max(asked, draw.integer(*options.passage))
    for _ in range(size * _TRIES):
        relation = draw.pick(chosen[:asked]).relation
        other = pool.companion(draw, sorted(present), relation)
        if len(chosen) < size and fits(other):
            chosen.append(other)
            present.update((other.subject, other.object))
    return chosen, asked


def tell_passages(
    plans: Sequence[PassagePlan], world: World, language: str, tally: Tally
) -> list[Passage]:
    """The passages that a language can tell.

    A sentence that it cannot tell is left out of its passage, with the question about it; a
    passage of fewer than three sentences, or without a question, is left out.
    """
    writer = Writer(world.ledger.table, language)
    passages = []
    for plan in plans:
        reasons = [writer.obstacle(said) for said in plan.sentences]
        kept = [number for number, reason in enumerate(reasons) if reason is None]
        asked = {key: kept.index(n) for key, n in plan.asked.items() if reasons[n] is None}
        title = world.titles[language].get(plan.subject)
        if title is None or len(kept) < _LEAST:
            tally.left_out["questions: fewer than three sentences"] += len(plan.asked)
            continue
        tally.left_out.update(
            f"questions: {reasons[n]}" for n in plan.asked.values() if reasons[n] is not None
        )
        told = [plan.sentences[number] for number in kept]
        written = writer.write(told)
        questions = dict(_questions(writer, written, told, asked, tally))
        if not questions:
            continue
        tally.left_out.update(f"sentences: {reason}" for reason in reasons if reason is not None)
        tally.examples += len(questions)
        tally.labels.update(fact.relation for _, _, _, fact in questions.values())
        tally.add_sentences(world, language, told)
        passages.append(Passage(title, written, questions))
    return passages


def _questions(
    writer: Writer,
    written: Written,
    told: Sequence[Sentence],
    asked: Mapping[str, int],
    tally: Tally,
) -> Iterator[tuple[str, tuple[str, int, int, Fact]]]:
    for key, number in asked.items():
        fact = told[number].fact
        if writer.name(fact.object).casefold() in writer.name(fact.subject).casefold():
            tally.left_out["questions: the answer stands in the question"] += 1
            continue
        answer = written.of(number, subject=False)
        yield key, (writer.question(fact), answer.start, answer.end, fact)


def squad(
    passages: Sequence[Passage], asking: Sequence[Passage], world: World
) -> tuple[JSON, Counter[str]]:
    """Passages in SQuAD's layout, with the questions of ``asking``, of the same ids.

    Returns:
        The document, and the number of questions by relation.
    """
    asked = {key: one[0] for passage in asking for key, one in passage.questions.items()}
    articles, counts = [], Counter[str]()
    for passage in passages:
        text = passage.written.text
        entries = [
            {
                "id": key,
                "question": asked[key],
                "answers": [{"text": text[start:end], "answer_start": start}],
                "subject": fact.subject,
                "relation": fact.relation,
                "object": fact.object,
                "told_in": list(world.told_in[fact]),
            }
            for key, (_, start, end, fact) in passage.questions.items()
            if key in asked
        ]
        counts.update(str(entry["relation"]) for entry in entries)
        if entries:
            paragraph = {"context": text, "qas": entries}
            articles.append({"title": passage.title, "paragraphs": [paragraph]})
    return {"version": "1.1", "data": articles}, counts
