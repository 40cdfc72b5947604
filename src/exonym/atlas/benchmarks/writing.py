"""Writing the benchmarks of a world to a folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from exonym.atlas.benchmarks.named import entity_types, plan_named, write_named
from exonym.atlas.benchmarks.options import BenchmarkOptions
from exonym.atlas.benchmarks.questions import Passage, plan_passages, squad, tell_passages
from exonym.atlas.benchmarks.relations import plan_relations, symmetric_relations, write_relations
from exonym.atlas.benchmarks.splits import SPLITS, Pool, split_entities
from exonym.atlas.benchmarks.tally import Tally
from exonym.atlas.benchmarks.wording import GAP
from exonym.atlas.benchmarks.world import World, read_world
from exonym.atlas.ledger import Partners, add_pair
from exonym.foundation.errors import ConfigError, InputError
from exonym.foundation.files import JSON, atomic_directory, atomic_file, write_manifest
from exonym.foundation.progress import stage

FORMAT, VERSION = "exonym-atlas-benchmarks", 1
TASKS = ("ner", "relation", "qa")

Counts = dict[str, dict[str, dict[str, Tally]]]


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """What was written.

    Args:
        directory: where.
        languages: of the tests, in order.
        counts: by task, split and language; the keys are those of ``manifest.json``.
        empty: files that would have no example, such as ``"ner/sw/test"``, and are not there.
    """

    directory: Path
    languages: tuple[str, ...]
    counts: Mapping[str, Mapping[str, Mapping[str, JSON]]]
    empty: tuple[str, ...]


def write_benchmarks(
    dumps: Path,
    out: Path,
    *,
    table: Path | None = None,
    options: BenchmarkOptions | None = None,
    overwrite: bool = False,
) -> BenchmarkReport:
    """Write named entities, relations and questions from what a written world tells.

    The same arguments give the same bytes.

    Args:
        dumps: what `write_atlas` wrote.
        out: the new directory; it appears only when it is whole.
        table: the table of facts that the world tells; None is the one that comes with Exonym.
        options: how many examples, and what they look like.
        overwrite: replace ``out`` if it exists.

    Raises:
        ExistsError: ``out`` exists and is not empty.
        InputError: no such world; it tells another table; or it is too small for a task.
        ConfigError: the source language is none of its languages.
    """
    options = options or BenchmarkOptions()
    world = read_world(dumps, table)
    if options.source not in world.languages:
        raise ConfigError(
            f"the source language {options.source!r} is none of the world's",
            where=dumps,
            remedy=f"It has {', '.join(world.languages)}",
        )
    homes = split_entities(world, options)
    pools = {split: Pool(world, homes, split, options) for split in SPLITS}
    poor = [split for split, pool in pools.items() if not pool.facts]
    if poor:
        raise InputError(
            f"the world is too small: no fact is left for {' and '.join(poor)}",
            where=dumps,
            remedy="Write one with more entities: exonym atlas write --out DIR --entities 600",
        )
    counts: Counts = {task: defaultdict(dict) for task in TASKS}
    with atomic_directory(out, overwrite=overwrite) as partial:
        with stage("Writing benchmarks", total=len(SPLITS), unit="splits") as progress:
            for pool in pools.values():
                _write_split(partial, world, pool, options, counts)
                progress.note(pool.split)
                progress.advance()
        report = _report(out, world, counts)
        _write_manifest(partial, report, world, homes, pools, options)
    return report


def _write_split(
    directory: Path, world: World, pool: Pool, options: BenchmarkOptions, counts: Counts
) -> None:
    """The files of all tasks for one split."""
    codes = world.languages if pool.split == "test" else (options.source,)
    types = entity_types(world.ledger.table, options.types)
    texts = plan_named(pool, options)
    pairs = plan_relations(pool, _related(world), symmetric_relations(world), options)
    plans = plan_passages(pool, world, options)
    passages: dict[str, list[Passage]] = {}
    for code in codes:
        tally = {task: Tally() for task in TASKS}
        lines = list(write_named(texts, world, code, types, tally["ner"]))
        _write_lines(directory / "ner" / code / f"{pool.split}.jsonl", lines)
        lines = list(write_relations(pairs, world, code, tally["relation"]))
        _write_lines(directory / "relation" / code / f"{pool.split}.jsonl", lines)
        passages[code] = tell_passages(plans, world, code, tally["qa"])
        _write_document(directory / "qa" / f"{pool.split}.{code}.json", world, passages[code])
        for task in TASKS:
            counts[task][pool.split][code] = tally[task]
    if pool.split == "test":
        for context, question in _pairs(codes, options):
            name = f"context-{context}-question-{question}"
            path = directory / "qa" / f"test-{name}.json"
            labels = _write_document(path, world, passages[context], passages[question])
            counts["qa"]["test"][name] = Tally(labels.total(), labels)


def _pairs(codes: Sequence[str], options: BenchmarkOptions) -> Iterator[tuple[str, str]]:
    known = [code for code in options.pairs if code in codes]
    yield from ((c, q) for c in known for q in known if c != q)


def _related(world: World) -> Partners:
    """All pairs of the table that some fact relates, what kind of thing one is among them."""
    related: Partners = defaultdict(set)
    for group in world.ledger.groups:
        for object in group.objects:
            add_pair(related, group.subject, object)
    return related


def _write_lines(path: Path, lines: Sequence[JSON]) -> None:
    if lines:
        with atomic_file(path) as stream:
            for line in lines:
                stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def _write_document(
    path: Path, world: World, passages: Sequence[Passage], asking: Sequence[Passage] | None = None
) -> Counter[str]:
    """A file of questions; ``asking`` has them in another language. Returns counts by relation."""
    document, labels = squad(passages, passages if asking is None else asking, world)
    if labels:
        with atomic_file(path) as stream:
            stream.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
    return labels


def _report(out: Path, world: World, counts: Counts) -> BenchmarkReport:
    shown = {
        task: {
            split: {name: tally.to_json() for name, tally in files.items()}
            for split, files in splits.items()
        }
        for task, splits in counts.items()
    }
    empty = tuple(
        f"{task}/{name}/{split}"
        for task, splits in counts.items()
        for split, files in splits.items()
        for name, tally in files.items()
        if not tally.examples
    )
    return BenchmarkReport(out, world.languages, shown, empty)


def _facts(world: World, homes: Mapping[str, str], pools: Mapping[str, Pool]) -> dict[str, int]:
    """How many facts each split has, and why others are in none."""
    counts = {split: len(pool.facts) for split, pool in pools.items()}
    between = sum(homes[fact.subject] != homes[fact.object] for fact in world.told_in)
    unfit = len(world.told_in) - between - sum(counts.values())
    return {
        **counts,
        "between two splits": between,
        "not for training: told nowhere, or not in the source language's words": unfit,
    }


def _write_manifest(
    directory: Path,
    report: BenchmarkReport,
    world: World,
    homes: Mapping[str, str],
    pools: Mapping[str, Pool],
    options: BenchmarkOptions,
) -> None:
    table = world.ledger.table
    kinds: dict[str, dict[str, int]] = defaultdict(dict)
    for key, label in entity_types(table, options.types).items():
        kind = table.entities[key].kind
        name = (table.entities[kind].name("en") or kind) if kind else "(none)"
        kinds[label][name] = kinds[label].get(name, 0) + 1
    write_manifest(
        directory,
        format=FORMAT,
        version=VERSION,
        table={"name": table.name, "version": table.version, "sha256": table.digest},
        options=asdict(options),
        languages=report.languages,
        types=kinds,
        symmetric=sorted(symmetric_relations(world)),
        gap=GAP,
        entities={split: len(pool.entities) for split, pool in pools.items()},
        facts=_facts(world, homes, pools),
        counts=report.counts,
        empty=report.empty,
    )
