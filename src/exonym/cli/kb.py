"""``exonym kb``: build a knowledge base from dumps, show what is in it, look things up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from exonym.cli.options import language_codes
from exonym.cli.output import print_json, print_table

if TYPE_CHECKING:
    from exonym.knowledge import KnowledgeBase

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
    processes: Annotated[int, typer.Option(help="How many files are read at a time.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace --out.")] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Build a knowledge base from Wikipedia dumps and a Wikidata dump.

    Example: exonym kb build --dumps dumps/ --out kb/

    Wikipedia dumps are files named *.xml, *.xml.bz2, .gz, .xz or .zst, Wikidata dumps *.json.bz2
    and the like; other files in a directory are passed over and named in the report.
    `exonym atlas write --out dumps/` makes dumps to try this with.
    """
    from exonym.knowledge import build_knowledge_base

    kb = build_knowledge_base(
        [*dumps, *(more or ())],
        out,
        languages=language_codes(languages),
        keep_going=keep_going,
        any_language=any_language,
        overwrite=overwrite,
        processes=processes,
    )
    if as_json:
        print_json(kb.manifest)
        return
    _print_counts(kb)
    typer.echo(f"Knowledge base in {out}. Look something up: exonym kb lookup {out} NAME")


@app.command()
def show(
    directory: Annotated[Path, _DIRECTORY],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Show what a knowledge base was made of and how much is in it.

    Example: exonym kb show kb/
    """
    from exonym.knowledge import KnowledgeBase

    kb = KnowledgeBase.open(directory)
    if as_json:
        print_json(kb.manifest)
    else:
        _print_counts(kb)


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
    from exonym.knowledge.lookup import look_up

    found = look_up(KnowledgeBase.open(directory), query, language=language)
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
    for report in manifest["files"]:
        for warning in report["warnings"]:
            typer.echo(f"{report['name']}: {warning}")
    for ignored in manifest["ignored"]:
        typer.echo(f"Passed over {ignored['name']}: {ignored['reason']}")
    if all(report["language"] for report in manifest["files"]):
        typer.echo(
            "No Wikidata dump: every page is an entity of its own, languages are not joined."
        )


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
    if triples:
        parts = ("subject", "relation", "object")
        print_table("Facts", parts, triples[:TRIPLES_SHOWN])
    if (rest := len(triples) - TRIPLES_SHOWN) > 0:
        typer.echo(f"... and {rest:,} more facts; --json prints all")


def _relation(fact: dict[str, Any]) -> str:
    return f"{fact['relation']} {fact['relation_label'] or ''}".strip()
