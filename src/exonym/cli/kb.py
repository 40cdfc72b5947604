"""``exonym kb``: build a knowledge base from dumps, show what is in it, look things up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from exonym.cli import kb_additions
from exonym.cli.options import language_codes
from exonym.cli.output import on_interrupt, print_json, print_table

if TYPE_CHECKING:
    from exonym.knowledge import KnowledgeBase
    from exonym.knowledge.building.estimating import Expectation
    from exonym.knowledge.building.plan import Plan
    from exonym.wikimedia.wikidata import Ranks

app = typer.Typer(
    help="Build and read knowledge bases: entities with names, links and facts in many languages.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_JSON = typer.Option("--json", help="Print JSON for machines.")
_DIRECTORY = typer.Argument(metavar="DIR", help="A directory made by `exonym kb build`.")
NAMES_SHOWN = 6
TRIPLES_SHOWN = 40


@app.command()
def build(
    dumps: Annotated[
        list[Path],
        typer.Option(help="Dump files, or directories that hold them. Several may follow."),
    ],
    out: Annotated[Path, typer.Option(help="The directory to make.")],
    more: Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", hidden=True)] = None,
    languages: Annotated[
        str | None, typer.Option(help="Keep only these, such as de,ja,sw. [default: all]")
    ] = None,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Count what is damaged instead of stopping.")
    ] = False,
    any_language: Annotated[
        bool, typer.Option("--any-language", help="Accept wikis of unknown languages.")
    ] = False,
    ranks: Annotated[
        str, typer.Option(help="Which statements are facts: best, or all but the deprecated.")
    ] = "best",
    processes: Annotated[int, typer.Option(help="How many tasks run at a time.")] = 1,
    executor: Annotated[str, typer.Option(help="Where they run: local, slurm or ray.")] = "local",
    partition: Annotated[str | None, typer.Option(help="Slurm's partition.")] = None,
    time: Annotated[str, typer.Option(help="Time limit of a Slurm task.")] = "24:00:00",
    memory: Annotated[int, typer.Option(help="Memory of a Slurm or Ray task, in GB.")] = 8,
    sbatch: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Another option of sbatch.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and what it takes.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace --out, or an unfinished build there.")
    ] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Build a knowledge base from Wikipedia dumps and a Wikidata dump.

    Example: exonym kb build --dumps dumps/ --out kb/

    Wikipedia dumps are files named *.xml, *.xml.bz2, .gz, .xz or .zst, Wikidata dumps *.json.bz2
    and the like; other files in a directory are passed over and named in the report.
    `exonym dumps fetch` downloads them, `exonym atlas write --out dumps/` makes dumps to try this
    with. A build that was interrupted goes on when the same command is run again.
    """
    from exonym.foundation.executors import Executor
    from exonym.knowledge.building.build import carry_out, plan_build
    from exonym.knowledge.building.estimating import expect, require_disk

    runner = Executor(
        kind=executor,
        workers=processes,
        memory_gb=memory,
        time=time,
        partition=partition,
        options=_named(sbatch or ()),
    )
    given = [*dumps, *(more or ())]
    plan = plan_build(
        given,
        out,
        languages=language_codes(languages),
        keep_going=keep_going,
        any_language=any_language,
        ranks=cast("Ranks", ranks),
    )
    expected = expect(plan, processes=processes)
    if dry_run:
        _print_plan(plan, expected, as_json=as_json)
        return
    require_disk(plan, expected)
    with on_interrupt("Run the same command again to go on"):
        kb = carry_out(plan, runner, overwrite=overwrite)
    if as_json:
        print_json(kb.manifest)
        return
    _print_counts(kb)
    typer.echo(f"Knowledge base in {out}. Look something up: exonym kb lookup {out} NAME")


def _named(options: Sequence[str]) -> dict[str, str]:
    from exonym.foundation.errors import InputError

    named = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not (name and equals):
            raise InputError(
                f"--sbatch needs NAME=VALUE, got {option!r}", remedy="For example account=nlp"
            )
        named[name] = value
    return named


@app.command()
def show(
    directory: Annotated[Path, _DIRECTORY],
    query: Annotated[
        str | None,
        typer.Argument(help="Show instead an entity or name, as `exonym kb lookup` does."),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Show instead how much each language has.")
    ] = False,
    ambiguous: Annotated[
        str | None,
        typer.Option(metavar="LANGUAGE", help="Show instead a language's most ambiguous names."),
    ] = None,
    count: Annotated[int, typer.Option(help="How many names.")] = 20,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Show what a knowledge base was made of, how much is in it, and what was skipped and why.

    Example: exonym kb show kb/
    """
    from exonym.knowledge import KnowledgeBase

    kb = KnowledgeBase.open(directory)
    if query is not None:
        _show_found(kb, query, None, as_json=as_json)
    elif ambiguous is not None:
        _print_ambiguous(kb, ambiguous, count, as_json=as_json)
    elif coverage:
        _print_coverage(kb, as_json=as_json)
    elif as_json:
        print_json(kb.manifest)
    else:
        _print_counts(kb)


def _print_ambiguous(kb: KnowledgeBase, language: str, count: int, *, as_json: bool) -> None:
    from exonym.knowledge.lookup import best_label
    from exonym.knowledge.statistics import ambiguous_names

    found = ambiguous_names(kb, language, count)
    if as_json:
        print_json({"language": language, "names": [asdict(name) for name in found]})
        return
    rows = [
        (name.surface, name.entities, name.links, best_label(kb, name.top, language), name.prior)
        for name in found
    ]
    columns = ("name", "entities", "links", "most often", "its share")
    print_table(f"The most ambiguous names of {language!r}", columns, rows)


def _print_coverage(kb: KnowledgeBase, *, as_json: bool) -> None:
    from exonym.knowledge.statistics import coverage

    found = coverage(kb)
    if as_json:
        print_json({"entities": len(kb), "languages": [asdict(language) for language in found]})
        return
    columns = ("language", "articles", "in other languages too", "labels", "descriptions",
               "names", "named", "linked", "ambiguous names")  # fmt: skip
    print_table(f"{len(kb):,} entities", columns, [tuple(asdict(c).values()) for c in found])


def _print_plan(plan: Plan, expected: Expectation, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(expected))
        return
    print_table("Dumps", ("file", "language", "bytes", "tasks"), expected.files)
    for name, reason in plan.sources.ignored:
        typer.echo(f"Passed over {name}: {reason}")
    typer.echo(
        f"Takes about {expected.hours:.1f} hours with {expected.processes} at a time, "
        f"{expected.disk_gb:.1f} GB of disk ({expected.free_gb:.1f} GB are free) and "
        f"{expected.memory_gb:.1f} GB of memory. Nothing was written."
    )


@app.command()
def lookup(
    directory: Annotated[Path, _DIRECTORY],
    query: Annotated[str, typer.Argument(help="An item id, title key, title or name.")],
    language: Annotated[
        str | None, typer.Option(help="Look in this language only, and label facts in it.")
    ] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Look up an entity: its names in every language, what a name may mean, and its facts.

    Example: exonym kb lookup kb/ Tokyo --language en

    QUERY is tried as an item id (Q1490), a title key (ja:東京都), the title of an article or
    redirect, and the text of a link, in this order.
    """
    from exonym.knowledge import KnowledgeBase

    _show_found(KnowledgeBase.open(directory), query, language, as_json=as_json)


def _show_found(kb: KnowledgeBase, query: str, language: str | None, *, as_json: bool) -> None:
    from exonym.knowledge.lookup import look_up

    found = look_up(kb, query, language=language)
    if as_json:
        print_json({"query": query, **found})
    else:
        _print_found(query, found)


def _print_counts(kb: KnowledgeBase) -> None:
    manifest = kb.manifest
    kinds = (
        "articles", "articles without an item", "redirects", "redirects to missing pages",
        "links", "links resolved", "names",
    )  # fmt: skip
    languages = [
        (code, *(counts.get(kind, 0) for kind in kinds))
        for code, counts in manifest["languages"].items()
    ]
    files = [
        (
            report["name"],
            report["language"] or "Wikidata",
            report["counts"].get("articles", report["counts"].get("items kept", 0)),
            report["counts"].get("redirects", 0),
            report["counts"].get("links", 0),
            report["counts"].get("links resolved", 0),
            ", ".join(f"{reason}: {count:,}" for reason, count in report["skipped"].items()),
        )
        for report in manifest["files"]
    ]
    columns = ("file", "language", "articles or items", "redirects", "links", "resolved",
               "left out")  # fmt: skip
    print_table("Languages", ("language", *kinds), languages)
    print_table("Files", columns, files)
    print_table("Totals", ("what", "count"), manifest["totals"].items())
    for warning in manifest["warnings"]:
        typer.echo(f"Looks wrong: {warning}")
    for report in manifest["files"]:
        for warning in report["warnings"]:
            typer.echo(f"{report['name']}: {warning}")
    for ignored in manifest["ignored"]:
        typer.echo(f"Passed over {ignored['name']}: {ignored['reason']}")
    if manifest["joined_by"] != "wikidata":
        _print_what_is_missing(manifest)


def _print_what_is_missing(manifest: dict[str, Any]) -> None:
    joined, by = manifest["joined"], manifest["joined_by"]
    if by is None:
        how = "No Wikidata dump: every page is an entity of its own, languages are not joined."
    else:
        pages = joined.get("pages joined", 0)
        how = (
            f"No Wikidata dump: languages are joined by {by}; {pages:,} of {joined['pages']:,} "
            f"articles belong to an entity of that kind."
        )
    typer.echo(f"{how} There are no labels, aliases, descriptions, facts or types.")
    for reason, count in joined.items():
        if reason.startswith("language links ") or reason.startswith("properties "):
            typer.echo(f"{reason}: {count:,}")


def _print_found(query: str, found: dict[str, Any]) -> None:
    entity = found["entity"]
    typer.echo(f"{entity['key']}  {entity['label']}  ({entity['links']:,} links)")
    names = [
        (
            code,
            texts["title"] or "",
            texts["links"],
            ", ".join(f"{n['surface']} ({n['count']})" for n in texts["names"][:NAMES_SHOWN]),
            texts["description"] or "",
        )
        for code, texts in entity["languages"].items()
    ]
    candidates = [
        (code, candidate["entity"], candidate["label"], candidate["count"], candidate["prior"])
        for code, entries in found["candidates"].items()
        for candidate in entries
    ]
    triples = [
        (entity["label"], _relation(fact), f"{fact['object']} {fact['object_label']}")
        for fact in entity["triples"]
    ] + [
        (f"{fact['subject']} {fact['subject_label']}", _relation(fact), entity["label"])
        for fact in entity["triples_about"]
    ]
    print_table("Names", ("language", "title", "links", "names (count)", "description"), names)
    if candidates:
        columns = ("language", "entity", "label", "count", "prior")
        print_table(f"What {query!r} may mean", columns, candidates)
        shares = (
            f"{code} {share:.3f}"
            for code, share in found["link_probability"].items()
            if share is not None
        )
        typer.echo(f"A link of all times that it stands in the text: {', '.join(shares) or '-'}\n")
    if triples:
        parts = ("subject", "relation", "object")
        print_table("Facts", parts, triples[:TRIPLES_SHOWN])
    if (rest := len(triples) - TRIPLES_SHOWN) > 0:
        typer.echo(f"... and {rest:,} more facts; --json prints all")


def _relation(fact: dict[str, Any]) -> str:
    return f"{fact['relation']} {fact['relation_label'] or ''}".strip()


app.command("add")(kb_additions.add)
